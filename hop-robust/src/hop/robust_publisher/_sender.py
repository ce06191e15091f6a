"""Emptying the journal: what the thread of a publisher does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from confluent_kafka import KafkaError, Message

from hop.io import ALWAYS_FITS
from hop.robust_publisher._connect import Connector
from hop.robust_publisher._failures import Failures
from hop.robust_publisher._flights import Flights
from hop.robust_publisher._holds import Holds
from hop.robust_publisher._lane import Lane
from hop.robust_publisher._message import Letter, QueuedMessage
from hop.robust_publisher._outage import Outage
from hop.robust_publisher._producers import Producers
from hop.robust_publisher._refusals import OnRefused, Refusals
from hop.robust_publisher._store import Store
from hop.robust_publisher._wake import Wake

# How many messages to send before confirmations are looked at.
_BATCH = 500
# So many are taken from the journal together, or so many bytes.
_GRAB = 100
_GRAB_BYTES = 1 << 20
# How long to wait at a time, in seconds: for confirmations, for something to do, for more to send.
_WAIT = 0.05
_IDLE = 1.0
_GATHER = 0.005
_SOON = 0.01
# Confirmations are written to the journal after so many, or after this time (seconds).
_SETTLE_COUNT = 1000
_SETTLE_TIME = 0.02


class Sender:
    """Sends what is in a journal. For use by one thread.

    Args:
        store: the journal.
        connector: where to send.
        poll_wait: how long to look for confirmations after sending, in seconds.
        on_refused: called with each message that no broker will take, and the reason.

    Attributes:
        confirmed: how many messages the broker has confirmed.
        taking: whether confirmations are being taken, for each of which confluent-kafka takes the interpreter's lock
            anew. Who writes meanwhile fights for it each time, which costs both of them more than to wait.
    """

    def __init__(
        self,
        store: Store,
        connector: Connector,
        poll_wait: float,
        on_refused: OnRefused | None = None,
    ) -> None:
        self.confirmed = self._noted = 0
        self.taking = False
        self._log = store.log
        self._connector = connector
        self._poll_wait = poll_wait
        self._main = Lane(store.log)
        self._holds = Holds(store.log, self._main, connector.topic)
        self._outage = Outage(connector.broker)
        self._generation = 0
        self._flights = Flights()
        self._settled: list[int] = []
        self._settled_at = 0.0
        # Messages that were refused together with others are sent one by one, by a producer of their own.
        self._single = Lane(store.log)
        self._producers = Producers(connector, self._outage)
        self._failures = Failures(
            self._flights,
            self._holds,
            self._single,
            self._producers,
            Refusals(store.path, on_refused),
            lambda sequence: self._settled.append(sequence),
        )

    def step(self, wake: Wake, until: float | None = None) -> None:
        """Send what may be sent now, and wait for whatever happens next.

        Args:
            wake: set when there is something new to do.
            until: when to return at the latest, as of `time.monotonic`.
        """
        wake.clear()
        now = time.monotonic()
        for sequence, topic in self._flights.due():
            self._holds.put_back(topic, sequence)
        try:
            sent = self._fill()
        except Exception:
            # What is on its way is looked after all the same.
            self._producers.poll(0)
            self._settle()
            raise
        wait = self._wait(now, until)
        if sent == _BATCH:
            self._take_confirmations()
        elif sent:
            # Whoever writes one message after another is not interrupted for each of them.
            time.sleep(_GATHER)
            self._take_confirmations()
        elif self._flights:
            self._producers.poll(wait)
        else:
            self._producers.poll(0)
            wake.wait(wait)
        if self.confirmed != self._noted:
            self._noted = self.confirmed
            self._producers.succeeded()
            self._outage.over(self._log.live)
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
            for sequence, topic in self._flights.end_all():
                self._holds.put_back(topic, sequence)

    def close(self) -> None:
        """Give up what is on its way, which stays in the journal, and note what has been confirmed."""
        self._producers.close()
        self._settle(at_once=True)

    def _wait(self, now: float, until: float | None) -> float:
        ends = [now + (_WAIT if self._flights else _IDLE)]
        due = (until, self._holds.due(), self._flights.next_due())
        ends += [end for end in due if end is not None]
        if self._producers.fatal is not None:
            ends.append(self._producers.renew_at)
        # What is due and can't be done now, because too much is on its way, is looked at again soon.
        return max(_SOON, min(ends) - now)

    def _take_confirmations(self) -> None:
        self.taking = True
        try:
            self._producers.poll(self._poll_wait)
        finally:
            self.taking = False

    def _fill(self) -> int:
        """Send as many messages as there is room for, and return how many."""
        sent = 0
        while sent < _BATCH and self._producers.fatal is None and self._flights.room:
            simple = not self._holds.held and not self._single.again
            count = self._send_many() if simple else self._send_in_turn(_BATCH - sent)
            if not count:
                break
            sent += count
        return sent

    def _send_many(self) -> int:
        """Send messages in their order, and return how many; most of them come this way."""
        messages = self._main.take_many(_GRAB, _GRAB_BYTES)
        produce, begin = self._producers.produce, self._flights.begin
        usual, generation, delivered = self._connector.topic, self._generation, self._delivered
        count = 0
        try:
            for sequence, letter in messages:
                if self._producers.fatal is not None:
                    break
                count += 1
                body, headers, topic, key = letter
                topic = topic or usual
                size = len(body)
                if topic is None or size > ALWAYS_FITS:
                    self._send(sequence, letter, False)
                    continue
                begin(sequence, topic, size, False)
                try:
                    callback = partial(delivered, generation, sequence)
                    produce(topic, body, key, headers=headers, on_delivery=callback)
                except Exception:
                    # Whatever it is, it comes again and is dealt with.
                    self._flights.end(sequence)
                    self._send(sequence, letter, False)
        finally:
            for sequence, letter in messages[count:]:
                self._holds.put_back(letter[2] or usual or "", sequence)
        return count

    def _send_in_turn(self, most: int) -> int:
        count = 0
        messages = self._messages()
        while (
            count < most
            and self._producers.fatal is None
            and self._flights.room
            and (found := next(messages, None)) is not None
        ):
            message, alone = found
            self._send(message.sequence, message.letter, alone)
            count += 1
        return count

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

    def _send(self, sequence: int, letter: Letter, alone: bool) -> None:
        body, _, topic, _ = letter
        topic = topic or self._connector.topic
        self._flights.begin(sequence, topic or "", len(body), alone)
        try:
            delivered = partial(self._delivered, self._generation, sequence)
            error = self._producers.send(letter, topic, delivered, alone)
        except (TypeError, ValueError) as exc:
            if (flight := self._flights.end(sequence)) is not None:
                self._failures.refuse(QueuedMessage(sequence, *letter), flight, str(exc))
        except BaseException:
            self._flights.end(sequence)
            self._holds.put_back(topic or "", sequence)
            raise
        else:
            if error is not None and (flight := self._flights.end(sequence)) is not None:
                # It is about this message, which was not sent together with any other.
                self._failures.deal_with(sequence, flight, error, alone=True)

    def _delivered(
        self, generation: int, sequence: int, error: KafkaError | None, _: Message
    ) -> None:
        if generation != self._generation:
            return
        if error is None:
            topic = self._flights.land(sequence)
            if topic is not None:
                self.confirmed += 1
                self._settled.append(sequence)
                if self._holds.held:
                    self._holds.delivered(topic)
        elif (flight := self._flights.end(sequence)) is not None:
            self._failures.deal_with(sequence, flight, error, flight.alone)

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
