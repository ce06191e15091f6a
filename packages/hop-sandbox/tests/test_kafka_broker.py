"""What users may and may not do on a Kafka broker: TLS, passwords, permissions. One broker for all of these tests."""

from __future__ import annotations

import csv
import socket
import ssl
import stat
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from hop.sandbox import Broker, Credential, KafkaBroker, SandboxError

Produce = Callable[..., list[str | None]]
Read = Callable[..., list[Message]]


def new_user(broker: KafkaBroker) -> Credential:
    return broker.add_user(f"user-{uuid4().hex[:8]}")


def new_topic(broker: KafkaBroker, **access: Collection[str] | None) -> str:
    name = f"topic-{uuid4().hex[:8]}"
    broker.create_topic(name, **access)
    return name


def login_error(config: Mapping[str, str | int]) -> str | None:
    """The name of the first error that a client of this configuration meets; None when it can log in."""
    errors: list[KafkaError] = []
    client = Producer({**config, "log_level": 0, "error_cb": errors.append})
    end = time.monotonic() + 15
    while not errors and time.monotonic() < end:
        client.poll(0.05)
        try:
            client.list_topics(timeout=0.2)
            return None
        except KafkaException:
            pass
    # The first says why; what follows is that all brokers are down.
    return errors[0].name() if errors else "nothing was said"


def test_what_is_written_is_read_with_key_and_headers(
    hop_kafka: KafkaBroker, hop_kafka_topic: str, produce: Produce, read: Read
) -> None:
    config = hop_kafka.users["hop"].client_config
    assert config["security.protocol"] == "SASL_SSL"
    assert config["sasl.mechanism"] == "SCRAM-SHA-512"
    assert produce(config, hop_kafka_topic, b"one", b"two") == [None, None]
    messages = read(config, hop_kafka_topic, 2)
    assert [message.value() for message in messages] == [b"one", b"two"]
    assert messages[0].key() == b"k"
    assert messages[0].headers() == [("h", b"v"), ("none", None)]


def test_it_is_a_broker_with_a_url(hop_kafka: KafkaBroker) -> None:
    assert isinstance(hop_kafka, Broker)
    assert hop_kafka.url("gcn", "igwn") == f"kafka://{hop_kafka.address}/gcn,igwn"
    assert hop_kafka.bootstrap_servers == hop_kafka.address
    assert hop_kafka.running
    assert hop_kafka.nodes == [1]


def test_a_wrong_password_is_refused(hop_kafka: KafkaBroker) -> None:
    config = hop_kafka.users["hop"].client_config
    assert login_error(config) is None
    assert login_error({**config, "sasl.password": "wrong"}) == "_AUTHENTICATION"


def test_an_unknown_user_is_refused(hop_kafka: KafkaBroker) -> None:
    config = hop_kafka.users["hop"].client_config
    assert login_error({**config, "sasl.username": "nobody"}) == "_AUTHENTICATION"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_the_certificate_is_for_every_name_of_this_machine(
    hop_kafka: KafkaBroker, host: str
) -> None:
    context = ssl.create_default_context(cafile=hop_kafka.ca_file)
    address, _, port = hop_kafka.address.rpartition(":")
    with (
        socket.create_connection((address, int(port)), 10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        assert secure.version() in {"TLSv1.2", "TLSv1.3"}


def test_only_the_sandbox_s_own_authority_vouches_for_it(hop_kafka: KafkaBroker) -> None:
    address, _, port = hop_kafka.address.rpartition(":")
    with (
        socket.create_connection((address, int(port)), 10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


def test_the_administrator_s_port_is_closed_to_who_has_no_certificate(
    hop_kafka: KafkaBroker,
) -> None:
    config = hop_kafka.admin_config
    assert login_error(config) is None
    bare = {
        key: config[key] for key in ("bootstrap.servers", "security.protocol", "ssl.ca.location")
    }
    assert login_error(bare) in {"_SSL", "_TRANSPORT"}


def test_permissions_are_for_the_users_named(
    hop_kafka: KafkaBroker, produce: Produce, read: Read
) -> None:
    reader, writer, stranger = (new_user(hop_kafka) for _ in range(3))
    topic = new_topic(hop_kafka, read=[reader.username], write=[writer.username])
    assert produce(writer.client_config, topic, b"one") == [None]
    assert produce(reader.client_config, topic, b"two") == ["TOPIC_AUTHORIZATION_FAILED"]
    assert produce(stranger.client_config, topic, b"three") == ["TOPIC_AUTHORIZATION_FAILED"]
    assert [message.value() for message in read(reader.client_config, topic, 1)] == [b"one"]
    for user in (writer, stranger):
        with pytest.raises(KafkaException) as caught:
            read(user.client_config, topic, 1)
        assert caught.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_topic_that_a_user_may_not_use_is_not_shown_to_the_user(hop_kafka: KafkaBroker) -> None:
    insider, outsider = new_user(hop_kafka), new_user(hop_kafka)
    topic = new_topic(hop_kafka, read=[insider.username], write=[])
    seen = [
        topic in AdminClient(user.client_config).list_topics(timeout=10).topics
        for user in (insider, outsider)
    ]
    assert seen == [True, False]


def test_grant_adds_to_what_is_allowed(
    hop_kafka: KafkaBroker, produce: Produce, read: Read
) -> None:
    one, other = new_user(hop_kafka), new_user(hop_kafka)
    topic = new_topic(hop_kafka, read=[], write=[one.username])
    assert produce(other.client_config, topic, b"no") == ["TOPIC_AUTHORIZATION_FAILED"]
    hop_kafka.grant(other.username, topic, read=True, write=True)
    assert produce(other.client_config, topic, b"yes") == [None]
    assert produce(one.client_config, topic, b"still") == [None]
    values = [message.value() for message in read(other.client_config, topic, 2)]
    assert values == [b"yes", b"still"]


def test_set_access_replaces_what_is_allowed(hop_kafka: KafkaBroker, produce: Produce) -> None:
    one, other = new_user(hop_kafka), new_user(hop_kafka)
    topic = new_topic(hop_kafka, write=[one.username])
    hop_kafka.set_access(topic, read=None, write=[other.username])
    assert produce(other.client_config, topic, b"yes") == [None]
    assert produce(one.client_config, topic, b"no") == ["TOPIC_AUTHORIZATION_FAILED"]


def test_who_may_use_a_topic_learns_its_largest_message(hop_kafka: KafkaBroker) -> None:
    user = new_user(hop_kafka)
    topic = new_topic(hop_kafka, read=[user.username], write=[])
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    client = AdminClient(user.client_config)
    settings = client.describe_configs([resource])[resource].result(10)
    assert int(settings["max.message.bytes"].value) > 1_000_000


def test_a_user_s_groups_start_with_the_user_s_name(
    hop_kafka: KafkaBroker, hop_kafka_topic: str, produce: Produce, read: Read
) -> None:
    user = new_user(hop_kafka)
    produce(user.client_config, hop_kafka_topic, b"one")
    for group in (user.username, f"{user.username}-shift"):
        assert len(read(user.client_config, hop_kafka_topic, 1, group)) == 1
    with pytest.raises(KafkaException) as caught:
        read(user.client_config, hop_kafka_topic, 1, f"shift-{user.username}")
    assert caught.value.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_a_consumer_group_has_its_first_message_without_a_wait(
    hop_kafka: KafkaBroker, hop_kafka_topic: str, produce: Produce, read: Read
) -> None:
    config = hop_kafka.users["hop"].client_config
    produce(config, hop_kafka_topic, b"one")
    # The first group of all has a topic made for it.
    read(config, hop_kafka_topic, 1)
    began = time.monotonic()
    assert len(read(config, hop_kafka_topic, 1)) == 1
    # Kafka's own delay for a group's first member is three seconds.
    assert time.monotonic() - began < 2.5


def test_sys_metadata_is_read_by_all_and_written_by_the_administrator(
    hop_kafka: KafkaBroker, produce: Produce, read: Read
) -> None:
    user = new_user(hop_kafka)
    assert produce(user.client_config, "sys.metadata", b"{}") == ["TOPIC_AUTHORIZATION_FAILED"]
    assert produce(hop_kafka.admin_config, "sys.metadata", b'{"a": 1}') == [None]
    assert read(user.client_config, "sys.metadata", 1)[0].value() == b'{"a": 1}'


def test_users_create_no_topics(hop_kafka: KafkaBroker, produce: Produce) -> None:
    user = new_user(hop_kafka)
    client = AdminClient(user.client_config)
    name = f"topic-{uuid4().hex[:8]}"
    with pytest.raises(KafkaException) as caught:
        client.create_topics([NewTopic(name, 1)])[name].result(10)
    assert caught.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert None not in produce(user.client_config, name, b"x", seconds=2)
    assert name not in hop_kafka.topics()


def test_a_topic_has_its_partitions(hop_kafka: KafkaBroker) -> None:
    name = f"topic-{uuid4().hex[:8]}"
    hop_kafka.create_topic(name, 3)
    assert hop_kafka.topics()[name] == 3
    assert hop_kafka.leader(name, 2) == 1
    with pytest.raises(SandboxError, match=f"no partition 3 of topic '{name}'"):
        hop_kafka.leader(name, 3)


def test_a_topic_that_exists_is_refused_and_keeps_its_permissions(
    hop_kafka: KafkaBroker, produce: Produce
) -> None:
    user = new_user(hop_kafka)
    topic = new_topic(hop_kafka, write=[])
    with pytest.raises(SandboxError, match=f"cannot create topic '{topic}': it exists"):
        hop_kafka.create_topic(topic)
    assert produce(user.client_config, topic, b"no") == ["TOPIC_AUTHORIZATION_FAILED"]


@pytest.mark.parametrize("name", ["", ".", "with space", "x" * 250, "new\nline"])
def test_a_name_that_kafka_refuses_is_refused(hop_kafka: KafkaBroker, name: str) -> None:
    with pytest.raises(SandboxError, match="a name has 1 to 249 letters"):
        hop_kafka.create_topic(name)


def test_permissions_for_nobody_known_are_refused(
    hop_kafka: KafkaBroker, hop_kafka_topic: str
) -> None:
    with pytest.raises(
        SandboxError, match=r"there is no user 'carol' here, only hop.*; add the user"
    ):
        hop_kafka.create_topic("for-carol", read=["carol"])
    assert "for-carol" not in hop_kafka.topics()
    with pytest.raises(SandboxError, match="there is no user 'carol' here"):
        hop_kafka.grant("carol", hop_kafka_topic, read=True)
    with pytest.raises(SandboxError, match="no such topic; create it first"):
        hop_kafka.grant("hop", "missing", read=True)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a/b", "ü", "x" * 101, "../a"])
def test_a_name_that_no_user_can_have_is_refused(hop_kafka: KafkaBroker, name: str) -> None:
    with pytest.raises(SandboxError, match=r"cannot add user .*: a name has 1 to 100 letters"):
        hop_kafka.add_user(name)


@pytest.mark.parametrize("password", ["", "new\nline", "ü", "x" * 201])
def test_an_impossible_password_is_refused_and_not_repeated(
    hop_kafka: KafkaBroker, password: str
) -> None:
    with pytest.raises(SandboxError, match="cannot add user 'dave': a password has") as caught:
        hop_kafka.add_user("dave", password)
    assert not password or password not in str(caught.value)
    assert "dave" not in hop_kafka.users


def test_a_chosen_password_works_whatever_is_in_it(hop_kafka: KafkaBroker) -> None:
    password = "a \"b\",c='d';e:\\f"
    user = hop_kafka.add_user(f"user-{uuid4().hex[:8]}", password)
    assert user.password == password
    assert login_error(user.client_config) is None


def test_adding_a_user_again_keeps_the_password_or_changes_it(hop_kafka: KafkaBroker) -> None:
    first = new_user(hop_kafka)
    assert hop_kafka.add_user(first.username) == first
    changed = hop_kafka.add_user(first.username, "another")
    assert login_error(changed.client_config) is None
    assert login_error(first.client_config) == "_AUTHENTICATION"


def test_passwords_that_are_made_up_differ_and_are_not_shown(hop_kafka: KafkaBroker) -> None:
    one, other = new_user(hop_kafka), new_user(hop_kafka)
    assert one.password != other.password
    assert len(one.password) >= 20
    assert one.password not in repr(one)


def test_the_credential_file_is_what_hop_auth_add_takes(hop_kafka: KafkaBroker) -> None:
    user = hop_kafka.add_user(f"user-{uuid4().hex[:8]}", 'with "quotes", and commas')
    with user.file.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {
            "username": user.username,
            "password": 'with "quotes", and commas',
            "hostname": hop_kafka.address,
            "mechanism": "SCRAM-SHA-512",
            "protocol": "SASL_SSL",
            "ssl_ca_location": str(hop_kafka.ca_file),
        }
    ]


def test_only_the_owner_reads_what_is_secret(hop_kafka: KafkaBroker) -> None:
    secret = [hop_kafka.folder, hop_kafka.folder / "broker.pem", hop_kafka.users["hop"].file]
    assert [stat.S_IMODE(path.stat().st_mode) & 0o077 for path in secret] == [0, 0, 0]
    commands = subprocess.run(["ps", "-Aww", "-o", "args"], capture_output=True, text=True)
    assert "kafka.Kafka" in commands.stdout
    assert hop_kafka.users["hop"].password not in commands.stdout


def test_it_takes_less_than_700_megabytes(hop_kafka: KafkaBroker) -> None:
    pid = str(hop_kafka.pids[1])
    told = subprocess.run(["ps", "-o", "rss=", "-p", pid], capture_output=True, text=True)
    assert 50_000 < int(told.stdout) < 700_000


def test_there_is_no_broker_of_another_number(hop_kafka: KafkaBroker) -> None:
    for method in (hop_kafka.kill, hop_kafka.pause, hop_kafka.resume, hop_kafka.restart):
        with pytest.raises(SandboxError, match="there is no broker 2 here: they go from 1 to 1"):
            method(2)
    assert hop_kafka.nodes == [1]
