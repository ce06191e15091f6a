"""hop-io on Apache Kafka: what the memory broker can't show. Users, TLS, permissions, times, transactions, growth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from hop.auth import Auth
from hop.io import (
    AuthenticationError,
    AuthorizationError,
    ConnectError,
    DeliveryError,
    StartPosition,
    Stream,
    StreamError,
)
from hop.sandbox import KafkaBroker, MemoryBroker

GROUP: dict[str, Any] = {"session.timeout.ms": 1000, "heartbeat.interval.ms": 200}


@pytest.fixture
def auth(hop_kafka: KafkaBroker) -> Auth:
    user = hop_kafka.users["hop"]
    return Auth(user.username, user.password, ssl_ca_location=str(hop_kafka.ca_file))


@pytest.fixture(scope="module")
def stranger(hop_kafka: KafkaBroker) -> Auth:
    """Somebody with an account and no permissions beyond those that everybody has."""
    user = hop_kafka.add_user("stranger")
    return Auth(user.username, user.password, ssl_ca_location=str(hop_kafka.ca_file))


@pytest.fixture
def url(hop_kafka: KafkaBroker, hop_kafka_topic: str) -> str:
    return hop_kafka.url(hop_kafka_topic)


@pytest.fixture
def write(auth: Auth, url: str) -> Callable[[Iterable[Any]], None]:
    def write(messages: Iterable[Any]) -> None:
        with Stream(auth=auth).open(url, "w") as stream:
            for message in messages:
                stream.write(message)

    return write


def contents(messages: Iterable[Any]) -> list[Any]:
    return [message.content for message in messages]


def everything(auth: Auth) -> Stream:
    return Stream(auth=auth, start_at=StartPosition.EARLIEST, until_eos=True)


def test_what_is_written_is_read_and_names_its_sender(auth: Auth, url: str, write: Any) -> None:
    write(["one", {"two": 2}])
    with everything(auth).open(url) as s:
        read = list(s.read(metadata=True))
    assert [message.content for message, _ in read] == ["one", {"two": 2}]
    assert all(("_sender", b"hop") in (metadata.headers or ()) for _, metadata in read)


def test_a_stream_without_a_group_leaves_none_behind(
    hop_kafka: KafkaBroker, auth: Auth, url: str, write: Any
) -> None:
    write(range(3))
    admin = AdminClient(hop_kafka.admin_config)

    def groups() -> set[str]:
        listed = admin.list_consumer_groups(request_timeout=10).result()
        return {group.group_id for group in listed.valid}

    before = groups()
    with everything(auth).open(url) as s:
        assert contents(s) == [0, 1, 2]
    assert groups() == before


def test_a_group_goes_on_where_it_left_off(auth: Auth, url: str, write: Any) -> None:
    write(range(4))
    with everything(auth).open(url, "r", "hop-shift") as s:
        messages = iter(s)
        assert [next(messages).content for _ in range(2)] == [0, 1]
    with everything(auth).open(url, "r", "hop-shift") as s:
        assert contents(s) == [2, 3]


@pytest.mark.parametrize("mode", ["r", "w"])
def test_a_wrong_password_is_told_at_once(hop_kafka: KafkaBroker, url: str, mode: Any) -> None:
    wrong = Auth("hop", "not-the-password", ssl_ca_location=str(hop_kafka.ca_file))
    start = time.monotonic()
    with pytest.raises(AuthenticationError, match="does not accept the credential") as raised:
        Stream(auth=wrong).open(url, mode)
    assert time.monotonic() - start < 15
    assert "not-the-password" not in str(raised.value)
    assert "hop auth" in str(raised.value)
    assert isinstance(raised.value, PermissionError)


def test_an_authority_that_nobody_knows_is_told(hop_kafka: KafkaBroker, url: str) -> None:
    user = hop_kafka.users["hop"]
    with pytest.raises(ConnectError, match=r"certificate verify failed.*ssl_ca_location"):
        Stream(auth=Auth(user.username, user.password)).open(url)


def test_a_host_name_that_is_not_in_the_certificate(
    hop_kafka: KafkaBroker, auth: Auth, hop_kafka_topic: str
) -> None:
    # The same address, written in a way that the certificate does not name.
    url = hop_kafka.url(hop_kafka_topic).replace("127.0.0.1", "127.1")
    with pytest.raises(ConnectError, match=r"127\.1:\d+: .*the host name has to be one"):
        Stream(auth=auth).open(url)


def test_a_member_that_another_one_takes_the_place_of_is_told(
    auth: Auth, url: str, write: Any
) -> None:
    write(range(3))
    options = {**GROUP, "group.instance.id": "telescope", "session.timeout.ms": 6000}
    first = everything(auth).open(url, "r", "hop-fenced", until_eos=False, **options)
    messages = iter(first)
    assert next(messages).content == 0
    second = everything(auth).open(url, "r", "hop-fenced", **options)
    reading = threading.Thread(target=lambda: list(second))
    reading.start()
    with pytest.raises(StreamError, match=r"same group\.instance\.id") as raised:
        list(messages)
    assert raised.value.args[0].fatal()
    first.close()
    reading.join()
    second.close()


def test_a_mechanism_that_the_broker_does_not_have_is_told(
    hop_kafka: KafkaBroker, url: str
) -> None:
    user = hop_kafka.users["hop"]
    auth = Auth(
        user.username, user.password, method="PLAIN", ssl_ca_location=str(hop_kafka.ca_file)
    )
    with pytest.raises(AuthenticationError, match=r"SCRAM-SHA-512.*credential's mechanism"):
        Stream(auth=auth).open(url)


def test_no_tls_to_a_port_with_tls_is_told(url: str) -> None:
    with pytest.raises(ConnectError, match=r"the port may be one with TLS.*SASL_SSL"):
        Stream(auth=False).open(url, timeout=3)


def test_tls_to_a_port_without_is_told(hop_broker: MemoryBroker, auth: Auth) -> None:
    with pytest.raises(ConnectError, match="at 127"):
        Stream(auth=auth).open(hop_broker.url("gcn"), timeout=3)


def test_a_topic_that_does_not_exist_is_told(hop_kafka: KafkaBroker, auth: Auth) -> None:
    # Who has no permission on a topic is not told by Kafka whether it exists.
    for mode in ("r", "w"):
        with pytest.raises(AuthorizationError, match="there is no such topic, or"):
            Stream(auth=auth).open(hop_kafka.url("nowhere"), mode)  # type: ignore[call-overload]


def test_a_topic_without_permission_is_told(hop_kafka: KafkaBroker, stranger: Auth) -> None:
    hop_kafka.create_topic("closed", read=["hop"], write=["hop"])
    start = time.monotonic()
    for mode in ("r", "w"):
        with pytest.raises(AuthorizationError, match=r"closed.*not authorised"):
            Stream(auth=stranger).open(hop_kafka.url("closed"), mode)  # type: ignore[call-overload]
    assert time.monotonic() - start < 15


def test_a_topic_to_read_only_is_told_when_it_is_written_to(
    hop_kafka: KafkaBroker, stranger: Auth
) -> None:
    hop_kafka.create_topic("read-only", read=["stranger"], write=["hop"])
    stream = Stream(auth=stranger).open(hop_kafka.url("read-only"), "w")
    stream.write("no")
    stream.write("no")
    with pytest.raises(
        DeliveryError, match=r"2 messages were not delivered.*[Aa]uthoriz"
    ) as raised:
        stream.close()
    assert raised.value.count == 2
    assert raised.value.args[0].code() == confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_topic_to_write_only_is_told_when_it_is_read(
    hop_kafka: KafkaBroker, stranger: Auth
) -> None:
    hop_kafka.create_topic("write-only", read=["hop"], write=["stranger"])
    start = time.monotonic()
    with (
        pytest.raises(AuthorizationError, match="not authorised"),
        Stream(auth=stranger).open(hop_kafka.url("write-only")) as s,
    ):
        next(iter(s))
    assert time.monotonic() - start < 15


def test_a_group_without_permission_is_told(auth: Auth, url: str) -> None:
    start = time.monotonic()
    with (
        pytest.raises(
            AuthorizationError, match=r"reading test_a_group.*not authorised.*your user name"
        ),
        Stream(auth=auth).open(url, "r", "somebody-elses-group") as s,
    ):
        next(iter(s))
    assert time.monotonic() - start < 15


def test_what_the_broker_finds_too_large_is_raised(
    hop_kafka: KafkaBroker, hop_kafka_topic: str, auth: Auth, url: str
) -> None:
    limit = ConfigEntry("max.message.bytes", "10000", incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ResourceType.TOPIC, hop_kafka_topic, incremental_configs=[limit])
    admin = AdminClient(hop_kafka.admin_config)
    admin.incremental_alter_configs([topic])[topic].result(10)
    # Small enough for nobody to have asked what the topic takes.
    stream = Stream(auth=auth).open(url, "w", idempotent=False, **{"batch.size": 1})
    stream.write("fine")
    stream.flush()
    stream.write(b"x" * 50_000)
    with pytest.raises(DeliveryError, match=r"a message was not delivered.*too large"):
        stream.flush()
    stream.write("fine, too")
    assert stream.close() == 0
    with everything(auth).open(url) as s:
        assert contents(s) == ["fine", "fine, too"]


def test_reading_starts_at_a_time(auth: Auth, url: str, write: Any) -> None:
    write(["early"])
    time.sleep(1.1)
    between = datetime.now(timezone.utc)
    time.sleep(0.1)
    write(["late"])
    for start_at, expected in (
        (between, ["late"]),
        (between.astimezone(timezone(timedelta(hours=-7))), ["late"]),
        (timedelta(hours=1), ["early", "late"]),
        (timedelta(seconds=0), []),
        (between + timedelta(days=1), []),
        (datetime(1960, 1, 1, tzinfo=timezone.utc), ["early", "late"]),
    ):
        with Stream(auth=auth, start_at=start_at, until_eos=True).open(url) as s:
            assert contents(s) == expected, start_at


def test_what_retention_has_deleted_is_passed_over_and_nothing_more(
    hop_kafka: KafkaBroker, auth: Auth, url: str, hop_kafka_topic: str, write: Any
) -> None:
    write(range(10))
    with (
        pytest.raises(ZeroDivisionError),
        everything(auth).open(url, "r", "hop-late", **GROUP) as s,
    ):
        for message in s:
            if message.content == 2:
                raise ZeroDivisionError
    admin = AdminClient(hop_kafka.admin_config)
    for deleted in admin.delete_records([TopicPartition(hop_kafka_topic, 0, 6)]).values():
        deleted.result(10)
    # The group's committed offset is gone, whatever the stream would start with.
    with Stream(auth=auth, until_eos=True).open(url, "r", "hop-late", **GROUP) as s:
        assert contents(s) == [6, 7, 8, 9]
    with Stream(auth=auth, start_at=StartPosition.EARLIEST).open(url) as s:
        assert s.lag() == {(hop_kafka_topic, 0): 4}
        assert [message.content for message in islice(s, 4)] == [6, 7, 8, 9]
        assert s.lag() == {(hop_kafka_topic, 0): 0}
    with everything(auth).open(url, start_at={(hop_kafka_topic, 0): 3}) as s:
        assert contents(s) == [6, 7, 8, 9]


def test_the_end_is_seen_behind_aborted_messages(
    hop_kafka: KafkaBroker, auth: Auth, url: str, hop_kafka_topic: str, write: Any
) -> None:
    write(["kept"])
    producer = confluent_kafka.Producer(
        {**hop_kafka.admin_config, "transactional.id": hop_kafka_topic}
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for _ in range(10):
        producer.produce(hop_kafka_topic, b"aborted")
    producer.flush(10)
    producer.abort_transaction(30)
    start = time.monotonic()
    with everything(auth).open(url) as s:
        assert contents(s) == ["kept"]
    assert time.monotonic() - start < 10


def test_partitions_that_a_topic_grows_are_read(
    hop_kafka: KafkaBroker, auth: Auth, url: str, hop_kafka_topic: str, write: Any
) -> None:
    options = {"topic.metadata.refresh.interval.ms": 500}
    with Stream(auth=auth).open(url, **options) as s:
        messages = iter(s)
        write(["before"])
        assert next(messages).content == "before"
        admin = AdminClient(hop_kafka.admin_config)
        for future in admin.create_partitions([NewPartitions(hop_kafka_topic, 8)]).values():
            future.result(30)
        time.sleep(1)
        with Stream(auth=auth).open(url, "w") as stream:
            for number in range(64):
                stream.write(number, key=str(number))
        giving_up = threading.Timer(20, s.stop)
        giving_up.start()
        assert {message.content for message in islice(messages, 64)} == set(range(64))
        giving_up.cancel()


def test_one_message_is_read_promptly(auth: Auth, url: str, write: Any) -> None:
    write(["one"])
    start = time.monotonic()
    for _ in range(5):
        with everything(auth).open(url) as s:
            assert contents(s) == ["one"]
    # A group's first join, or the usual wait of a fetch, would each take seconds for five.
    assert time.monotonic() - start < 8


def test_messages_from_nothing_to_a_megabyte(auth: Auth, url: str, write: Any) -> None:
    sizes = [0, 1, 1000, 100_000, 900_000]
    write(b"x" * size for size in sizes)
    with everything(auth).open(url) as s:
        assert [len(body) for body in s.read_raw()] == sizes


def test_until_eos_a_member_that_joins_a_group_waits_for_its_share(
    hop_kafka: KafkaBroker, auth: Auth
) -> None:
    hop_kafka.create_topic("joining", 2)
    url = hop_kafka.url("joining")
    first = everything(auth).open(url, "r", "hop-joining", until_eos=False, **GROUP)
    reading = threading.Thread(target=lambda: list(first.read(autocommit=False)))
    reading.start()
    end = time.monotonic() + 20
    while len(first.lag()) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    with Stream(auth=auth).open(url, "w") as producer:
        for number in range(100):
            producer.write(number, key=str(number))
    # The first member has both partitions, and gives one up because of the second.
    with everything(auth).open(url, "r", "hop-joining", **GROUP) as second:
        places = {metadata.partition for _, metadata in second.read(metadata=True)}
    first.stop()
    reading.join()
    first.close()
    assert len(places) == 1


def test_until_eos_a_member_for_whom_nothing_is_left_ends(auth: Auth, url: str, write: Any) -> None:
    write(range(3))
    first = everything(auth).open(url, "r", "hop-nothing-left", until_eos=False, **GROUP)
    assert next(iter(first)).content == 0
    reading = threading.Thread(target=lambda: list(first))
    reading.start()
    with everything(auth).open(url, "r", "hop-nothing-left", **GROUP) as second:
        assert list(second) == []
    first.stop()
    reading.join()
    first.close()
