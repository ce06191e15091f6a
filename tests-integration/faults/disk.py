"""A disk that loses its power: what may be on it after any of the calls that a program made.

What was written since a file was last brought to disk may be there or not, each sector for itself, and so may the
file's new length; the same goes for each change of a name since the folder was brought to disk.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from faults.watcher import Call

from hop.robust_publisher import PublicationJournal

SECTOR = 512

Keep = Callable[[], bool]


@dataclass
class _File:
    """A file: what is on disk for certain, and what was done to it since: (offset, data), or (length, None)."""

    safe: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def content(self, keep: Keep) -> bytes:
        """What may be on disk: of each sector, and of the length, any version that there was since then."""
        cache = bytearray(self.safe)
        length = len(cache)
        sectors = {at: self.safe[at : at + SECTOR] for at in range(0, length, SECTOR)}
        behind: set[int] = set()  # sectors, and -1 for the length, that stay at an older version
        for at, data in self.since:
            end = max(at + len(data), len(cache)) if data is not None else at
            changed = range(at, at + len(data)) if data is not None else range(at, len(cache))
            cache[end:] = bytes(max(0, end - len(cache)))
            if data is not None:
                cache[at : at + len(data)] = data
            if -1 not in behind and end != length:
                if keep():
                    length = end
                else:
                    behind.add(-1)
            for sector in range(changed.start - changed.start % SECTOR, changed.stop, SECTOR):
                if sector not in behind:
                    if keep():
                        sectors[sector] = bytes(cache[sector : sector + SECTOR])
                    else:
                        behind.add(sector)
        places = range(0, length, SECTOR)
        whole = b"".join(sectors.get(at, b"").ljust(SECTOR, b"\0") for at in places)
        return whole[:length]


class Disk:
    """Takes note of calls in their order.

    Args:
        files: what is on it at the beginning.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._safe = {name: _File(content) for name, content in (files or {}).items()}
        self._since: list[list[tuple[str, _File | None]]] = []
        self._names = dict(self._safe)

    def note(self, call: Call) -> None:
        name = call.path.name
        file = self._names.get(name)
        if call.name == "openat" and call.flags & os.O_CREAT:
            if file is None:
                self._change((name, _File()))
            elif call.flags & os.O_TRUNC:
                file.since.append((0, None))
        elif call.name == "rename" and file is not None and call.target is not None:
            self._change((name, None), (call.target.name, file))
        elif call.name == "unlink" and file is not None:
            self._change((name, None))
        elif call.name == "fsync" and file is None:
            self._safe, self._since = dict(self._names), []
        elif file is not None and call.name == "pwrite":
            file.since.append((call.offset, call.data))
        elif file is not None and call.name == "ftruncate":
            file.since.append((call.offset, None))
        elif file is not None and call.name in ("fdatasync", "fsync"):
            file.safe, file.since = file.content(lambda: True), []

    def state(self, keep: Keep) -> dict[str, bytes]:
        """Files by name, as they may be after a power failure; `keep` says of each thing whether it got there."""
        names = dict(self._safe)
        for change in self._since:
            if keep():
                _apply(names, change)
        return {name: file.content(keep) for name, file in names.items()}

    def _change(self, *change: tuple[str, _File | None]) -> None:
        _apply(self._names, change)
        self._since.append([*change])


def _apply(names: dict[str, _File], change: Iterable[tuple[str, _File | None]]) -> None:
    for name, file in change:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def keeping(chance: random.Random, states: int) -> Iterator[Keep]:
    """What may get there: nothing, everything, and this and that."""
    yield lambda: False
    yield lambda: True
    for _ in range(states):
        share = chance.random()
        yield lambda share=share: chance.random() < share  # type: ignore[misc]


def found(folder: Path, state: dict[str, bytes]) -> set[int]:
    """What a journal gives that is opened on such files."""
    for file in folder.iterdir():
        file.unlink()
    for name, content in state.items():
        (folder / name).write_bytes(content)
    numbers = set()
    with PublicationJournal(folder / "publisher.journal") as journal:
        while (message := journal.get_next_message_to_send()) is not None:
            numbers.add(int(message.message.split()[0]))
        journal.queue_message(b"and it goes on")
    return numbers
