"""The Kafka broker: Apache Kafka itself, with TLS, users and permissions."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Sequence
from pathlib import Path

from hop.sandbox._broker import Broker, check_port, check_topic
from hop.sandbox._certificates import CA_FILE, make_certificates
from hop.sandbox._configuration import HOST, Node, choose_nodes
from hop.sandbox._credential import (
    Credential,
    check_user,
    credential_file,
    new_password,
    unknown_user,
)
from hop.sandbox._download import KAFKA_VERSION, kafka_jars
from hop.sandbox._errors import SandboxError
from hop.sandbox._failure import PortTakenError
from hop.sandbox._java import find_java
from hop.sandbox._process import Processes
from hop.sandbox._state import State, new_cluster, number_of_brokers, read_state


class KafkaBroker(Broker):
    """One to nine Kafka brokers, as `kafka_broker` starts them; they are numbered from 1.

    Attributes:
        folder: where the sandbox lives: certificates, credentials, topics, logs.
        ca_file: the certificate authority for clients to trust.
        users: each user's credential, by name.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        brokers: int | None = None,
        port: int = 0,
        java: str | os.PathLike[str] | None = None,
    ) -> None:
        check_port(port)
        state = read_state(folder) if folder is not None else None
        count = number_of_brokers(brokers, folder, state)
        nodes = choose_nodes(count, port, state.ports if state else [])
        runtime = find_java(java), kafka_jars()
        self._cluster = state.cluster if state else new_cluster()
        self._temporary = folder is None
        self._processes = Processes(folder, state is not None, *runtime)
        self.folder = self._processes.folder
        self.ca_file = self.folder / CA_FILE
        self.users: dict[str, Credential] = {}
        try:
            make_certificates(self.folder)
            try:
                self._launch(nodes)
            except PortTakenError:
                # Another program was quicker; twice in a row is no accident.
                self._processes.end([node.id for node in nodes], gracefully=False)
                self._launch(choose_nodes(count, port, []))
        except BaseException:
            self._processes.close()
            raise

    def _launch(self, nodes: Sequence[Node]) -> None:
        # Only who starts a broker loads confluent-kafka.
        from hop.sandbox._administration import Administration

        self._nodes = nodes
        self._administration = Administration(self.folder, nodes, self._processes.running)
        self._processes.configure(nodes)
        self._processes.format([node.id for node in nodes], self._cluster)
        self._start(self._chosen(None))

    @property
    def address(self) -> str:
        """`host:port` of a broker that runs: of the first, as long as it does."""
        running = self.nodes
        return next((n.address for n in self._nodes if n.id in running), self._nodes[0].address)

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every broker, running or not, separated by commas."""
        return ",".join(node.address for node in self._nodes)

    @property
    def nodes(self) -> list[int]:
        """The numbers of the brokers whose process is alive, paused ones too."""
        return self._processes.running()

    @property
    def running(self) -> bool:
        return bool(self.nodes)

    @property
    def pids(self) -> dict[int, int]:
        """The process of each broker that is alive."""
        return {node: self._processes.pids[node] for node in self.nodes}

    @property
    def logs(self) -> dict[int, Path]:
        """Kafka's own log of each broker."""
        return self._processes.logs()

    @property
    def admin_config(self) -> dict[str, str | int]:
        """librdkafka's options for a client that may do everything: write to `sys.metadata`, alter topics."""
        from hop.sandbox._administration import admin_config

        return admin_config(self.folder, self._nodes)

    def topics(self) -> dict[str, int]:
        """The topics and their number of partitions, without Kafka's own."""
        self._check_running("list the topics")
        return self._administration.topics()

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        *,
        read: Collection[str] | None = None,
        write: Collection[str] | None = None,
    ) -> None:
        """Create a topic, with up to three copies where there are several brokers, and wait until each of them has it.

        Args:
            read: the users who may read it; None, the default: everybody.
            write: the users who may write it; None, the default: everybody.

        Raises:
            SandboxError: the name is not one that Kafka allows, the topic exists, or there is no such user.
        """
        check_topic(name, partitions)
        self._check_running(f"create topic {name!r}")
        if name in self._administration.topics():
            raise SandboxError(f"cannot create topic {name!r}: it exists")
        # Permissions first: whoever sees the topic may use it.
        self.set_access(name, read=read, write=write)
        # None is everybody.
        users = self.users if read is None or write is None else {*read, *write}
        user = next((self.users[user] for user in users), None)
        self._administration.create_topic(name, partitions, user)

    def set_access(
        self, topic: str, *, read: Collection[str] | None, write: Collection[str] | None
    ) -> None:
        """Let these users, None being everybody, read and write a topic, and nobody else from now on.

        Raises:
            SandboxError: there is no such user.
        """
        self._check_running(f"set who may use topic {topic!r}")
        for user in (*(read or ()), *(write or ())):
            self._check_known(user)
        self._administration.set_access(topic, read, write)

    def add_user(self, name: str, password: str | None = None) -> Credential:
        """Add a user, or change the password of one; also writes the user's credential file.

        Args:
            password: None, the default, makes one up, or leaves the one that the user has.

        Raises:
            SandboxError: the name or the password is none that a user can have.
        """
        check_user(name, password)
        self._check_running(f"add user {name!r}")
        if password is None:
            password = self.users[name].password if name in self.users else new_password()
        credential = Credential(
            username=name,
            password=password,
            # A credential without a port is for all of them.
            hostname=self._nodes[0].address if len(self._nodes) == 1 else HOST,
            ssl_ca_location=self.ca_file,
            file=credential_file(self.folder, name),
            bootstrap_servers=self.bootstrap_servers,
        )
        self._administration.set_user(credential)
        credential.write()
        self.users[name] = credential
        return credential

    def grant(self, user: str, topic: str, *, read: bool = False, write: bool = False) -> None:
        """Let a user read a topic, write it, or both, besides what is allowed already.

        Raises:
            SandboxError: there is no such user or topic.
        """
        self._check_known(user)
        if topic not in self.topics():
            raise SandboxError(
                f"cannot let {user} use topic {topic!r}: there is no such topic; create it first"
            )
        self._administration.grant(user, topic, read=read, write=write)

    def leader(self, topic: str, partition: int = 0) -> int:
        """The number of the broker that leads a partition; -1 while none does."""
        self._check_running(f"find the leader of topic {topic!r}")
        return self._administration.leader(topic, partition)

    def kill(self, node: int | None = None) -> None:
        """End a broker, or all of them, as a crash would; `restart` brings it back with what it stored."""
        self._processes.end(self._chosen(node), gracefully=False)

    def pause(self, node: int | None = None) -> None:
        """Stop a broker, or all of them, in the middle of what it does: its connections stay and nothing answers."""
        self._processes.signal(self._chosen(node), signal.SIGSTOP)

    def resume(self, node: int | None = None) -> None:
        """Let a paused broker, or all of them, go on."""
        self._processes.signal(self._chosen(node), signal.SIGCONT)

    def restart(self, node: int | None = None) -> None:
        """End a broker, or all of them, in good order unless it is dead, and start it again at the same address.

        Raises:
            KafkaStartError: it did not come back.
        """
        nodes = self._chosen(node)
        self._processes.end(nodes, gracefully=True)
        self._start(nodes)

    def stop(self) -> None:
        """Stop for good and wait until it is gone. Stopping twice is harmless.

        What was in a temporary folder is gone with it, credentials included.
        """
        if not self._temporary and self.running:
            self._processes.end(self._chosen(None), gracefully=True)
        self._processes.close()

    def __enter__(self) -> KafkaBroker:
        return self

    def keep(self) -> None:
        """Let the folder, unless it is temporary, outlive the broker; what a start does when all went well."""
        if not self._temporary:
            State(KAFKA_VERSION, self._cluster, [node.port for node in self._nodes]).write(
                self.folder
            )
            self._processes.keep()

    def _start(self, nodes: Sequence[int]) -> None:
        watched = [node for node in self._nodes if node.id in nodes]
        self._processes.start(nodes, self._administration.watch(watched))

    def _chosen(self, node: int | None) -> list[int]:
        numbers = [each.id for each in self._nodes]
        if node is None:
            return numbers
        if node not in numbers:
            raise SandboxError(f"there is no broker {node} here: they go from 1 to {numbers[-1]}")
        return [node]

    def _check_running(self, what: str) -> None:
        if not self.running:
            raise SandboxError(f"cannot {what}: the broker has stopped")

    def _check_known(self, user: str) -> None:
        if user not in self.users:
            raise unknown_user(user, self.users)
