"""What every broker of one's own offers, whatever is behind it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from types import TracebackType

from hop.sandbox._errors import SandboxError

# Where Hopskotch tells its clients about itself.
METADATA = "sys.metadata"
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


def check_topic(name: str, partitions: int) -> None:
    """Raise `SandboxError` where Kafka would refuse a topic of that name or number of partitions."""
    if not _TOPIC.fullmatch(name) or name in {".", ".."}:
        raise SandboxError(
            f"cannot create topic {name!r}: a name has 1 to 249 letters, digits, '.', '_' or '-'"
        )
    if not 1 <= partitions <= 1000:
        raise SandboxError(
            f"cannot create topic {name!r} with {partitions} partitions: 1 to 1000 are possible here"
        )


def check_port(port: int) -> None:
    """Raise `SandboxError` for what is no port; 0, "one that is free", is allowed."""
    if not 0 <= port <= 65535:
        raise SandboxError(f"cannot listen on port {port}: ports go from 1 to 65535")


class Broker(ABC):
    """A running broker. A context manager: leaving the `with` block stops it."""

    @property
    @abstractmethod
    def address(self) -> str:
        """`host:port` of the broker, what librdkafka calls `bootstrap.servers`."""

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether the broker's process is alive."""

    @abstractmethod
    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Create a topic.

        Raises:
            SandboxError: the name is not one that Kafka allows, or the topic exists.
        """

    @abstractmethod
    def stop(self) -> None:
        """Stop the broker and wait until it is gone. Stopping twice is harmless."""

    def url(self, *topics: str) -> str:
        """The `kafka://` URL of these topics on this broker."""
        return f"kafka://{self.address}/{','.join(topics)}"

    def __enter__(self) -> Broker:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
