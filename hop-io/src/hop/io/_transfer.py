"""What can be said of large messages without the libraries that move them."""

from __future__ import annotations

DEFAULT_TRANSFER_TIMEOUT = 60.0
"""Seconds that a large message may take to be uploaded or fetched."""

DEFAULT_FETCH_LIMIT = 256 << 20
"""Bytes that a large message may have, to be fetched."""

MISSING = "the libraries for that are not installed: pip install 'hop-io[offload]'"


class TransferError(Exception):
    """A large message was not moved: why, in a few words that name no secret.

    Attributes:
        passing: whether it may go well another time, without anybody changing anything.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing
