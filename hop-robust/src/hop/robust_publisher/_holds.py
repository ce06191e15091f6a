"""Topics that do not take messages for now."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from confluent_kafka import KafkaError

from hop.robust_publisher._lane import Lane
from hop.robust_publisher._log import Log
from hop.robust_publisher._message import QueuedMessage

logger = logging.getLogger("hop.robust_publisher")

# After so long (seconds) one message is sent to see whether the topic takes it, then after twice that, and so on.
_FIRST_PAUSE = 1.0
_LAST_PAUSE = 60.0


class Hold:
    """One such topic. When it takes messages again, those it missed are sent first, in their order.

    Args:
        log: the journal.
        start: the number up to which messages of this topic have been taken.
    """

    def __init__(self, log: Log, start: int) -> None:
        self.lane = Lane(log, start)
        self.open = False
        self.probe: int | None = None
        self.pause = _FIRST_PAUSE
        self.due = time.monotonic() + _FIRST_PAUSE


class Holds:
    """All of them.

    Args:
        log: the journal.
        main: the lane that passes over their messages.
        default_topic: the topic of messages that name none.

    Attributes:
        held: each, by its topic.
    """

    def __init__(self, log: Log, main: Lane, default_topic: str | None) -> None:
        self._log = log
        self._main = main
        self._default = default_topic
        self.held: dict[str, Hold] = {}

    def accepts(self, topic: str | None) -> bool:
        """Whether a message for a topic is no business of any of these."""
        return (topic or self._default) not in self.held

    def put_back(self, topic: str, sequence: int) -> None:
        """Let a message be taken again, one that the topic has not refused."""
        hold = self.held.get(topic)
        if hold is None:
            self._main.put_back(sequence)
            return
        hold.lane.put_back(sequence)
        if hold.probe == sequence:
            hold.probe = None

    def failed(self, topic: str, sequence: int, error: KafkaError) -> None:
        """A topic did not take a message."""
        hold = self.held.get(topic)
        if hold is None:
            hold = self.held[topic] = Hold(self._log, self._main.next)
            logger.warning(
                "topic %s does not take messages (%s); they are kept and tried again, other topics are not affected",
                topic,
                error.str(),
            )
        elif hold.open:
            hold.open = False
            hold.pause = _FIRST_PAUSE
            hold.due = time.monotonic() + hold.pause
        elif hold.probe == sequence:
            hold.pause = min(2 * hold.pause, _LAST_PAUSE)
            hold.due = time.monotonic() + hold.pause
        self.put_back(topic, sequence)

    def delivered(self, topic: str) -> None:
        """A topic took a message."""
        hold = self.held.get(topic)
        if hold is not None and not hold.open:
            hold.open, hold.probe = True, None
            logger.warning("topic %s takes messages again", topic)

    def due(self) -> float | None:
        """When the next of them is to be tried (monotonic seconds), if any is."""
        return min(
            (h.due for h in self.held.values() if not h.open and h.probe is None), default=None
        )

    def take(self) -> Iterator[QueuedMessage]:
        """Messages of these topics that may be sent now."""
        now = time.monotonic()
        for topic, hold in list(self.held.items()):
            if hold.open:
                yield from self._missed(topic, hold)
            elif hold.probe is None and now >= hold.due:
                message = self._next(topic, hold)
                if message is None:
                    # Nothing is left of what it did not take.
                    self.held.pop(topic)
                else:
                    hold.probe = message.sequence
                    yield message

    def _missed(self, topic: str, hold: Hold) -> Iterator[QueuedMessage]:
        while hold.open:
            message = self._next(topic, hold)
            if message is None:
                self.held.pop(topic)
                return
            yield message

    def _next(self, topic: str, hold: Hold) -> QueuedMessage | None:
        return hold.lane.take(self._main.next, lambda t: (t or self._default) == topic)
