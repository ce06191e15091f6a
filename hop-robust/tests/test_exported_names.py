"""The public names, which programs in use rely on."""

from __future__ import annotations

import hop.robust_publisher


def test_exported_names() -> None:
    assert hop.robust_publisher.__all__ == [
        "JournalCorruptError",
        "JournalDamage",
        "JournalError",
        "JournalFullError",
        "JournalInUseError",
        "JournalReport",
        "JournalWriteError",
        "PublicationJournal",
        "PublisherError",
        "QueuedMessage",
        "RobustProducer",
        "WaitingMessages",
        "inspect_journal",
        "read_journal",
        "read_refused",
        "retry_refused",
    ]
    for name in hop.robust_publisher.__all__:
        assert getattr(hop.robust_publisher, name).__name__ == name
