"""The public names, which programs in use rely on."""

from __future__ import annotations

import hop.robust_publisher


def test_exported_names() -> None:
    assert hop.robust_publisher.__all__ == [
        "JournalCorruptError",
        "JournalError",
        "JournalFullError",
        "JournalInUseError",
        "JournalWriteError",
        "PublicationJournal",
        "PublisherError",
        "QueuedMessage",
        "RobustProducer",
    ]
    for name in hop.robust_publisher.__all__:
        assert getattr(hop.robust_publisher, name).__name__ == name
