"""The producers that messages are handed to: one for all, and one for those that have to be sent alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message

from hop.io import DeliveryError, Producer
from hop.robust_publisher._connect import Connector
from hop.robust_publisher._message import Letter
from hop.robust_publisher._outage import Outage
from hop.robust_publisher._verdict import forbids_idempotence

logger = logging.getLogger("hop.robust_publisher")

# A producer that can't go on is replaced at once, the next after this time (seconds), then after twice that, …
_FIRST_PAUSE = 0.1
_LAST_PAUSE = 30.0

Delivered = Callable[[KafkaError | None, Message], None]


class Producers:
    """Sends messages, and finds out that a producer can't go on.

    Args:
        connector: where to send.
        outage: told of errors that are no message's.

    Attributes:
        fatal: why the producers can't go on, or None.
        renew_at: when new ones may be opened (monotonic seconds).
    """

    def __init__(self, connector: Connector, outage: Outage) -> None:
        self.fatal: KafkaError | None = None
        self.renew_at = 0.0
        self._pause = _FIRST_PAUSE
        self._connector = connector
        self._outage = outage
        self._alone: Producer | None = None
        self._main = connector.open(outage.on_error)

    def send(
        self, letter: Letter, topic: str | None, delivered: Delivered, alone: bool
    ) -> KafkaError | None:
        """Hand over a message; `delivered` is called later, from `poll`.

        Args:
            letter: the message.
            topic: its topic.
            delivered: called with (error or None, message).
            alone: whether it must not be sent together with others.

        Returns:
            None, or why it is not taken; `delivered` is not called then.

        Raises:
            TypeError, ValueError: it is none that can be sent.
        """
        try:
            body, headers, _, key = letter
            producer = self._lone() if alone else self._main
            producer.write_raw(body, headers, delivered, topic=topic, key=key)
        except DeliveryError as exc:
            error: KafkaError = exc.args[0]
            return error
        except KafkaException as exc:
            self._note(exc)
        return None

    @property
    def produce(self) -> Callable[..., None]:
        """confluent-kafka's own `produce`, the shortest way for a message of up to `hop.io.ALWAYS_FITS` bytes.

        For those who come to `send` when it raises.
        """
        return self._main.librdkafka.produce

    def poll(self, timeout: float) -> None:
        """Call the callbacks of what has been delivered or given up.

        Args:
            timeout: how long to wait for the first, in seconds.
        """
        if self._alone is not None:
            self._poll(self._alone, 0)
        self._poll(self._main, timeout)

    def succeeded(self) -> None:
        """A message was delivered."""
        self._pause = _FIRST_PAUSE

    def failed(self, error: KafkaError) -> None:
        """The producers can't go on."""
        # That there is a fatal error is said of messages before it is said which.
        if self.fatal is None or self.fatal.code() == KafkaError._FATAL:
            self.fatal = error

    def renew(self) -> None:
        """Replace the producers by new ones.

        Raises:
            hop.io.StreamError: a new one can't be opened.
        """
        if self.fatal is not None and self.fatal.code() == KafkaError._FATAL:
            self.poll(0)
        if self.fatal is not None:
            logger.warning(
                "the connection to %s can't go on (%s); what was not confirmed is sent again over a new one",
                self._connector.broker,
                self.fatal.str(),
            )
            if forbids_idempotence(self.fatal):
                self._connector.idempotent = False
        self.renew_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LAST_PAUSE)
        # Before the old ones are closed: where it can't be opened, they are still there to be asked.
        new = self._connector.open(self._outage.on_error)
        self.close()
        self.fatal = None
        self._main = new

    def close(self) -> None:
        """Give up what is on its way; most of the callbacks are called."""
        alone, self._alone = self._alone, None
        for producer in (self._main, alone):
            if producer is not None:
                try:
                    producer.close(0)
                except KafkaException as exc:
                    self._note(exc)

    def _poll(self, producer: Producer, timeout: float) -> None:
        try:
            producer.poll(timeout)
        except KafkaException as exc:
            self._note(exc)

    def _note(self, exc: KafkaException) -> None:
        """confluent-kafka raises a fatal error from whatever looks at callbacks next; anything else is unexpected."""
        if not exc.args[0].fatal():
            raise exc
        self.failed(exc.args[0])

    def _lone(self) -> Producer:
        if self._alone is None:
            self._alone = self._connector.open(self._outage.on_error, **{"batch.num.messages": 1})
        return self._alone
