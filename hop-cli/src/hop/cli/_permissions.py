"""What a broker allows."""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient

from hop.auth import Auth
from hop.cli._network import TroubleError

# what is said of groups by a broker that is still looking for them, having just started
_SOON = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}


def of_topics(broker: str, cred: Auth, topics: Sequence[str], timeout: float) -> dict[str, str]:
    """What may be done with topics that are there, in words, for those of which the broker tells.

    Raises:
        TroubleError: neither reading nor writing.
    """
    client = _client(broker, cred)  # which has to live until the answers are there
    descriptions = client.describe_topics(
        TopicCollection(list(topics)), include_authorized_operations=True, request_timeout=timeout
    )
    found = {}
    for topic, answer in descriptions.items():
        try:
            allowed = answer.result(timeout + 1).authorized_operations
        except KafkaException:
            continue
        if allowed is not None:
            found[topic] = _words(topic, allowed)
    return found


def of_group(broker: str, cred: Auth | None, group: str, timeout: float) -> str:
    """Whether a consumer group may be used, which neither joins it nor makes it.

    Raises:
        TroubleError: it may not.
    """
    client = _client(broker, cred)
    end = time.monotonic() + timeout
    while True:
        left = max(0.1, end - time.monotonic())
        (answer,) = client.describe_consumer_groups(
            [group], include_authorized_operations=True, request_timeout=left
        ).values()
        try:
            allowed = answer.result(left + 1).authorized_operations
            break
        except KafkaException as exc:
            error: KafkaError = exc.args[0]
            if error.code() == KafkaError._UNSUPPORTED_FEATURE:
                return f"{group}: this broker does not tell who may use a group"
            if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                allowed = []
                break
            if not (error.retriable() or error.code() in _SOON) or left < 1:
                raise TroubleError(
                    f"{group}: {error.str() or error.name()}",
                    "try again, then ask who runs the broker",
                ) from exc
            time.sleep(0.5)
    if allowed is not None and AclOperation.READ not in allowed:
        raise TroubleError(
            f"you may not use the consumer group {group}",
            "choose a group whose name starts with your user name and a hyphen",
        )
    return f"{group} may be used"


def _words(topic: str, allowed: Sequence[AclOperation]) -> str:
    read, write = AclOperation.READ in allowed, AclOperation.WRITE in allowed
    if not read and not write:
        raise TroubleError(
            f"you may neither read nor write {topic}", "ask the topic's owner for permission"
        )
    if read and write:
        return "you may read and write it"
    return f"you may {'read' if read else 'write'} it, not {'write' if read else 'read'} it"


def _client(broker: str, cred: Auth | None) -> AdminClient:
    import logging

    silent = logging.Logger("silent")
    silent.addHandler(logging.NullHandler())
    options = {"bootstrap.servers": broker, "error_cb": lambda _: None, **(cred() if cred else {})}
    client = AdminClient(options, logger=silent)
    client.poll(0)  # where a token is asked for
    return client
