"""The memory broker: librdkafka's mock cluster in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hop.sandbox._broker import Broker, check_port, check_topic
from hop.sandbox._child import Child
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
        check_port(port)
        self._child = Child("hop.sandbox._server", str(port))
        try:
            self._address: str = self._child.receive()["address"]
        except BrokenPipeError as exc:
            self.stop()
            raise SandboxError(
                "the memory broker's process ended unexpectedly; its error is above"
            ) from exc
        except BaseException:
            self.stop()
            raise

    @property
    def address(self) -> str:
        return self._address

    def create_topic(self, name: str, partitions: int = 1) -> None:
        check_topic(name, partitions)
        try:
            self._child.ask(["create_topic", name, partitions])
        except BrokenPipeError as exc:
            raise SandboxError(f"cannot create topic {name!r}: the broker has stopped") from exc

    def fail(self, request: str, error: int, times: int = 1) -> None:
        """Answer the next requests of a kind with an error, to see what a program makes of it.

        Args:
            request: the protocol's name for it: `Produce`, `Fetch`, `Metadata`, `InitProducerId`, …
            error: the code of the error, as in `confluent_kafka.KafkaError.NOT_LEADER_FOR_PARTITION`.
            times: how many requests.

        Raises:
            SandboxError: there is no such request, or the broker has stopped.
        """
        try:
            self._child.ask(["fail", request, error, times])
        except BrokenPipeError as exc:
            raise SandboxError(f"cannot let {request} fail: the broker has stopped") from exc

    @property
    def pid(self) -> int:
        """The broker's process."""
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    def stop(self) -> None:
        self._child.stop(_STOP_TIMEOUT)

    def __enter__(self) -> MemoryBroker:
        return self


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
