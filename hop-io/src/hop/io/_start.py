"""Where in a stream reading starts."""

from __future__ import annotations

from enum import Enum


class StartPosition(Enum):
    """Where to start in a topic that has no committed offset.

    `EARLIEST` is the oldest message that the broker still has, `LATEST` the first one written after the
    stream was opened.
    """

    EARLIEST = "earliest"
    LATEST = "latest"

    def __str__(self) -> str:
        return self.value
