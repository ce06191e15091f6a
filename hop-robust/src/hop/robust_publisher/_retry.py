"""Putting back into a journal what the broker has refused."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from hop.robust_publisher._damage import put_aside
from hop.robust_publisher._dead import REFUSED, DeadLetters, apart
from hop.robust_publisher._disk import open_file, sync, sync_folder
from hop.robust_publisher._frame import MAGIC, MARK_SIZE, Damage, scan
from hop.robust_publisher._inspect import JOURNAL
from hop.robust_publisher._load import sealed
from hop.robust_publisher._segment import MESSAGE, Segment, sealed_ordinal, sealed_path
from hop.robust_publisher._store import Store


def retry_refused(path: str | os.PathLike[str] = JOURNAL) -> int:
    """Let what no broker would take wait again; it is sent when a publisher next opens the journal.

    However this ends, each message is either still among the refused or waits, and never both.

    Returns:
        How many messages that are.

    Raises:
        JournalInUseError: (a RuntimeError) another process works on the journal, or another object in this one.
        OSError, JournalError: the journal can't be opened, read or written.
    """
    with closing(Store(path)) as store:
        dead = DeadLetters(store.path).path
        try:
            source = open_file(dead, os.O_RDONLY)
        except FileNotFoundError:
            return 0
        try:
            count = _make_segment(store.path, dead, source, store.log.next_sequence)
        finally:
            os.close(source)
        if count:
            segments = store.log.segments
            if segments.active is not None:
                # What is numbered before goes before; each step is on disk before the next.
                sync(segments.active.descriptor)
                segments.seal(segments.active)
                sync_folder(dead.parent)
            last = max(map(sealed_ordinal, sealed(store.path)), default=0)
            dead.rename(sealed_path(store.path, last + 1))
            sync_folder(dead.parent)
        return count


def _make_segment(journal: Path, dead: Path, source: int, first: int) -> int:
    """Replace the `.dead` file by one that is a segment of the journal as well, once it is called one.

    Each message is in it as waiting, which is passed over in a `.dead` file, and as refused, which is passed over in a
    segment. So it takes one renaming, which happens or does not, to turn all of them from one into the other.
    """
    unfinished = dead.with_name(dead.name + ".new")
    segment = Segment(unfinished, first)
    segment.descriptor = open_file(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    damages: list[Damage] = []
    mark: bytes | None = None
    try:
        for found in scan(source, 0, os.fstat(source).st_size):
            if isinstance(found, Damage):
                damages += [] if found.torn else [found]
                continue
            mark = mark or os.pread(source, MARK_SIZE, found.offset + len(MAGIC))
            if found.kind == REFUSED:
                _, body = apart(found.body)
                number, whole = segment.end, bytes(found.body)
                segment.write([(MESSAGE, number, body), (REFUSED, number, whole)])
        put_aside(journal, source, mark, damages)
        sync(segment.descriptor)
        unfinished.rename(dead)
    finally:
        segment.close()
    sync_folder(dead.parent)
    return segment.live
