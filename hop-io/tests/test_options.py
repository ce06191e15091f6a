"""librdkafka's options: which are passed on, and what hop does where a broker does not go along."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError

from hop.io import (
    AuthorizationError,
    DeliveryError,
    StartPosition,
    Stream,
    StreamError,
    librdkafka_options,
)
from hop.sandbox import MemoryBroker, memory_broker


def contents_of(url: str) -> list[Any]:
    with Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True).open(url) as s:
        return [message.content for message in s]


def test_what_is_an_option_of_librdkafka_and_what_is_ignored() -> None:
    given = {"linger.ms": 5, "acks": 1, "debug": "broker", "error_cb": print, "persist": True}
    assert librdkafka_options(given) == {
        "linger.ms": 5,
        "acks": 1,
        "debug": "broker",
        "error_cb": print,
    }


def test_options_reach_librdkafka(url: str) -> None:
    for options, words in (
        ({"debug": "nonsense"}, "nonsense"),
        ({"linger.ms": "long"}, "Invalid value"),
    ):
        with pytest.raises(StreamError, match=words):
            Stream(auth=False).open(url, "r", **options)
    with Stream(auth=False).open(url, "w", nonsense=1, acks=1, idempotent=False) as s:
        s.write("alert")
    assert contents_of(url) == ["alert"]


def test_statistics_are_for_who_asks_for_them(url: str) -> None:
    told: list[str] = []
    options: dict[str, Any] = {"statistics.interval.ms": 50, "stats_cb": told.append}
    with Stream(auth=False).open(url, "w", **options) as s:
        s.write("alert")
        s.poll(0.5)
    assert told
    assert '"msg_cnt"' in told[0]


def test_who_wants_to_be_told_of_errors_is_told_in_place_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[KafkaError] = []
    with memory_broker(["gcn"]) as broker:
        s = Stream(auth=False).open(broker.url("gcn"), "w", error_cb=told.append)
    for _ in range(50):
        s.poll(0.1)
        if any(error.code() == KafkaError._ALL_BROKERS_DOWN for error in told):
            break
    s.close()
    assert any(error.code() == KafkaError._ALL_BROKERS_DOWN for error in told)
    assert "no broker answers" not in caplog.text
    # What hop itself makes of errors is as good as without.
    with pytest.raises(StreamError, match="cannot connect to the broker at"):
        Stream(auth=False).open(broker.url("gcn"), "r", timeout=1, error_cb=told.append)


@pytest.mark.parametrize("before", [1, 300])
def test_a_broker_that_refuses_idempotence_is_written_to_without(
    hop_broker: MemoryBroker, url: str, before: int, caplog: pytest.LogCaptureFixture
) -> None:
    hop_broker.fail("InitProducerId", KafkaError.CLUSTER_AUTHORIZATION_FAILED)
    told: list[tuple[Any, bytes | None]] = []
    with Stream(auth=False).open(url, "w") as s:
        for number in range(600):
            s.write(number, delivery_callback=lambda error, m: told.append((error, m.value())))
            if number == before:
                assert s.flush(10) == 0
        assert s.flush(10) == 0
        assert s.pending() == 0
    assert contents_of(url) == list(range(600))
    assert told == [(None, str(number).encode()) for number in range(600)]
    assert caplog.text.count("does not allow idempotent producers") == 1


def test_who_asks_for_idempotence_by_its_own_option_is_not_sent_on_without(
    hop_broker: MemoryBroker, url: str
) -> None:
    hop_broker.fail("InitProducerId", KafkaError.CLUSTER_AUTHORIZATION_FAILED)
    with pytest.raises((DeliveryError, AuthorizationError)):  # noqa: SIM117
        with Stream(auth=False).open(url, "w", **{"enable.idempotence": True}) as s:
            s.write("alert")
            s.flush(10)
    assert contents_of(url) == []


def test_a_fresh_broker_that_has_no_producer_id_yet_is_waited_for(
    hop_broker: MemoryBroker, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    hop_broker.fail("InitProducerId", KafkaError.COORDINATOR_LOAD_IN_PROGRESS, times=2)
    with Stream(auth=False).open(url, "w") as s:
        s.write("alert")
    assert contents_of(url) == ["alert"]
    assert "does not allow" not in caplog.text
