"""`kafka://[user@]host[:port]/topic[,topic…]`: what is accepted, and what is said of the rest."""

from __future__ import annotations

import pytest

from hop.io import KafkaURL, parse_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("kafka://h/t", KafkaURL(None, "h:9092", ("t",))),
        ("kafka://h:1234/t", KafkaURL(None, "h:1234", ("t",))),
        ("kafka://h", KafkaURL(None, "h:9092", ())),
        ("kafka://h/", KafkaURL(None, "h:9092", ())),
        (
            "kafka://h/gcn.circulars,igwn.gwalert",
            KafkaURL(None, "h:9092", ("gcn.circulars", "igwn.gwalert")),
        ),
        ("kafka://alice@h/t", KafkaURL("alice", "h:9092", ("t",))),
        ("kafka://alice%40x.org@h:1/t", KafkaURL("alice@x.org", "h:1", ("t",))),
        ("kafka://[::1]/t", KafkaURL(None, "[::1]:9092", ("t",))),
        ("kafka://alice@[2001:db8::7]:19092/t", KafkaURL("alice", "[2001:db8::7]:19092", ("t",))),
        ("KAFKA://Kafka.scimma.ORG/t", KafkaURL(None, "Kafka.scimma.ORG:9092", ("t",))),
        ("kafka://h/a%2Db", KafkaURL(None, "h:9092", ("a-b",))),
    ],
)
def test_a_url_is_taken_apart(url: str, expected: KafkaURL) -> None:
    assert parse_url(url) == expected


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "does not start with 'kafka://'"),
        ("h/t", "does not start with 'kafka://'"),
        ("http://h/t", "does not start with 'kafka://'"),
        ("kafka:h/t", "does not start with 'kafka://'"),
        ("kafka:///t", "the host is missing"),
        ("kafka://", "the host is missing"),
        ("kafka://:9092/t", "the host is missing"),
        ("kafka://alice@/t", "the host is missing"),
        ("kafka://@h/t", "the user name before '@' is empty"),
        ("kafka://h:/t", "'' is no port"),
        ("kafka://h:0/t", "'0' is no port"),
        ("kafka://h:65536/t", "'65536' is no port"),
        ("kafka://h:nine/t", "'nine' is no port"),
        ("kafka://h:٩/t", "'٩' is no port"),
        ("kafka://::1/t", "no host name"),
        ("kafka://[::1/t", "no host name"),
        ("kafka://a_b-/t", "'a_b-' is no host name"),
        ("kafka://h1,h2/t", "more than one broker"),
        ("kafka://h1:9092,h2:9092/t", "more than one broker"),
        ("kafka://h/a,", "'' is no topic name"),
        ("kafka://h/,a", "'' is no topic name"),
        ("kafka://h/a/b", "'a/b' is no topic name"),
        ("kafka://h/..", "'..' is no topic name"),
        ("kafka://h/%20", "' ' is no topic name"),
        ("kafka://h/" + "x" * 250, "is no topic name"),
        ("kafka://h/t?x=1", "'?' and '#' have no meaning"),
        ("kafka://h/t#x", "'?' and '#' have no meaning"),
        ("kafka://h/t t", "white space"),
        ("kafka://h/t\n", "white space or control characters"),
    ],
)
def test_a_malformed_url_is_a_value_error_that_says_which_part(url: str, part: str) -> None:
    with pytest.raises(ValueError, match="invalid Kafka URL") as raised:
        parse_url(url)
    assert part in str(raised.value)
    assert "kafka://[user@]host[:port]/topic[,topic…]" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="it contains a password") as raised:
        parse_url("kafka://alice:secret@h/t")
    assert "secret" not in str(raised.value)
