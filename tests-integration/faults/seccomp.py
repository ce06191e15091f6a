"""Letting another process decide about one's system calls: Linux's seccomp with user notification.

The program calls `be_watched`; whoever started it has the other end of the socket, on which `listener` receives the
descriptor that a `Watcher` works with. No privilege is needed, and neither ptrace nor a compiler.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct

# The calls that a journal makes on its files, by number; the name is what `Watcher` calls them.
_NUMBERS = {
    "x86_64": {
        17: "pread",
        18: "pwrite",
        74: "fsync",
        75: "fdatasync",
        77: "ftruncate",
        82: "rename",
        87: "unlink",
        257: "openat",
        263: "unlinkat",
        264: "renameat",
    },
    "aarch64": {
        67: "pread",
        68: "pwrite",
        82: "fsync",
        83: "fdatasync",
        46: "ftruncate",
        56: "openat",
        35: "unlinkat",
        38: "renameat",
    },
}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_NEW_LISTENER = 8
_NOTIFY = 0x7FC00000
_ALLOW = 0x7FFF0000
# Classic BPF: load a word of the call's data, compare and jump, return.
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_INSTRUCTION = struct.Struct("HBBI")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def calls() -> dict[int, str]:
    """The system calls that are watched on this machine, by number."""
    return _NUMBERS[platform.machine()]


def be_watched(channel: int) -> None:
    """Let the calls of this thread, and of those that it starts, be decided by whoever has the socket's other end."""
    machine = platform.machine()
    numbers = list(calls())
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 0, len(numbers) + 1, _ARCHITECTURE[machine]),
        (_LOAD, 0, 0, _NUMBER_AT),
        *((_JUMP_IF_EQUAL, len(numbers) - i, 0, number) for i, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _NOTIFY),
    ]
    packed = b"".join(_INSTRUCTION.pack(*instruction) for instruction in code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    program = _Program(len(code), packed)
    listener = libc.syscall(
        _SECCOMP[machine], _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(program)
    )
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    with socket.socket(fileno=channel) as end:
        socket.send_fds(end, [b"-"], [listener])
    os.close(listener)
