"""What becomes of a message that was not delivered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError

from hop.robust_publisher._flights import Flight, Flights
from hop.robust_publisher._holds import Holds
from hop.robust_publisher._lane import Lane
from hop.robust_publisher._message import QueuedMessage
from hop.robust_publisher._producers import Producers
from hop.robust_publisher._refusals import Refusals
from hop.robust_publisher._verdict import Verdict, judge

logger = logging.getLogger("hop.robust_publisher")

# That it failed is said once in so many seconds.
_COMPLAIN_INTERVAL = 10.0


class Failures:
    """Lets each wait where it belongs, or puts it aside for good.

    Args:
        flights: where those wait that are sent again soon.
        holds: where those wait whose topic takes none at the moment.
        single: where those wait that are to be sent one by one, since it may be another's fault.
        producers: told of what they can't go on after.
        refusals: where those are put that no broker will take.
        settled: called with the number of each of these.
    """

    def __init__(
        self,
        flights: Flights,
        holds: Holds,
        single: Lane,
        producers: Producers,
        refusals: Refusals,
        settled: Callable[[int], None],
    ) -> None:
        self._flights = flights
        self._holds = holds
        self._single = single
        self._producers = producers
        self._refusals = refusals
        self._settled = settled
        self._complained_at = -_COMPLAIN_INTERVAL

    def deal_with(self, sequence: int, flight: Flight, error: KafkaError, alone: bool) -> None:
        """Take care of a message that is no longer on its way.

        Args:
            sequence: its number.
            flight: what was known while it was.
            error: why it was not delivered.
            alone: whether that can't be because of another.
        """
        try:
            self._dispose(sequence, flight, error, alone)
        except BaseException:
            self._holds.put_back(flight.topic, sequence)
            raise

    def refuse(self, message: QueuedMessage, flight: Flight, reason: str) -> None:
        """Put aside a message that no broker will take; if that is not possible, it is sent again later."""
        if self._refusals.add(message, flight.topic, reason):
            self._settled(message.sequence)
        else:
            self._flights.later(message.sequence, flight)

    def _dispose(self, sequence: int, flight: Flight, error: KafkaError, alone: bool) -> None:
        verdict = judge(error)
        if verdict is Verdict.FATAL:
            self._producers.failed(error)
            self._holds.put_back(flight.topic, sequence)
        elif verdict is Verdict.RESEND:
            self._holds.put_back(flight.topic, sequence)
        elif verdict is Verdict.HELD:
            self._holds.failed(flight.topic, sequence, error)
        elif verdict is Verdict.AGAIN:
            self._complain(flight.topic, error)
            self._flights.later(sequence, flight)
        elif not alone:
            self._single.put_back(sequence)
        elif (message := self._single.get(sequence)) is not None:
            self.refuse(message, flight, error.str())

    def _complain(self, topic: str, error: KafkaError) -> None:
        now = time.monotonic()
        if now - self._complained_at >= _COMPLAIN_INTERVAL:
            self._complained_at = now
            logger.warning(
                "a message to %s was not taken (%s); it is sent again", topic, error.str()
            )
