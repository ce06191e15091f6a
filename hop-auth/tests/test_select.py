from __future__ import annotations

import pytest

from hop.auth import Auth, CredentialSelectionError, select_matching_auth

ANY = Auth("alice", "pa55")
HOST = Auth("alice", "pa55", "kafka.example")
PORT = Auth("alice", "pa55", "kafka.example:9093")
OTHER = Auth("alice", "pa55", "other.example")
BOB = Auth("bob", "pa55", "kafka.example")
BOB_ANY = Auth("bob", "pa55")


def test_the_only_one_for_no_particular_host_is_for_all() -> None:
    assert select_matching_auth([ANY], "kafka.example") is ANY
    assert select_matching_auth([ANY], "other.example:9094") is ANY


def test_a_matching_host_comes_first() -> None:
    assert select_matching_auth([ANY, HOST, OTHER], "kafka.example") is HOST
    assert select_matching_auth([BOB, ANY, OTHER], "kafka.example") is BOB
    assert select_matching_auth([ANY, OTHER], "kafka.example") is ANY


def test_the_user_comes_before_the_host() -> None:
    creds = [ANY, BOB, OTHER]
    assert select_matching_auth(creds, "kafka.example", "alice") is ANY
    assert select_matching_auth(creds, "kafka.example", "bob") is BOB
    assert select_matching_auth(creds, "other.example", username="alice") is OTHER
    assert select_matching_auth([ANY, BOB_ANY], "kafka.example", "bob") is BOB_ANY


@pytest.mark.parametrize("username", [None, ""])
def test_no_user_name_is_any(username: str | None) -> None:
    assert select_matching_auth([BOB, OTHER], "kafka.example", username) is BOB


@pytest.mark.parametrize(
    ("valid_for", "hostname"),
    [
        ("kafka.example", "kafka.example:9092"),
        ("kafka.example", "kafka.example:1234"),
        ("kafka.example:9092", "kafka.example"),
        ("kafka.example:9092", "kafka.example:9092"),
        ("Kafka.EXAMPLE", "kAFKA.example:9092"),
        ("kafka.example.", "kafka.example"),
        ("kafka.example", "kafka.example."),
        ("::1", "[::1]:9092"),
        ("[::1]:9092", "[::1]"),
        ("[::1]", "::1"),
        ("2001:DB8:0::1", "[2001:db8::1]:9092"),
    ],
)
def test_hosts_that_match(valid_for: str, hostname: str) -> None:
    auth = Auth("carol", "pa55", valid_for)
    assert select_matching_auth([ANY, auth], hostname) is auth


@pytest.mark.parametrize(
    ("valid_for", "hostname"),
    [
        ("kafka.example:9093", "kafka.example"),
        ("kafka.example:9093", "kafka.example:9094"),
        ("example", "kafka.example"),
        ("kafka.example", "kafka.example.org"),
        ("[::1]:9093", "[::1]:9092"),
        ("::1", "[::2]:9092"),
    ],
)
def test_hosts_that_do_not_match(valid_for: str, hostname: str) -> None:
    auth = Auth("carol", "pa55", valid_for)
    assert select_matching_auth([auth, ANY], hostname) is ANY
    with pytest.raises(CredentialSelectionError) as caught:
        select_matching_auth([auth], hostname)
    assert f"no credential is for {hostname}" in str(caught.value)
    assert f"carol for {valid_for}" in str(caught.value)


def test_host_and_port_come_before_the_host() -> None:
    assert select_matching_auth([HOST, PORT], "kafka.example:9093") is PORT
    assert select_matching_auth([HOST, PORT], "kafka.example") is HOST


def test_the_same_twice_is_one() -> None:
    assert select_matching_auth([ANY, Auth("alice", "pa55")], "kafka.example") == ANY
    assert select_matching_auth(iter([ANY]), "kafka.example") == ANY


def test_two_users_for_the_host() -> None:
    with pytest.raises(CredentialSelectionError) as caught:
        select_matching_auth([HOST, BOB, ANY, OTHER], "kafka.example:9092")
    assert str(caught.value) == (
        "2 credentials match kafka.example:9092, alice for kafka.example, bob for kafka.example: "
        "name the user in the URL, like kafka://alice@kafka.example:9092/topic"
    )


def test_two_users_for_any_host() -> None:
    with pytest.raises(CredentialSelectionError, match="2 credentials match h, alice, bob: name"):
        select_matching_auth([ANY, BOB_ANY], "h")


def test_two_credentials_of_one_user() -> None:
    twice = [ANY, Auth("alice", "0ther")]
    for username in (None, "alice"):
        with pytest.raises(CredentialSelectionError, match="remove all but one with `hop auth rem"):
            select_matching_auth(twice, "kafka.example", username)


def test_no_credential_of_the_user() -> None:
    with pytest.raises(CredentialSelectionError) as caught:
        select_matching_auth([HOST, BOB_ANY], "kafka.example", "carol")
    assert str(caught.value) == (
        "no credential of user carol is for kafka.example, but only alice for kafka.example, bob: "
        "add one with `hop auth add`, or name another user in the URL"
    )


def test_no_credential_at_all() -> None:
    with pytest.raises(RuntimeError, match="No valid credential data found") as caught:
        select_matching_auth([], "kafka.example")
    assert "You can get a credential from https://my.hop.scimma.org" in str(caught.value)
    assert "To load your credential, run `hop auth add`" in str(caught.value)


def test_messages_are_short_and_hold_no_secret() -> None:
    many = [Auth(f"user{number}", "pa55") for number in range(1000)]
    with pytest.raises(CredentialSelectionError) as caught:
        select_matching_auth(many, "kafka.example")
    assert "user9 and 990 more" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "pa55" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("hostname", ["", "kafka://kafka.example", "a:9092,b:9092", "host:port"])
def test_what_is_not_a_broker_is_said_to_be_so(hostname: str) -> None:
    with pytest.raises(CredentialSelectionError, match="not a broker's host or host:port"):
        select_matching_auth([ANY], hostname)
