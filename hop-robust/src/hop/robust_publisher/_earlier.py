"""Journals that earlier releases wrote: what is to be sent is taken over into a new one.

All numbers in them are big-endian. A record is u64 kind, u64 length of the body, u32 CRC-32 of the body, u32 CRC-32 of
the 20 bytes before, and the body. Kinds 0 and 2 are messages, kind 1 the number of a message that has been sent.
"""

from __future__ import annotations

import logging
import mmap
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from hop.robust_publisher._damage import put_aside
from hop.robust_publisher._disk import open_file, sync, sync_folder
from hop.robust_publisher._errors import JournalCorruptError
from hop.robust_publisher._frame import MAGIC, Damage
from hop.robust_publisher._message import Headers, encode
from hop.robust_publisher._segment import MESSAGE, Entry, Segment

logger = logging.getLogger("hop.robust_publisher")

_HEAD = struct.Struct(">QQII")
_NUMBER = struct.Struct(">Q")
_DEFAULT_TOPIC, _SENT, _WITH_TOPIC = 0, 1, 2
# A kind, and a length that is not zero: what may be a head.
_MAYBE_HEAD = re.compile(rb"\0{7}[\0-\2](?!\0{8})")
_GROUP = 1 << 20


class _Part(NamedTuple):
    """A record whose checksums are right; `start` and `end` are those of its body."""

    kind: int
    start: int
    end: int


def take_over(path: Path, *, strict: bool) -> None:
    """Replace the journal of an earlier release by a new one with what is still to be sent.

    The old file stays, under a name that ends in `.migrated`. Anything that is no such journal is left as it is.

    Raises:
        OSError: a file can't be read or written.
        JournalCorruptError: the journal is damaged and `strict` is true.
    """
    if not path.is_file() or not path.stat().st_size:
        return
    descriptor = open_file(path, os.O_RDONLY)
    try:
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
            if data[: len(MAGIC)] == MAGIC or next_head(data, 0) is None:
                return
            bodies, damages = live(data)
            if damages and strict:
                raise JournalCorruptError(
                    f"the journal {path}, which an earlier release wrote, is damaged at byte {damages[0].offset};"
                    " with on_corruption='continue' everything else in it is sent"
                )
            put_aside(path, descriptor, None, damages)
            unfinished = path.with_name(path.name + ".new")
            _write(unfinished, bodies)
    finally:
        os.close(descriptor)
    # The old one gives up its name only when the new one's is on disk.
    sync_folder(path.parent)
    old = _free_name(path.with_name(path.name + ".migrated"))
    path.rename(old)
    unfinished.rename(path)
    sync_folder(path.parent)
    logger.info("took over the journal %s of an earlier release; the old file is now %s", path, old)


def next_head(data: mmap.mmap, position: int) -> int | None:
    for match in _MAYBE_HEAD.finditer(data, position):
        if _head(data, match.start()) is not None:
            return match.start()
    return None


def _head(data: mmap.mmap, position: int) -> tuple[int, int, int] | None:
    """Kind, length and checksum of the body, if a sound head is there."""
    head = data[position : position + _HEAD.size]
    if len(head) < _HEAD.size:
        return None
    kind, length, body_sum, head_sum = _HEAD.unpack(head)
    return (kind, length, body_sum) if crc32(head[:20]) == head_sum else None


def _parts(data: mmap.mmap) -> Iterator[_Part | Damage]:
    position, end = 0, len(data)
    while position < end:
        head = _head(data, position)
        if head is None:
            following = next_head(data, position + 1)
            size = (end if following is None else following) - position
            yield Damage(position, size, torn=following is None and size < _HEAD.size)
            position += size
            continue
        kind, length, body_sum = head
        start = position + _HEAD.size
        stop = start + length
        if stop > end:
            yield Damage(position, end - position, torn=True)
            return
        if crc32(data[start:stop]) == body_sum:
            yield _Part(kind, start, stop)
        else:
            yield Damage(position, stop - position, torn=False)
        position = stop


def live(data: mmap.mmap) -> tuple[Iterator[bytes], list[Damage]]:
    """What is still to be sent, as bodies of records, and what is damaged."""
    live: dict[int, _Part] = {}
    damages: list[Damage] = []
    for part in _parts(data):
        if isinstance(part, Damage):
            if not part.torn:
                damages.append(part)
        elif part.end - part.start >= _NUMBER.size:
            (sequence,) = _NUMBER.unpack_from(data, part.start)
            if part.kind == _SENT:
                live.pop(sequence, None)
            elif part.kind in (_DEFAULT_TOPIC, _WITH_TOPIC):
                live[sequence] = part
    return _bodies(data, live), damages


def _bodies(data: mmap.mmap, live: dict[int, _Part]) -> Iterator[bytes]:
    for sequence in sorted(live):
        try:
            yield _converted(data, live[sequence])
        except (struct.error, ValueError) as exc:
            logger.error(
                "message %d of the journal of an earlier release can't be understood (%s);"
                " it stays in the old file",
                sequence,
                exc,
            )


def _converted(data: mmap.mmap, part: _Part) -> bytes:
    body, at = data[part.start : part.end], _NUMBER.size

    def number() -> int:
        nonlocal at
        (value,) = _NUMBER.unpack_from(body, at)
        at += _NUMBER.size
        return int(value)

    def text() -> bytes:
        nonlocal at
        size = number()
        at += size
        if at > len(body):
            raise ValueError("a text ends after its record")
        return body[at - size : at]

    topic = text() if part.kind == _WITH_TOPIC else b""
    message = text()
    key = text() if part.kind == _WITH_TOPIC else b""
    headers: Headers = [(text().decode("utf-8", "replace"), text()) for _ in range(number())]
    return encode(message, headers, topic.decode("utf-8", "replace") or None, key or None)


def _write(path: Path, bodies: Iterator[bytes]) -> None:
    segment = Segment(path, 1)
    segment.descriptor = open_file(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        group: list[Entry] = []
        size = 0
        for sequence, body in enumerate(bodies, start=1):
            group.append((MESSAGE, sequence, body))
            size += len(body)
            if size >= _GROUP:
                segment.write(group)
                group, size = [], 0
        segment.write(group)
        sync(segment.descriptor)
    finally:
        segment.close()


def _free_name(path: Path) -> Path:
    count, free = 1, path
    while free.exists():
        count += 1
        free = path.with_name(f"{path.name}-{count}")
    return free
