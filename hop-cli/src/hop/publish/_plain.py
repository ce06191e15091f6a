"""Publishing straight to the broker."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError, Message

from hop.cli import CommandError
from hop.cli._errors import explain
from hop.cli._text import say_interrupted
from hop.io import DeliveryError, Producer, Stream, raise_delivery_errors
from hop.publish._job import INTERRUPTED, Interrupts, Job, count

# seconds to wait for the broker to confirm what is left at the end, and after something went wrong
_CONFIRMATION = 60.0
_CONFIRMATION_AFTER_FAILURE = 10.0
_OPTIONS: dict[str, Any] = {
    # However much is read, no more than this waits in memory to be sent.
    "queue.buffering.max.messages": 50_000,
    "queue.buffering.max.kbytes": 32 << 10,
    # So many milliseconds nobody notices, and what is read in them is sent together.
    "linger.ms": 5,
}
# what messages get that were still waiting when we stopped waiting for them
_GIVEN_UP = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}


def send(job: Job) -> int:
    """Publish, and wait until the broker has confirmed everything."""
    if not job.look():
        raise CommandError("cannot publish standard input: it is empty")
    args = job.args
    options: dict[str, Any] = {"timeout": args.timeout} if args.timeout else {}
    stream = Stream(auth=not args.no_auth).open(args.url, "w", **_OPTIONS, **options)
    deliveries = Deliveries()
    failure: BaseException | None = None
    try:
        # What has been read is delivered all the same.
        with Interrupts():
            _write_all(stream, job, deliveries)
    except (KeyboardInterrupt, Exception) as exc:
        failure = exc
    finally:
        well = failure is None and not deliveries.failed
        wait = _CONFIRMATION if well else _CONFIRMATION_AFTER_FAILURE
        remaining = stream.close(args.timeout or wait)
    before = f"{deliveries} before that"
    if missing := deliveries.failed + remaining:
        before = f"{before}, {missing} not"
    if isinstance(failure, KeyboardInterrupt):
        say_interrupted(f"hop: interrupted; {before}")
        return INTERRUPTED
    if failure is not None:
        raise CommandError(f"{explain(failure)}; {before}") from failure
    deliveries.check(job.place)
    if remaining:
        raise CommandError(
            f"cannot publish to {job.place}: the broker did not confirm {count(remaining)} "
            f"in time; {deliveries}; try again, or wait longer with --timeout",
            see_doctor=True,
        )
    job.say(f"published {count(deliveries.confirmed)} to {job.place}")
    return 0


class Deliveries:
    """What has become of the messages; its instance is the delivery callback of each."""

    def __init__(self) -> None:
        self.confirmed = 0
        self.failed = 0
        self._first: tuple[KafkaError, Message] | None = None

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.confirmed += 1
        elif error.code() not in _GIVEN_UP:
            self.failed += 1
            self._first = self._first or (error, message)

    def check(self, place: str) -> None:
        """Raise what kept messages from being delivered, if anything did."""
        if self._first is not None:
            try:
                raise_delivery_errors(*self._first)
            except DeliveryError as exc:
                raise CommandError(
                    f"cannot publish to {place}: {count(self.failed)} not delivered, {self}: {exc}",
                    see_doctor=self._first[0].code() != KafkaError.MSG_SIZE_TOO_LARGE,
                ) from exc

    def __str__(self) -> str:
        return f"{count(self.confirmed)} delivered"


def _write_all(stream: Producer, job: Job, deliveries: Deliveries) -> None:
    args = job.args
    for message, where in job.messages():
        try:
            stream.write(message, args.header, deliveries, args.test, key=args.key)
        except (TypeError, ValueError, DeliveryError) as exc:
            raise CommandError(f"cannot publish {where} as {args.format}: {exc}") from exc
        if deliveries.failed:
            return
