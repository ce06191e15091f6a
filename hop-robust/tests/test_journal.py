"""`PublicationJournal` on its own, as a program uses it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, Message

from hop.robust_publisher import JournalError, PublicationJournal

NO_MESSAGE = cast(Message, None)


def test_a_message_goes_from_waiting_to_in_flight_to_sent(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        assert journal.get_next_message_to_send() is None
        sequence = journal.queue_message(b"alert", [("name", b"value"), (b"null", None)])
        assert (journal.has_messages_to_send(), journal.has_messages_in_flight()) == (True, False)
        assert journal.get_next_message_to_send() == (
            sequence,
            b"alert",
            [("name", b"value"), ("null", None)],
        )
        assert (journal.has_messages_to_send(), journal.has_messages_in_flight()) == (False, True)
        journal.mark_message_sent(sequence)
        assert (journal.has_messages_to_send(), journal.has_messages_in_flight()) == (False, False)


def test_topic_and_key_are_kept(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        journal.queue_message(b"1", topic="gcn", key="")
        journal.queue_message(b"2")
    with PublicationJournal(journal_path) as journal:
        first, second = journal.get_next_message_to_send(), journal.get_next_message_to_send()
    assert first is not None
    assert second is not None
    assert (first.topic, first.key) == ("gcn", b"")
    assert (second.topic, second.key) == (None, None)


def test_what_was_not_sent_is_there_again(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        for number in range(5):
            journal.queue_message(b"%d" % number)
        taken = [journal.get_next_message_to_send() for _ in range(3)]
        assert taken[1] is not None
        journal.mark_message_sent(taken[1].sequence)
    with PublicationJournal(journal_path) as journal:
        left = [journal.get_next_message_to_send() for _ in range(5)]
    assert [entry and entry.message for entry in left] == [b"0", b"2", b"3", b"4", None]


def test_a_message_queued_again_keeps_its_place(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        numbers = [journal.queue_message(b"%d" % number) for number in range(4)]
        for _ in range(3):
            journal.get_next_message_to_send()
        journal.requeue_message(numbers[2])
        journal.requeue_message(numbers[0])
        left = [journal.get_next_message_to_send() for _ in range(3)]
    assert [entry and entry.message for entry in left] == [b"0", b"2", b"3"]


def test_the_file_is_emptied_and_numbers_start_again_when_everything_is_sent(
    journal_path: Path,
) -> None:
    with PublicationJournal(journal_path) as journal:
        first = journal.queue_message(b"x" * 1000)
        assert journal_path.stat().st_size > 1000
        journal.get_next_message_to_send()
        journal.mark_message_sent(first)
        assert journal_path.stat().st_size == 0
        assert journal.queue_message(b"y") == first


@pytest.mark.parametrize("method", ["mark_message_sent", "requeue_message"])
def test_a_message_that_is_not_in_flight(journal_path: Path, method: str) -> None:
    with PublicationJournal(journal_path) as journal:
        waiting = journal.queue_message(b"x")
        for sequence in (waiting, waiting + 1):
            with pytest.raises(RuntimeError, match=f"message {sequence} .* is not in flight"):
                getattr(journal, method)(sequence)


def test_the_delivery_callback_marks_or_queues_again(journal_path: Path) -> None:
    lock = threading.Lock()
    with PublicationJournal(journal_path) as journal:
        sequence = journal.queue_message(b"x")
        journal.get_next_message_to_send()
        delivered = journal.get_delivery_callback(sequence, lock)
        delivered(KafkaError(KafkaError._TRANSPORT), NO_MESSAGE)
        assert journal.has_messages_to_send()
        journal.get_next_message_to_send()
        journal.get_delivery_callback(sequence)(None, NO_MESSAGE)
        assert not journal.has_messages_to_send()
        assert not journal.has_messages_in_flight()


def test_the_delivery_callback_holds_the_lock(journal_path: Path) -> None:
    lock = threading.Lock()
    with PublicationJournal(journal_path) as journal:
        sequence = journal.queue_message(b"x")
        journal.get_next_message_to_send()
        delivered = journal.get_delivery_callback(sequence, lock)
        with lock:
            thread = threading.Thread(target=delivered, args=(None, NO_MESSAGE))
            thread.start()
            thread.join(0.1)
            assert journal.has_messages_in_flight()
        thread.join()
        assert not journal.has_messages_in_flight()


def test_errors_of_kafka_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    PublicationJournal.error_callback(KafkaError(KafkaError._TRANSPORT, "broker down"))
    assert "broker down" in caplog.text


def test_the_null_lock_is_a_context_manager() -> None:
    with PublicationJournal.NullLock(), PublicationJournal.NullLock():
        pass


@pytest.mark.parametrize("message", ["text", None, 1, ["a"]])
def test_a_message_that_is_not_bytes(journal_path: Path, message: Any) -> None:
    with PublicationJournal(journal_path) as journal:
        with pytest.raises(TypeError, match="a message in a journal is bytes"):
            journal.queue_message(message)
        assert not journal.has_messages_to_send()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"headers": [(1, b"x")]}, TypeError),
        ({"headers": [("x", 1)]}, TypeError),
        ({"headers": [(b"\xff", b"x")]}, ValueError),
        ({"headers": [("x" * 65536, b"x")]}, ValueError),
        ({"topic": b"gcn"}, TypeError),
        ({"key": 1}, TypeError),
    ],
)
def test_what_cannot_be_sent_with_it(
    journal_path: Path, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with PublicationJournal(journal_path) as journal:
        with pytest.raises(error):
            journal.queue_message(b"x", **arguments)
        assert journal.get_next_message_to_send() is None


def test_a_closed_journal(journal_path: Path) -> None:
    journal = PublicationJournal(journal_path)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        journal.queue_message(b"x")


def test_only_the_owner_may_read_the_file(journal_path: Path) -> None:
    with PublicationJournal(journal_path):
        assert journal_path.stat().st_mode & 0o777 == 0o600
