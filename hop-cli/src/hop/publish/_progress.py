"""A progress bar for whoever waits."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from hop.cli._text import is_terminal

T = TypeVar("T")

# Who waits less than this, in seconds, needs no bar.
_DELAY = 1.0


def progress(items: Iterable[T]) -> Iterator[T]:
    """The items; on a terminal with a bar that counts them, once it has taken a second."""
    if not is_terminal(sys.stderr):
        yield from items
        return
    from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

    yield from tqdm(items, desc="publishing", unit=" messages", delay=_DELAY, leave=False)
