"""Which credential a robust producer uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from hop.robust_publisher import RobustProducer


def test_who_asks_for_authentication_does_not_go_without(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="hop auth add"):
        RobustProducer("kafka://127.0.0.1:9/gcn", auth=[], journal_path=tmp_path / "journal")
