"""Configuration of Kafka: ports, server.properties, and how its Java is run."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hop.sandbox._broker import check_port
from hop.sandbox._certificates import ADMINISTRATOR, CA_FILE, KEY_FILE
from hop.sandbox._errors import SandboxError, reason

HOST = "127.0.0.1"
# In a node's folder: what Java unpacks, emptied at each start.
TEMPORARY = "tmp"


@dataclass(frozen=True)
class Node:
    """One Kafka process and its ports: for clients, for the other brokers, for the controllers' quorum."""

    id: int
    port: int
    internal_port: int
    controller_port: int

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def internal_address(self) -> str:
        return f"{HOST}:{self.internal_port}"

    @property
    def voter(self) -> str:
        return f"{self.id}@{HOST}:{self.controller_port}"


def choose_nodes(count: int, port: int, preferred: Sequence[int]) -> list[Node]:
    """Nodes on ports that are free.

    Args:
        port: where clients must find the first node, and the others at the ports after it; 0: anywhere.
        preferred: where clients find the nodes if these ports are free and `port` is 0.

    Raises:
        SandboxError: a port that is asked for is in use.
    """
    check_port(port + count - 1 if port else 0)
    with contextlib.ExitStack() as stack:

        def take(wanted: int) -> int:
            probe = stack.enter_context(socket.socket())
            # As Java does: what a stopped broker left in TIME_WAIT does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, wanted))
            return int(probe.getsockname()[1])

        def client_port(index: int) -> int:
            if port:
                try:
                    return take(port + index)
                except OSError as exc:
                    raise SandboxError(
                        f"cannot listen on {HOST}:{port + index}: {reason(exc)}; "
                        "choose another --port or none"
                    ) from exc
            if index < len(preferred):
                with contextlib.suppress(OSError):
                    return take(preferred[index])
            return take(0)

        # All of the clients' ports first, so that no other takes one that is wanted.
        ports = [client_port(index) for index in range(count)]
        return [Node(index + 1, mine, take(0), take(0)) for index, mine in enumerate(ports)]


def node_folder(folder: Path, node: int) -> Path:
    """What belongs to one node of the sandbox in `folder`."""
    return folder / f"broker-{node}"


def server_properties(node: Node, nodes: Sequence[Node]) -> str:
    """The configuration of one node; paths in it are relative to the sandbox's folder, where Java is run."""
    replicas = min(3, len(nodes))
    # With three copies, one may be lost and writing goes on with two.
    in_sync = max(1, replicas - 1)
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node.id,
        "controller.quorum.voters": ",".join(each.voter for each in nodes),
        "listeners": (
            f"SASL_SSL://{node.address},INTERNAL://{node.internal_address},"
            f"CONTROLLER://{HOST}:{node.controller_port}"
        ),
        "advertised.listeners": f"SASL_SSL://{node.address},INTERNAL://{node.internal_address}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INTERNAL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": KEY_FILE,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": CA_FILE,
        # Other users of the machine reach these ports too, so a certificate is asked for where there is no password.
        "listener.name.internal.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "super.users": f"User:{ADMINISTRATOR}",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "log.dirs": node_folder(Path(), node.id) / "data",
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        # A consumer group has its first message at once, not after three seconds.
        "group.initial.rebalance.delay.ms": 0,
        # Tests that kill a member of a group do not want to wait six seconds until it is missed.
        "group.min.session.timeout.ms": 500,
        # A broker that was killed is given up, and may come back, after this time rather than nine seconds.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        # Made for one person, not for a thousand: less memory, fewer files.
        "log.cleaner.dedupe.buffer.size": 4 << 20,
        "background.threads": 2,
        "num.io.threads": 4,
        "num.network.threads": 2,
    }
    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        settings[f"{topic}.num.partitions"] = 5
        settings[f"{topic}.replication.factor"] = replicas
    settings["transaction.state.log.min.isr"] = in_sync
    settings["share.coordinator.state.topic.min.isr"] = in_sync
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def java_command(java: Path, jars: Iterable[Path], folder: Path) -> list[str]:
    """How Java is run for a node, up to the name of the main class; its own files go to the node's `folder`."""
    return [
        str(java),
        "-Xms64m",
        "-Xmx256m",
        # The smallest. Java's second compiler stays: without it TLS takes ten times as long.
        "-XX:+UseSerialGC",
        # It would leave a file in the system's temporary folder when it is killed, as would native libraries.
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={folder / TEMPORARY}",
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={folder}/java-error.log",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
        # Prints every setting there is, several times.
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
        "-cp",
        os.pathsep.join(str(jar) for jar in jars),
    ]
