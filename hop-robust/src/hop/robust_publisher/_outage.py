"""Telling of an outage: one line in the log when the broker goes, one when it is back."""

from __future__ import annotations

import logging
import time

from confluent_kafka import KafkaError

logger = logging.getLogger("hop.robust_publisher")

_AUTHENTICATION = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}


class Outage:
    """Whether the broker is out of reach.

    Args:
        broker: its address.
    """

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._since: float | None = None
        self._reason = ""
        self._told = False

    def on_error(self, error: KafkaError) -> None:
        """Take note of an error that is no message's."""
        if error.code() in _AUTHENTICATION:
            self._reason = "it does not accept the credential; check it with `hop auth list`"
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._reason = error.str()
            return
        if self._since is None:
            self._since = time.monotonic()

    def tell(self, waiting: int) -> None:
        """Write to the log that the broker is away, once, if messages wait for it."""
        if self._since is not None and not self._told and waiting:
            self._told = True
            logger.warning(
                "the broker %s is out of reach (%s); messages are kept in the journal until it is back, %d so far",
                self._broker,
                self._reason or "no reason given",
                waiting,
            )

    def over(self, waiting: int) -> None:
        """A message was delivered."""
        if self._since is not None and self._told:
            logger.warning(
                "the broker %s is back after %.0f seconds; %d messages wait to be sent",
                self._broker,
                time.monotonic() - self._since,
                waiting,
            )
        self._since, self._told, self._reason = None, False, ""
