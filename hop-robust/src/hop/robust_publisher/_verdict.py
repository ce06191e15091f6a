"""What to do about a message that was not delivered."""

from __future__ import annotations

from enum import Enum

from confluent_kafka import KafkaError


class Verdict(Enum):
    """What a delivery's error means for its message."""

    AGAIN = "it is sent again after a pause"
    RESEND = "it was not at fault, and is sent again"
    HELD = "its topic does not take messages for now"
    REFUSED = "no broker will ever take it, or another message that was sent with it"
    FATAL = "its producer can't go on"


_REFUSED = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.INVALID_RECORD,
    KafkaError._INVALID_ARG,
}
_HELD = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}
_NOT_AT_FAULT = {
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
    # The producer and the broker disagree on what comes next: fatal for the producer, as it says soon.
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    KafkaError.UNKNOWN_PRODUCER_ID,
    KafkaError.INVALID_PRODUCER_EPOCH,
}
# Fatal for a producer that wants duplicates dropped; one that does not may be let in.
_NO_IDEMPOTENCE = {
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError._UNSUPPORTED_FEATURE,
}


def judge(error: KafkaError) -> Verdict:
    code = error.code()
    if error.fatal() or code == KafkaError._FATAL:
        return Verdict.FATAL
    if code in _NOT_AT_FAULT:
        return Verdict.RESEND
    if code in _REFUSED:
        return Verdict.REFUSED
    return Verdict.HELD if code in _HELD else Verdict.AGAIN


def forbids_idempotence(error: KafkaError) -> bool:
    """Whether a fatal error says that the broker won't drop duplicates for us."""
    return error.code() in _NO_IDEMPOTENCE
