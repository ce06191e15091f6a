"""Deciding about the system calls of a program that has called `seccomp.be_watched`.

They can be made, made to fail, cut short, noted; or the program is killed instead.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from faults import seccomp

# struct seccomp_notif: id, pid, flags; number, architecture, instruction pointer, six arguments
_REQUEST = struct.Struct("=QII iIQ 6Q")
# struct seccomp_notif_resp: id, value, error, flags
_RESPONSE = struct.Struct("=QqiI")
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1
_PATH_MAX = 4096
_INT = struct.Struct("=i")


@dataclass(frozen=True)
class Call:
    """A system call that is about to be made on a file of the journal's folder.

    Attributes:
        number: how many there were before it.
        name: `pwrite`, `rename`, …
        path: the file's.
        inode: the open file's, 0 where a path is given.
        data: what is to be written.
        offset: where to write or read, or how long to make the file.
        target: the new path, of `rename`.
        flags: of `openat`.
    """

    number: int
    name: str
    path: Path
    inode: int = 0
    data: bytes = b""
    offset: int = 0
    target: Path | None = None
    flags: int = 0


@dataclass(frozen=True)
class Fail:
    """Let the call fail with this error."""

    code: int


@dataclass(frozen=True)
class Short:
    """Let only so many bytes be written."""

    size: int


class Kill:
    """Kill the program before the call is made."""


Decision = Fail | Short | Kill | None
Decide = Callable[[Call], Decision]


class Watcher:
    """Watches one program, in a thread of its own.

    Args:
        folder: the journal's; calls on other files are not touched.
        decide: called with each call; None lets it be made.

    Attributes:
        channel: the descriptor that the program is to inherit and call `be_watched` with.
        calls: how many there were.
        killed: whether the program was killed here.
        error: what went wrong here.
    """

    def __init__(self, folder: Path, decide: Decide) -> None:
        self._folder = folder
        self._decide = decide
        self._end, theirs = socket.socketpair()
        self.channel = theirs.detach()
        self.calls = 0
        self.killed = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def started(self) -> None:
        """The program has inherited its end of the channel."""
        os.close(self.channel)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for the program to end."""
        self._thread.join(30)
        self._end.close()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            _, descriptors, _, _ = socket.recv_fds(self._end, 1, 1)
            if not descriptors:
                return
            [listener] = descriptors
            try:
                self._serve(listener)
            finally:
                os.close(listener)
        except BaseException as exc:
            self.error = exc

    def _serve(self, listener: int) -> None:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while True:
            [(_, event)] = poll.poll()
            if not event & select.POLLIN:
                return  # the program has ended
            try:
                request = fcntl.ioctl(listener, _RECEIVE, bytes(_REQUEST.size))
            except FileNotFoundError:
                continue  # it was killed in the meantime
            identity, task, _, number, _, _, *arguments = _REQUEST.unpack(request)
            try:
                call = self._call(task, seccomp.calls()[number], arguments)
                decision = None if call is None else self._decide(call)
                answer = self._answer(task, arguments, call, decision)
            except (FileNotFoundError, ProcessLookupError):
                answer = (0, 0, _CONTINUE)
            if answer is not None:
                try:
                    fcntl.ioctl(listener, _SEND, _RESPONSE.pack(identity, *answer))
                except FileNotFoundError:
                    continue

    def _call(self, task: int, name: str, arguments: list[int]) -> Call | None:
        """The call, if it is on a file of the journal's folder."""
        data, offset, target, flags, inode = b"", 0, None, 0, 0
        if name in ("openat", "unlinkat", "renameat"):
            path = self._text(task, arguments[1])
            flags = arguments[2] if name == "openat" else 0
            if name == "renameat":
                target = self._text(task, arguments[3])
        elif name in ("rename", "unlink"):
            path = self._text(task, arguments[0])
            if name == "rename":
                target = self._text(task, arguments[1])
        else:
            link = Path(f"/proc/{task}/fd/{arguments[0]}")
            path = Path(str(link.readlink()).removesuffix(" (deleted)"))
            inode = link.stat().st_ino
            offset = arguments[1] if name == "ftruncate" else arguments[3]
        if self._folder not in (path, path.parent):
            return None
        if name == "pwrite":
            data = self._memory(task, arguments[1], arguments[2])
        self.calls += 1
        short = name.removesuffix("at") if name in ("unlinkat", "renameat") else name
        return Call(self.calls - 1, short, path, inode, data, offset, target, flags)

    def _answer(
        self, task: int, arguments: list[int], call: Call | None, decision: Decision
    ) -> tuple[int, int, int] | None:
        if call is None or decision is None:
            return 0, 0, _CONTINUE
        if isinstance(decision, Fail):
            return 0, -decision.code, 0
        if isinstance(decision, Short):
            descriptor = os.open(f"/proc/{task}/fd/{arguments[0]}", os.O_WRONLY)
            try:
                return os.pwrite(descriptor, call.data[: decision.size], call.offset), 0, 0
            finally:
                os.close(descriptor)
        self.killed = True
        os.kill(task, signal.SIGKILL)
        return None

    def _text(self, task: int, address: int) -> Path:
        # A path may end just before memory that is not there.
        text = b""
        while b"\0" not in text and len(text) < _PATH_MAX:
            at = address + len(text)
            text += self._memory(task, at, 256 - at % 256)
        return Path(os.fsdecode(text.split(b"\0")[0]))

    def _memory(self, task: int, address: int, size: int) -> bytes:
        with open(f"/proc/{task}/mem", "rb", buffering=0) as file:  # noqa: PTH123 - not by that name
            parts = []
            while size:
                part = os.pread(file.fileno(), size, address)
                if not part:
                    raise OSError(errno.EFAULT, "cannot read the program's memory")
                parts.append(part)
                address += len(part)
                size -= len(part)
        return b"".join(parts)
