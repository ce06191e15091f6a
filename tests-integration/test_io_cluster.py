"""hop-io on three brokers: a leader that dies, a thousand topics, permissions on the cluster, sizes at the limit."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from hop.auth import Auth
from hop.io import DeliveryError, StartPosition, Stream, list_topics
from hop.sandbox import KafkaBroker, kafka_broker

ME, STRANGER = "hop", "stranger"


@pytest.fixture(scope="module")
def hop_kafka() -> Iterator[KafkaBroker]:
    with kafka_broker(users=[ME, STRANGER], brokers=3) as broker:
        yield broker


@pytest.fixture(scope="module")
def admin(hop_kafka: KafkaBroker) -> AdminClient:
    return AdminClient({**hop_kafka.admin_config, "log_level": 0})


def credential(broker: KafkaBroker, name: str) -> Auth:
    user = broker.users[name]
    return Auth(user.username, user.password, ssl_ca_location=str(broker.ca_file))


@pytest.fixture
def auth(hop_kafka: KafkaBroker) -> Auth:
    return credential(hop_kafka, ME)


@pytest.fixture
def topic(hop_kafka: KafkaBroker, request: pytest.FixtureRequest) -> str:
    """A topic of the user `hop`; nobody else may write to any topic here."""
    name = str(request.node.name)
    hop_kafka.create_topic(name, read=[ME], write=[ME])
    return name


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < end, f"not within 40 s: {what}"
        time.sleep(0.05)


def allow(admin: AdminClient, *bindings: AclBinding) -> None:
    for future in admin.create_acls(list(bindings)).values():
        future.result(30)


def everything(auth: Auth) -> Stream:
    return Stream(auth=auth, start_at=StartPosition.EARLIEST, until_eos=True)


class Writing(threading.Thread):
    """Writes one number after the other, and has them delivered.

    Attributes:
        delivered: how many have been, as `flush` said.
        error: with what it ended.
    """

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.delivered = 0
        self.error: Exception | None = None
        self._stream = stream
        self._over = threading.Event()

    def run(self) -> None:
        try:
            while not self._over.is_set():
                for number in range(self.delivered, self.delivered + 20):
                    self._stream.write(number)
                assert self._stream.flush() == 0
                self.delivered += 20
        except Exception as exc:
            self.error = exc

    def stop(self) -> None:
        self._over.set()
        self.join()

    def reach(self, count: int) -> None:
        """Wait until so many more are delivered."""
        count += self.delivered
        until(lambda: self.delivered >= count or self.error is not None, "writing goes on")
        assert self.error is None


def test_writing_and_reading_go_on_when_the_leader_dies(
    hop_kafka: KafkaBroker, auth: Auth, topic: str
) -> None:
    url = hop_kafka.url(topic)
    numbers: list[Any] = []
    consumer = Stream(auth=auth, start_at=StartPosition.EARLIEST).open(url)
    reading = threading.Thread(target=lambda: numbers.extend(m.content for m in consumer))
    with Stream(auth=auth).open(url, "w") as producer:
        writing = Writing(producer)
        reading.start()
        writing.start()
        try:
            writing.reach(100)
            leader = hop_kafka.leader(topic)
            hop_kafka.kill(leader)
            writing.reach(100)
            until(lambda: hop_kafka.leader(topic) != leader, "another leader")
            hop_kafka.restart(leader)
            writing.reach(100)
        finally:
            writing.stop()
            end = time.monotonic() + 30
            while len(numbers) < writing.delivered and time.monotonic() < end:
                time.sleep(0.02)
            consumer.stop()
            reading.join()
            consumer.close()
    assert writing.error is None
    assert numbers == list(range(writing.delivered))
    with everything(auth).open(url) as s:
        assert [message.content for message in s] == numbers


def test_a_thousand_topics_are_listed_and_none_that_is_not_to_be_seen(
    hop_kafka: KafkaBroker, admin: AdminClient, auth: Auth
) -> None:
    mine = [f"mine-{number:03}" for number in range(1000)]
    others = [f"theirs-{number}" for number in range(10)]
    created = admin.create_topics([NewTopic(name, 1, 1) for name in (*mine, *others)])
    for future in created.values():
        future.result(60)
    allow(
        admin,
        AclBinding(
            ResourceType.TOPIC,
            "mine-",
            ResourcePatternType.PREFIXED,
            f"User:{ME}",
            "*",
            AclOperation.DESCRIBE,
            AclPermissionType.ALLOW,
        ),
    )
    url = f"kafka://{hop_kafka.address}/"
    end = time.monotonic() + 30
    # Each broker learns of topics and permissions a moment after the other.
    while not set(mine) <= (found := list_topics(url, auth=auth)).keys():
        assert time.monotonic() < end, f"{len(found)} topics are listed"
        time.sleep(0.1)
    assert [name for name in found if name.startswith(("mine-", "theirs-"))] == mine
    assert "sys.metadata" in found
    assert all(found[name].error is None and len(found[name].partitions) == 1 for name in mine)
    seen = list_topics(url, auth=credential(hop_kafka, STRANGER))
    assert "sys.metadata" in seen
    assert not seen.keys() & {*mine, *others}
    some = f"{url}mine-007,theirs-1,nowhere"
    until(lambda: list(list_topics(some, auth=auth)) == ["mine-007"], "those that are named")


def test_permission_to_write_is_all_that_an_idempotent_producer_needs(
    hop_kafka: KafkaBroker, auth: Auth, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Since Kafka 3.0 (KIP-679): the user has no permission whatever on the cluster.
    client = AdminClient({"bootstrap.servers": hop_kafka.address, **auth()})
    resource = ConfigResource(ResourceType.BROKER, "1")
    with pytest.raises(Exception, match="CLUSTER_AUTHORIZATION_FAILED"):
        client.describe_configs([resource])[resource].result(30)
    with (
        caplog.at_level(logging.INFO, "hop.io"),
        Stream(auth=auth).open(hop_kafka.url(topic), "w") as s,
    ):
        for number in range(10):
            s.write(number)
    assert caplog.records == []
    with everything(auth).open(hop_kafka.url(topic)) as s:
        assert [message.content for message in s] == list(range(10))


def test_who_is_refused_an_idempotent_producer_writes_without_as_soon_as_allowed(
    hop_kafka: KafkaBroker, auth: Auth, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Who may not write to any topic may not have an idempotent producer either.
    url = hop_kafka.url(topic)
    hop_kafka.grant(STRANGER, topic, read=True)
    stranger = credential(hop_kafka, STRANGER)
    for address in hop_kafka.bootstrap_servers.split(","):
        at = f"kafka://{address}/"
        until(lambda at=at: topic in list_topics(at, auth=stranger), "no topic")  # type: ignore[misc]
    with Stream(auth=stranger).open(url, "w") as s, caplog.at_level(logging.INFO, "hop.io"):
        s.write("too soon")
        with pytest.raises(DeliveryError, match=r"a message was not delivered.*[Aa]uthoriz"):
            s.flush()
        hop_kafka.grant(STRANGER, topic, write=True)
        end = time.monotonic() + 20
        while True:
            try:
                s.write("now")
                assert s.flush() == 0
                break
            except DeliveryError:  # a broker, or the stream, that has not heard of it
                assert time.monotonic() < end
        for number in range(10):
            s.write(number)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "does not allow idempotent producers" in record.getMessage()
    assert "going on without" in record.getMessage()
    with everything(auth).open(url) as s:
        assert [message.content for message in s] == ["now", *range(10)]


@pytest.fixture
def limit(admin: AdminClient, topic: str) -> int:
    """The topic's limit, smaller than any other that there is."""
    limit = 200_000
    entry = ConfigEntry(
        "max.message.bytes", str(limit), incremental_operation=AlterConfigOpType.SET
    )
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)
    return limit


def test_messages_of_no_bytes_of_the_limit_and_of_one_more(
    hop_kafka: KafkaBroker, auth: Auth, topic: str, limit: int
) -> None:
    url = hop_kafka.url(topic)

    def write(size: int) -> None:
        with Stream(auth=auth).open(url, "w", automatic_offload=False) as s:
            s.write(bytes(size))

    too_large = (
        rf"not delivered to {topic} at .*size is too large \((\d+) bytes, of at most {limit}\)"
    )
    with pytest.raises(DeliveryError, match=too_large) as raised:
        write(limit)
    # What is around a body counts, too.
    found = re.search(too_large, str(raised.value))
    assert found is not None
    largest = limit - (int(found[1]) - limit)
    with pytest.raises(DeliveryError, match=rf"{topic}.*\({limit + 1} bytes, of at most {limit}\)"):
        write(largest + 1)
    write(0)
    write(largest)
    with everything(auth).open(url) as s:
        assert [message.content for message in s] == [b"", bytes(largest)]
    # Little is given away: the broker itself refuses what is a little larger.
    with Stream(auth=auth).open(url, "w") as producer:
        errors: list[Any] = []
        raw = producer.librdkafka
        raw.produce(topic, bytes(limit), on_delivery=lambda error, _: errors.append(error))
        raw.flush(30)
        assert [error.name() for error in errors] == ["MSG_SIZE_TOO_LARGE"]
    assert limit - largest < 500
