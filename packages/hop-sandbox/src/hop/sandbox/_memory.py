"""The memory broker: librdkafka's mock cluster in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping

from hop.sandbox._broker import Broker, check_topic
from hop.sandbox._errors import SandboxError

# A process that was told to stop and did not within this time (seconds) is killed.
_STOP_TIMEOUT = 5.0


class MemoryBroker(Broker):
    """A broker that keeps its messages in memory and forgets them when it stops.

    Topics that somebody writes to come into being with four partitions, unless created before.

    Args:
        port: the port of 127.0.0.1 to listen on; 0 takes one that is free.

    Raises:
        SandboxError: the port is not to be had, or the broker's process did not start.
    """

    def __init__(self, port: int = 0) -> None:
        if not 0 <= port <= 65535:
            raise SandboxError(f"cannot listen on port {port}: ports go from 1 to 65535")
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hop.sandbox._server", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # What lies in the current folder is not what the broker is made of.
            env={**os.environ, "PYTHONSAFEPATH": "1"},
            # A Ctrl-C is for the program that uses the broker; this decides when the broker goes.
            start_new_session=True,
        )
        try:
            self._address = self._receive()["address"]
        except BaseException:
            self.stop()
            raise

    @property
    def address(self) -> str:
        return self._address

    def create_topic(self, name: str, partitions: int = 1) -> None:
        check_topic(name, partitions)
        assert self._process.stdin is not None
        with self._lock:
            try:
                self._process.stdin.write(json.dumps([name, partitions]) + "\n")
                self._process.stdin.flush()
            except (OSError, ValueError) as exc:
                raise SandboxError(f"cannot create topic {name!r}: the broker has stopped") from exc
            self._receive()

    @property
    def pid(self) -> int:
        """The broker's process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the broker's process is alive."""
        return self._process.poll() is None

    def stop(self) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        if not process.stdin.closed:
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass  # it is gone already
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def __enter__(self) -> MemoryBroker:
        return self

    def _receive(self) -> dict[str, str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SandboxError("the memory broker's process ended unexpectedly; its error is above")
        answer: dict[str, str] = json.loads(line)
        if "error" in answer:
            raise SandboxError(answer["error"])
        return answer


def memory_broker(topics: Mapping[str, int] | Iterable[str] = (), *, port: int = 0) -> MemoryBroker:
    """Start a memory broker; use it in a `with` block, or call its `stop`.

    Args:
        topics: topics to create, either names or a mapping from names to numbers of partitions (default 1).
        port: the port of 127.0.0.1 to listen on; 0, the default, takes one that is free.

    Raises:
        SandboxError: the port is not to be had, or a topic can't be created.
    """
    if isinstance(topics, str):
        topics = [topics]
    wanted = dict(topics) if isinstance(topics, Mapping) else dict.fromkeys(topics, 1)
    broker = MemoryBroker(port)
    try:
        for name, partitions in wanted.items():
            broker.create_topic(name, partitions)
    except BaseException:
        broker.stop()
        raise
    return broker
