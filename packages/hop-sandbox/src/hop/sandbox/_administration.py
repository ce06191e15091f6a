"""Administration of a running Kafka: its users, topics and permissions."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from pathlib import Path
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AdminClient,
    ClusterMetadata,
    NewTopic,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from hop.sandbox._acls import all_of_topic, exactly, group_acls, topic_acls
from hop.sandbox._certificates import CA_FILE, KEY_FILE
from hop.sandbox._configuration import Node
from hop.sandbox._credential import Credential
from hop.sandbox._errors import SandboxError

# Seconds.
_TIMEOUT = 30.0
_PROBE_TIMEOUT = 1.0
_NO_ANSWER = (
    f"Kafka did not do it within {_TIMEOUT:.0f} seconds; is it paused, or are most brokers dead?"
)
_POLL = 0.02
# The least that Kafka allows; these passwords guard nothing that lasts.
_SCRAM_ITERATIONS = 4096
# Brokers come and go here by design: nothing to say about it, and back quickly.
_QUIET: dict[str, str | int] = {
    "log_level": 0,
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 250,
}
_Result = TypeVar("_Result")


def admin_config(folder: Path, nodes: Iterable[Node]) -> dict[str, str | int]:
    """librdkafka's options for a client that may do everything."""
    return {
        "bootstrap.servers": ",".join(node.internal_address for node in nodes),
        "security.protocol": "SSL",
        "ssl.ca.location": str(folder / CA_FILE),
        "ssl.certificate.location": str(folder / KEY_FILE),
        "ssl.key.location": str(folder / KEY_FILE),
    }


class Administration:
    """The administrator of one sandbox.

    Args:
        alive: the nodes whose process runs.
    """

    def __init__(
        self, folder: Path, nodes: Sequence[Node], alive: Callable[[], Collection[int]]
    ) -> None:
        self._alive = alive
        self._nodes = nodes
        self._config = admin_config(folder, nodes)
        self._client = AdminClient({**self._config, **_QUIET})

    def watch(self, nodes: Sequence[Node]) -> Callable[[], bool]:
        """A function that tells whether these nodes are up and know of each other; it takes a second at most a node."""
        wanted = {node.id for node in nodes}

        def knows_all(node: Node) -> bool:
            answer = self._answer(node)
            return answer is not None and wanted <= set(answer.brokers)

        # Each is asked itself: what the others know of it may be old.
        return lambda: all(knows_all(node) for node in nodes)

    def topics(self) -> dict[str, int]:
        """Topics and their number of partitions, without Kafka's own."""
        topics = self._list_topics().topics
        return {
            name: len(topic.partitions)
            for name, topic in sorted(topics.items())
            if not name.startswith("__")
        }

    def leader(self, topic: str, partition: int) -> int:
        """The node that leads a partition; -1 while none does."""
        found = self._list_topics().topics.get(topic)
        if found is None or partition not in found.partitions:
            raise SandboxError(f"there is no partition {partition} of topic {topic!r} here")
        return int(found.partitions[partition].leader)

    def create_topic(self, name: str, partitions: int, user: Credential | None) -> None:
        """Create a topic and wait until it can be written to.

        Args:
            user: one who may use it, whom every broker is to let see it before this returns; None: there is none.
        """
        what = f"create topic {name!r}"
        self._find_controller(what)
        self._do(self._client.create_topics([NewTopic(name, partitions)])[name], what)

        def led() -> bool:
            found = self._list_topics().topics.get(name)
            return (
                found is not None
                and len(found.partitions) == partitions
                and all(partition.leader >= 0 for partition in found.partitions.values())
            )

        self._until(led, what)
        self._until_seen(name, user, what)

    def set_access(
        self, topic: str, read: Collection[str] | None, write: Collection[str] | None
    ) -> None:
        """Let these users, None being everybody, read and write a topic, and nobody else."""
        what = f"set who may use topic {topic!r}"
        self._find_controller(what)
        for future in self._client.delete_acls([all_of_topic(topic)]).values():
            self._do(future, what)
        self._allow(topic_acls(topic, read, write), what)

    def grant(self, user: str, topic: str, *, read: bool, write: bool) -> None:
        """Let a user read or write a topic, besides what is allowed already."""
        acls = topic_acls(topic, [user] if read else [], [user] if write else [])
        self._allow(acls, f"let {user} use topic {topic!r}")

    def set_user(self, credential: Credential) -> None:
        """Make a user known, by this password, to every broker that runs."""
        name = credential.username
        what = f"add user {name!r}"
        self._find_controller(what)
        upsertion = UserScramCredentialUpsertion(
            name,
            ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS),
            credential.password.encode(),
        )
        self._do(self._client.alter_user_scram_credentials([upsertion])[name], what)
        self._allow(group_acls(name), what)
        # The password is known to the controller by now, and to each broker a moment later.
        running = self._alive()
        for node in self._nodes:
            if node.id in running:
                self._until(partial(self._lets_in, node, credential), what)

    def _lets_in(self, node: Node, user: Credential) -> bool:
        return self._answer(node, user) is not None

    def _allow(self, acls: Sequence[AclBinding], what: str) -> None:
        if not acls:
            return
        for future in self._client.create_acls(list(acls)).values():
            self._do(future, what)
        # Kafka answers before the broker that clients ask acts on it.
        last = exactly(acls[-1])
        self._until(lambda: bool(self._do(self._client.describe_acls(last), what)), what)

    def _until_seen(self, topic: str, user: Credential | None, what: str) -> None:
        """Wait until every broker shows a topic, to a user where there is one and to the administrator otherwise.

        A broker may learn of a topic and only then, if in the same breath, of who may use it. One that does not
        answer is waited for until the others take it for dead.
        """
        if len(self._nodes) == 1:
            return  # it was asked already
        seen: set[int] = set()

        def everywhere() -> bool:
            wanted = set(self._list_topics().brokers) & set(self._alive())
            for node in self._nodes:
                if node.id in wanted - seen:
                    answer = self._answer(node, user, topic)
                    if answer is not None and answer.topics[topic].error is None:
                        seen.add(node.id)
            return wanted <= seen

        self._until(everywhere, what)

    def _find_controller(self, what: str) -> None:
        """Let the client know where to send what changes the cluster.

        It would wait, half a minute and more, for a broker that was killed, and so would one that was told of it by
        a broker that does not know yet.
        """
        self._until(lambda: self._list_topics().controller_id in self._alive(), what)

    def _answer(
        self, node: Node, user: Credential | None = None, topic: str = "sys.metadata"
    ) -> ClusterMetadata | None:
        """What one broker itself says to a user, or to the administrator.

        Returns:
            None where it does not answer, or another did in its place.
        """
        if user is None:
            login, address = self._config, node.internal_address
        else:
            login, address = {**user.client_config}, node.address
        client = AdminClient({**login, "bootstrap.servers": address, **_QUIET})
        try:
            answer = client.list_topics(topic, timeout=_PROBE_TIMEOUT)
        except KafkaException:
            return None
        # A client may ask any broker that it has learned of by then; -1 is the one at the address that it was given.
        return answer if answer.orig_broker_id in (-1, node.id) else None

    def _list_topics(self) -> ClusterMetadata:
        try:
            return self._client.list_topics(timeout=_TIMEOUT)
        except KafkaException as exc:
            raise SandboxError(f"cannot ask Kafka for its topics: {_said(exc)}") from exc

    def _do(self, future: Future[_Result], what: str) -> _Result:
        try:
            return future.result(_TIMEOUT)
        except KafkaException as exc:
            raise SandboxError(f"cannot {what}: {_said(exc)}") from exc
        except FutureTimeoutError as exc:
            raise SandboxError(f"cannot {what}: {_NO_ANSWER}") from exc

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _TIMEOUT
        while not condition():
            if time.monotonic() > deadline:
                raise SandboxError(f"cannot {what}: {_NO_ANSWER}")
            time.sleep(_POLL)


def _said(exc: KafkaException) -> str:
    error: KafkaError = exc.args[0]
    return " ".join(error.str().split())
