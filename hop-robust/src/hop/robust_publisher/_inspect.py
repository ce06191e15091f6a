"""Looking at a journal from outside: nothing is changed and no lock taken, whoever works on it meanwhile.

What the broker refused can also be put back, which needs the lock.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from hop.robust_publisher import _earlier, _load, _lock
from hop.robust_publisher._damage import put_aside
from hop.robust_publisher._dead import REFUSED, DeadLetters
from hop.robust_publisher._disk import open_file, sync, sync_folder
from hop.robust_publisher._errors import JournalCorruptError
from hop.robust_publisher._frame import HEAD_SIZE, MAGIC, MARK_SIZE, Damage, Record, scan
from hop.robust_publisher._log import RANGE
from hop.robust_publisher._message import QueuedMessage, decode, encode
from hop.robust_publisher._segment import (
    MESSAGE,
    SETTLED,
    START,
    VERSION,
    Entry,
    Segment,
    overlapping,
    sealed_ordinal,
    sealed_path,
)
from hop.robust_publisher._store import Store

_JOURNAL = "publisher.journal"
# A journal that changes while it is read is read again, so many times, after this pause (seconds).
_TRIES = 10
_PAUSE = 0.05
# The sizes of the smallest message's record, here and in earlier releases.
_LEAST = HEAD_SIZE + len(encode(b""))
_LEAST_EARLIER = 48
_LENGTH = struct.Struct(">I")
# `struct flock` of the system: where in it are the kind of lock and the process id.
_FLOCK = ("qqihh", 3, 2) if sys.platform == "darwin" else ("hhqqi4x", 0, 4)


@dataclass(frozen=True)
class WaitingMessages:
    """What waits for one topic.

    Attributes:
        topic: None stands for that of the publisher's URL.
        messages: how many.
        size: how many bytes their bodies have.
        written: the oldest of them was written then or before: it is when the file that holds it was last written to.
    """

    topic: str | None
    messages: int
    size: int
    written: datetime


@dataclass(frozen=True)
class JournalDamage:
    """Bytes of a file that are not what was written.

    Attributes:
        file: the file.
        offset: the first of them.
        size: how many.
        lost: how many messages are lost with them, at most.
    """

    file: Path
    offset: int
    size: int
    lost: int


@dataclass(frozen=True)
class JournalReport:
    """What is in a journal.

    Attributes:
        path: the journal.
        holder: the process id of who works on it, None for nobody.
        earlier_release: whether a release before 1.0 wrote it; the next publisher takes it over.
        files: of how many files it consists.
        size: how many bytes they take.
        written: when the last of them was written to; None where there is none.
        waiting: what is to be sent, by topic.
        refused: how many messages no broker will take; `read_refused` gives them.
        damages: what is damaged; a publisher sends everything else.
        unfinished: how many bytes an interrupted write has left, which is no damage: what they belong to had not
            been accepted.
    """

    path: Path
    holder: int | None
    earlier_release: bool
    files: int
    size: int
    written: datetime | None
    waiting: tuple[WaitingMessages, ...]
    refused: int
    damages: tuple[JournalDamage, ...]
    unfinished: int


def inspect_journal(path: str | os.PathLike[str] = _JOURNAL) -> JournalReport:
    """Tell what waits in a journal, and whether it is sound; a publisher that works on it is not disturbed.

    Raises:
        FileNotFoundError: there is no journal.
        OSError: a file can't be read.
        JournalCorruptError: (a RuntimeError) the file is no journal, or one of a later release.
    """
    with closing(_view(path)) as view:
        waiting: dict[str | None, WaitingMessages] = {}
        for message, written in view.messages():
            topic, size = message.topic, len(message.message)
            found = waiting.get(topic) or WaitingMessages(topic, 0, 0, written)
            waiting[topic] = replace(found, messages=found.messages + 1, size=found.size + size)
        return JournalReport(
            path=view.path,
            holder=_holder(view.path),
            earlier_release=view.earlier is not None,
            files=len(view.written),
            size=view.size,
            written=max(view.written, default=None),
            waiting=tuple(waiting.values()),
            refused=sum(1 for _ in view.refused()),
            damages=tuple(view.damages),
            unfinished=view.unfinished,
        )


def read_journal(path: str | os.PathLike[str] = _JOURNAL) -> Iterator[QueuedMessage]:
    """The messages that wait in a journal, oldest first. Raises as `inspect_journal`, when the first is taken."""
    with closing(_view(path)) as view:
        for message, _ in view.messages():
            yield message


def read_refused(path: str | os.PathLike[str] = _JOURNAL) -> Iterator[tuple[QueuedMessage, str]]:
    """The messages of a journal that no broker will take, and why. Raises as `inspect_journal`."""
    with closing(_view(path)) as view:
        yield from view.refused()


def retry_refused(path: str | os.PathLike[str] = _JOURNAL) -> int:
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
            last = max(map(sealed_ordinal, _load.sealed(store.path)), default=0)
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
                _, body = _apart(found.body)
                number, whole = segment.end, bytes(found.body)
                segment.write([Entry(MESSAGE, number, body), Entry(REFUSED, number, whole)])
        put_aside(journal, source, mark, damages)
        sync(segment.descriptor)
        unfinished.rename(dead)
    finally:
        segment.close()
    sync_folder(dead.parent)
    return segment.live


def _apart(body: memoryview) -> tuple[str, bytes]:
    """Why a message was refused, and the message."""
    end = _LENGTH.size + _LENGTH.unpack_from(body)[0]
    return str(body[_LENGTH.size : end], "utf-8", "replace"), bytes(body[end:])


def _holder(journal: Path) -> int | None:
    """The process that holds the journal's lock."""
    path = journal.with_name(journal.name + ".lock")
    # To close the lock's file, here, would be to give up the lock, were it ours.
    if _lock._held.get(path) == os.getpid():
        return os.getpid()
    descriptor = _open(path)
    if descriptor is None:
        return None
    layout, kind, pid = _FLOCK
    wanted = [0] * 5
    wanted[kind] = fcntl.F_WRLCK
    try:
        found = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack(layout, *wanted))
        answer = struct.unpack(layout, found)
        return None if answer[kind] == fcntl.F_UNLCK else int(answer[pid])
    finally:
        os.close(descriptor)


def _open(path: Path) -> int | None:
    """Open a file for reading, if it is there, without waiting for one who writes to a pipe."""
    try:
        descriptor = open_file(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise JournalCorruptError(f"{path} is no journal: it is not a regular file")
    return descriptor


def _view(path: str | os.PathLike[str]) -> _View:
    """A view of a journal that nobody changed in the meantime, if there is a quiet moment."""
    real = Path(os.path.realpath(path))
    before: tuple[object, ...] = ()
    for _ in range(_TRIES):
        view = _View(real)
        # What another process is just writing looks damaged, the first time.
        flaws = (*view.damages, *filter(None, [view.unfinished]))
        if view.steady and flaws == before:
            return view
        before = flaws
        view.close()
        time.sleep(_PAUSE)
    return _View(real)


@dataclass
class _Doubt:
    """Damage, or an end that is torn off, and the numbers that messages there had: from `first` to before `end`."""

    damage: JournalDamage
    torn: bool
    first: int
    end: int = sys.maxsize


class _View:
    """A journal's files, read from beginning to end.

    Attributes:
        path: the journal.
        earlier: its content, where a release before 1.0 wrote it.
        written: when each of its files was last written to.
        size: the size of all of them.
        damages, unfinished: as of `JournalReport`.
        steady: whether it has not changed in the meantime.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.earlier: mmap.mmap | None = None
        self.written: list[datetime] = []
        self.size = self.unfinished = 0
        self.damages: list[JournalDamage] = []
        self.steady = True
        self._segments: list[Segment] = []
        self._settled: list[tuple[int, int]] = []
        self._doubts: list[_Doubt] = []
        self._next = 1
        self._active: int | None = None
        self._dead: int | None = None
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for descriptor in (self._active, self._dead):
            if descriptor is not None:
                os.close(descriptor)
        if self.earlier is not None:
            self.earlier.close()

    def messages(self) -> Iterator[tuple[QueuedMessage, datetime]]:
        """What is to be sent, and when its file was last written to."""
        if self.earlier is not None:
            for number, body in enumerate(_earlier._live(self.earlier)[0], start=1):
                yield decode(number, body), self.written[-1]
        for segment, written in zip(self._segments, self.written, strict=False):
            if not segment.live:
                continue
            descriptor = self._open_again(segment)
            if descriptor is None:
                continue
            try:
                for found in scan(descriptor, 0, segment.size, segment.mark):
                    if (
                        isinstance(found, Record)
                        and segment.is_live(found.sequence)
                        and segment.offset(found.sequence) == found.offset
                    ):
                        yield decode(found.sequence, found.body), written
            finally:
                os.close(descriptor)

    def refused(self) -> Iterator[tuple[QueuedMessage, str]]:
        """What no broker will take, and why."""
        if self._dead is not None:
            for found in scan(self._dead, 0, os.fstat(self._dead).st_size):
                if isinstance(found, Record) and found.kind == REFUSED:
                    reason, body = _apart(found.body)
                    yield decode(found.sequence, body), reason

    def _read(self) -> None:
        # What is complete and has not got its name yet counts where there is no other.
        names = (self.path, self.path.with_name(self.path.name + ".new"))
        self._active = next(filter(None, map(_open, names)), None)
        files: list[Path] = []
        with suppress(FileNotFoundError):
            files.extend(_load.sealed(self.path))
        dead = DeadLetters(self.path).path
        self._dead = _open(dead)
        if self._active is None and self._dead is None and not files:
            raise FileNotFoundError(errno.ENOENT, "there is no journal", str(self.path))
        for file in files:
            descriptor = _open(file)
            if descriptor is None:  # all of it has been sent
                self.steady = False
                continue
            try:
                self._load(file, descriptor)
            finally:
                os.close(descriptor)
        if self._active is None:
            self.steady = self.steady and not any(map(os.path.exists, names))
        else:
            self._load_active(self._active)
            # Who works on it gives this file another name, or cuts it, or makes another.
            self.steady = self.steady and any(_is_named(self._active, name) for name in names)
        self._judge()
        if self._dead is not None:
            for found in scan(self._dead, 0, os.fstat(self._dead).st_size):
                if isinstance(found, Damage) and not found.torn:
                    lost = _most(self._dead, found)
                    self.damages.append(JournalDamage(dead, found.offset, found.size, lost))

    def _load_active(self, descriptor: int) -> None:
        start = os.pread(descriptor, len(MAGIC) + MARK_SIZE, 0)
        size = os.fstat(descriptor).st_size
        if start.startswith(MAGIC) or not self._load_earlier(descriptor, size):
            sound = self._load(self.path, descriptor)
            if not sound and not self._doubts[-1].torn and _load._is_foreign(descriptor):
                raise JournalCorruptError(f"{self.path} is no journal")
        after = os.pread(descriptor, len(start), 0)
        self.steady = self.steady and after == start and os.fstat(descriptor).st_size >= size

    def _load_earlier(self, descriptor: int, size: int) -> bool:
        """Read the file if an earlier release wrote it; a copy, since that cuts it while it is in use."""
        if not size:
            return False
        data = mmap.mmap(-1, size)
        with open(descriptor, "rb", closefd=False) as file:
            file.seek(0)
            file.readinto(data)
        if _earlier._next_head(data, 0) is None:
            data.close()
            return False
        self.earlier = data
        self.size += size
        self.written.append(_written(descriptor))
        for found in _earlier._live(data)[1]:
            most = max(1, found.size // _LEAST_EARLIER)
            self.damages.append(JournalDamage(self.path, found.offset, found.size, most))
        return True

    def _load(self, file: Path, descriptor: int) -> bool:
        """Read a file; returns whether there is any sound record in it, or nothing at all."""
        segment = Segment(file, self._next)
        segment.size = os.fstat(descriptor).st_size
        self.size += segment.size
        self.written.append(_written(descriptor))
        self._segments.append(segment)
        empty = True
        for found in self._records(file, descriptor, segment.size):
            if empty:
                empty = False
                if found.kind == START and bytes(found.body[: len(VERSION)]) != VERSION:
                    raise JournalCorruptError(f"the journal {file} was written by a later release")
                segment.mark = os.pread(descriptor, MARK_SIZE, found.offset + len(MAGIC))
                segment.first = found.sequence
                for before in self._segments[:-1]:
                    # What was written again after the disk failed is taken from where it was written last.
                    before.trim(segment.first)
            if found.kind == SETTLED:
                self._settle(found.body)
            elif found.kind == MESSAGE:
                # Between two messages of one file there is no room for more than these.
                if segment.end <= found.sequence <= segment.end + segment.size // HEAD_SIZE:
                    segment.add([(found.sequence, found.offset)])
                self._next = max(self._next, found.sequence + 1)
            self._next = max(self._next, found.sequence)
        return not empty or not segment.size

    def _records(self, file: Path, descriptor: int, size: int) -> Iterator[Record]:
        for found in scan(descriptor, 0, size):
            if isinstance(found, Record):
                for doubt in reversed(self._doubts):
                    if doubt.end < sys.maxsize:
                        break
                    doubt.end = found.sequence
                yield found
                continue
            damage = JournalDamage(file, found.offset, found.size, _most(descriptor, found))
            last = self._doubts[-1].damage if self._doubts else None
            if last is not None and last.file == file and last.offset + last.size == found.offset:
                self._doubts[-1].damage = replace(
                    last, size=last.size + damage.size, lost=last.lost + damage.lost
                )
            else:
                self._doubts.append(_Doubt(damage, found.torn, self._next))

    def _settle(self, body: memoryview) -> None:
        for first, end in RANGE.iter_unpack(body[: len(body) - len(body) % RANGE.size]):
            for segment in overlapping(self._segments, first, end):
                segment.settle(first, end)
            if self._settled and self._settled[-1][1] == first:
                first = self._settled.pop()[0]
            self._settled.append((first, end))

    def _judge(self) -> None:
        for doubt in self._doubts:
            damage = doubt.damage
            elsewhere = [(s.first, s.end) for s in self._segments if s.path != damage.file]
            missing = _uncovered(doubt.first, doubt.end, [*self._settled, *elsewhere])
            lost = min(damage.lost, missing)
            if doubt.torn and (not lost or doubt.end == sys.maxsize):
                self.unfinished += damage.size
            else:
                self.damages.append(replace(damage, lost=lost))

    def _open_again(self, segment: Segment) -> int | None:
        if self._active is not None and segment.path == self.path:
            return os.dup(self._active)
        return _open(segment.path)


def _most(descriptor: int, damage: Damage) -> int:
    """How many messages may have been in damaged bytes."""
    most = damage.size // _LEAST
    if most > 1 and os.pread(descriptor, len(MAGIC), damage.offset) == MAGIC:
        # With a sound head it is one record, which would be unfinished if it were shorter by a byte.
        cut = next(scan(descriptor, damage.offset, damage.offset + damage.size - 1))
        return 1 if isinstance(cut, Damage) and cut.torn else most
    return most


def _uncovered(first: int, end: int, pairs: list[tuple[int, int]]) -> int:
    """How many numbers from `first` to before `end` none of the pairs has."""
    count, at = 0, first
    for start, stop in sorted(pairs):
        count += max(0, min(start, end) - at)
        at = max(at, min(stop, end))
    return count + max(0, end - at)


def _written(descriptor: int) -> datetime:
    return datetime.fromtimestamp(os.fstat(descriptor).st_mtime, timezone.utc)


def _is_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
