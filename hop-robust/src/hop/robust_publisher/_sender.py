"""Emptying the journal: what the thread of a publisher does."""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Iterator
from functools import partial

from confluent_kafka import KafkaError, Message

from hop.robust_publisher._connect import Connector
from hop.robust_publisher._holds import Holds
from hop.robust_publisher._lane import Lane
from hop.robust_publisher._message import QueuedMessage
from hop.robust_publisher._outage import Outage
from hop.robust_publisher._producers import Producers
from hop.robust_publisher._refusals import OnRefused, Refusals
from hop.robust_publisher._store import Store
from hop.robust_publisher._verdict import Verdict, judge
from hop.robust_publisher._wake import Wake

logger = logging.getLogger("hop.robust_publisher")

# So much is with librdkafka at a time; everything else stays on disk.
_WINDOW = 10_000
_WINDOW_BYTES = 16 << 20
# How many messages to send before confirmations are looked at.
_BATCH = 500
# How long to wait at a time, in seconds: for confirmations, and for something to do.
_WAIT = 0.05
_IDLE = 1.0
_SOON = 0.01
# Confirmations are written to the journal after so many, or after this time (seconds).
_SETTLE_COUNT = 1000
_SETTLE_TIME = 0.02
# A message that failed for a reason that may pass is sent again after this time (seconds), then after twice that, …
_FIRST_PAUSE = 0.1
_LAST_PAUSE = 30.0
# That it failed is said once in so many seconds.
_COMPLAIN_INTERVAL = 10.0


class _Flight:
    __slots__ = ("alone", "attempts", "size", "topic")

    def __init__(self, topic: str, size: int, attempts: int, alone: bool) -> None:
        self.topic = topic
        self.size = size
        self.attempts = attempts
        self.alone = alone


class Sender:
    """Sends what is in a journal. For use by one thread.

    Args:
        store: the journal.
        connector: where to send.
        poll_wait: how long to look for confirmations after sending, in seconds.
        on_refused: called with each message that no broker will take, and the reason.

    Attributes:
        confirmed: how many messages the broker has confirmed.
    """

    def __init__(
        self,
        store: Store,
        connector: Connector,
        poll_wait: float,
        on_refused: OnRefused | None = None,
    ) -> None:
        self.confirmed = 0
        self._log = store.log
        self._connector = connector
        self._poll_wait = poll_wait
        self._main = Lane(store.log)
        self._holds = Holds(store.log, self._main, connector.topic)
        self._outage = Outage(connector.broker)
        self._refusals = Refusals(store.path, on_refused)
        self._generation = 0
        self._flights: dict[int, _Flight] = {}
        self._bytes = 0
        self._attempts: dict[int, int] = {}
        self._delayed: list[tuple[float, int, str]] = []
        self._settled: list[int] = []
        self._settled_at = 0.0
        self._complained_at = -_COMPLAIN_INTERVAL
        # Messages that were refused together with others are sent one by one, by a producer of their own.
        self._single = Lane(store.log)
        self._producers = Producers(connector, self._outage)

    def step(self, wake: Wake, until: float | None = None) -> None:
        """Send what may be sent now, and wait for whatever happens next.

        Args:
            wake: set when there is something new to do.
            until: when to return at the latest, as of `time.monotonic`.
        """
        wake.clear()
        now = time.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, sequence, topic = heapq.heappop(self._delayed)
            self._holds.put_back(topic, sequence)
        try:
            sent = self._fill()
        except Exception:
            # What is on its way is looked after all the same.
            self._producers.poll(0)
            self._settle()
            raise
        wait = self._wait(now, until)
        if sent:
            self._producers.poll(self._poll_wait)
        elif self._flights:
            self._producers.poll(wait)
        else:
            self._producers.poll(0)
            wake.wait(wait)
        self._outage.tell(self._log.live)
        if self._producers.fatal is not None and now >= self._producers.renew_at:
            self.renew()
        self._settle()

    def renew(self) -> None:
        """Begin again with a new producer; what the broker has not confirmed is sent again."""
        try:
            self._producers.renew()
        finally:
            # What is said from now on of messages that were on their way before does not count.
            self._generation += 1
            for sequence, flight in self._flights.items():
                self._holds.put_back(flight.topic, sequence)
            self._flights.clear()
            self._bytes = 0

    def close(self) -> None:
        """Give up what is on its way, which stays in the journal, and note what has been confirmed."""
        self._producers.close()
        self._settle(at_once=True)

    def _wait(self, now: float, until: float | None) -> float:
        ends = [now + (_WAIT if self._flights else _IDLE)]
        ends += [end for end in (until, self._holds.due()) if end is not None]
        if self._delayed:
            ends.append(self._delayed[0][0])
        if self._producers.fatal is not None:
            ends.append(self._producers.renew_at)
        # What is due and can't be done now, because too much is on its way, is looked at again soon.
        return max(_SOON, min(ends) - now)

    def _fill(self) -> int:
        """Send as many messages as there is room for, and return how many."""
        sent = 0
        messages = self._messages()
        while (
            sent < _BATCH
            and self._producers.fatal is None
            and len(self._flights) + len(self._delayed) < _WINDOW
            and self._bytes < _WINDOW_BYTES
            and (found := next(messages, None)) is not None
        ):
            self._send(*found)
            sent += 1
        return sent

    def _messages(self) -> Iterator[tuple[QueuedMessage, bool]]:
        """What may be sent now, and whether it has to be sent alone; of each kind one in turn."""
        held = self._holds.take()
        while True:
            missed = next(held, None)
            if missed is not None:
                yield missed, False
            suspect = self._single.take(end=0) if self._single.again else None
            if suspect is not None:
                yield suspect, True
            message = self._main.take(accept=self._holds.accepts)
            if message is not None:
                yield message, False
            elif missed is None and suspect is None:
                return

    def _send(self, message: QueuedMessage, alone: bool) -> None:
        sequence = message.sequence
        topic = message.topic or self._connector.topic
        flight = _Flight(topic or "", len(message.message), self._attempts.pop(sequence, 0), alone)
        if topic is None:
            self._refuse(
                message, flight, "neither the message nor the publisher's URL names a topic"
            )
            return
        self._flights[sequence] = flight
        self._bytes += flight.size
        delivered = partial(self._delivered, self._generation, sequence)
        try:
            error = self._producers.send(message, topic, delivered, alone=alone)
        except (TypeError, ValueError) as exc:
            self._refuse(message, self._land(sequence), str(exc))
        except BaseException:
            self._land(sequence)
            self._holds.put_back(topic, sequence)
            raise
        else:
            if error is not None:
                flight.alone = True
                self._delivered(self._generation, sequence, error, None)

    def _delivered(
        self, generation: int, sequence: int, error: KafkaError | None, _: Message | None
    ) -> None:
        if generation != self._generation or sequence not in self._flights:
            return
        flight = self._land(sequence)
        if error is None:
            self.confirmed += 1
            self._producers.succeeded()
            self._outage.over(self._log.live)
            self._holds.delivered(flight.topic)
            self._settled.append(sequence)
            return
        try:
            self._failed(sequence, flight, error)
        except BaseException:
            self._holds.put_back(flight.topic, sequence)
            raise

    def _failed(self, sequence: int, flight: _Flight, error: KafkaError) -> None:
        verdict = judge(error)
        if verdict is Verdict.FATAL:
            self._producers.fatal = self._producers.fatal or error
            self._holds.put_back(flight.topic, sequence)
        elif verdict is Verdict.RESEND:
            self._holds.put_back(flight.topic, sequence)
        elif verdict is Verdict.HELD:
            self._holds.failed(flight.topic, sequence, error)
        elif verdict is Verdict.AGAIN:
            self._complain(flight.topic, error)
            self._later(sequence, flight)
        elif not flight.alone:
            self._single.put_back(sequence)
        elif (message := self._single.get(sequence)) is not None:
            self._refuse(message, flight, error.str())

    def _land(self, sequence: int) -> _Flight:
        flight = self._flights.pop(sequence)
        self._bytes -= flight.size
        return flight

    def _refuse(self, message: QueuedMessage, flight: _Flight, reason: str) -> None:
        if self._refusals.add(message, flight.topic, reason):
            self._settled.append(message.sequence)
        else:
            self._later(message.sequence, flight)

    def _complain(self, topic: str, error: KafkaError) -> None:
        now = time.monotonic()
        if now - self._complained_at >= _COMPLAIN_INTERVAL:
            self._complained_at = now
            logger.warning(
                "a message to %s was not taken (%s); it is sent again", topic, error.str()
            )

    def _later(self, sequence: int, flight: _Flight) -> None:
        pause = min(_FIRST_PAUSE * 2**flight.attempts, _LAST_PAUSE)
        self._attempts[sequence] = min(flight.attempts + 1, 30)
        heapq.heappush(self._delayed, (time.monotonic() + pause, sequence, flight.topic))

    def _settle(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if not self._settled:
            self._settled_at = now
        elif (
            at_once
            or not self._flights
            or len(self._settled) >= _SETTLE_COUNT
            or now - self._settled_at >= _SETTLE_TIME
        ):
            settled, self._settled, self._settled_at = self._settled, [], now
            self._log.settle(settled)
