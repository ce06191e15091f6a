"""Streams stay in the process that opened them: librdkafka's threads don't follow into a forked child."""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakSet

from hop.io._errors import ForkedStreamError

_origins: WeakSet[Origin] = WeakSet()


def _in_child() -> None:
    for origin in _origins:
        origin.forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


class Origin:
    """Remembers in which process it was made.

    Attributes:
        forked: whether this is another process, a child. It is asked with every message.
    """

    __slots__ = ("__weakref__", "forked")

    def __init__(self) -> None:
        self.forked = False
        _origins.add(self)

    def check(self) -> None:
        """Raise what is to be raised where a stream is used in another process than it was opened in.

        Raises:
            ForkedStreamError: this is a child.
        """
        if self.forked:
            raise ForkedStreamError(
                "the stream was opened in another process; open one in each process"
            )


def keep_for_ever(client: Any) -> None:
    """Never take down a client that a child has inherited: without its threads librdkafka would hang, or abort."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(client))
