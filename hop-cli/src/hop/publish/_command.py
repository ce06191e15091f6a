"""What `hop publish` does."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from confluent_kafka import KafkaError, Message

from hop.cli import CommandError, set_up_logger
from hop.cli._errors import explain
from hop.cli._text import is_terminal
from hop.io import DeliveryError, KafkaURL, Producer, Stream, parse_url, raise_delivery_errors
from hop.publish._progress import progress
from hop.publish._reading import Located, read

# seconds to wait for the broker to confirm what is left at the end, and after something went wrong
_CONFIRMATION = 60.0
_CONFIRMATION_AFTER_FAILURE = 10.0
# However much is read, no more than this waits in memory to be sent.
_QUEUE: dict[str, Any] = {
    "queue.buffering.max.messages": 50_000,
    "queue.buffering.max.kbytes": 32 << 10,
}
# what messages get that were still waiting when we stopped waiting for them
_GIVEN_UP = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}
_INTERRUPTED = 130


def publish(args: argparse.Namespace) -> int:
    """Publish what the arguments name."""
    set_up_logger(args)
    target = parse_url(args.url)
    if len(target.topics) != 1:
        raise CommandError(
            f"cannot publish to {args.url}: name one topic, as in kafka://host/topic"
        )
    typed = not args.message and is_terminal(sys.stdin)
    if typed:
        _say(args, "Reading messages from the terminal; Ctrl-D ends them.")
    source = read(args.format, args.message)
    if args.dry_run:
        _say(args, f"{_count(sum(1 for _ in source))} can be published to {_place(target)}")
        return 0
    # What can't even be read needs no broker to be refused.
    first = next(source, None)
    if first is None:
        raise CommandError("cannot publish standard input: it is empty")
    options: dict[str, Any] = {"timeout": args.timeout} if args.timeout else {}
    stream = Stream(auth=not args.no_auth).open(args.url, "w", **_QUEUE, **options)
    deliveries = Deliveries()
    failure: BaseException | None = None
    try:
        with _terminated_as_interrupted():
            found = chain([first], source)
            # A bar would be in the way of what is being typed.
            shown = found if typed or args.quiet else progress(found)
            _write_all(stream, shown, args, deliveries)
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
        print(f"hop: interrupted; {before}", file=sys.stderr)
        return _INTERRUPTED
    if failure is not None:
        raise CommandError(f"{explain(failure)}; {before}") from failure
    deliveries.check(target)
    if remaining:
        raise CommandError(
            f"cannot publish to {_place(target)}: the broker did not confirm {_count(remaining)} "
            f"in time; {deliveries}; try again, or wait longer with --timeout",
            see_doctor=True,
        )
    _say(args, f"published {_count(deliveries.confirmed)} to {_place(target)}")
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

    def check(self, target: KafkaURL) -> None:
        """Raise what kept messages from being delivered, if anything did."""
        if self._first is not None:
            try:
                raise_delivery_errors(*self._first)
            except DeliveryError as exc:
                raise CommandError(
                    f"cannot publish to {_place(target)}: {_count(self.failed)} not delivered, {self}: {exc}",
                    see_doctor=self._first[0].code() != KafkaError.MSG_SIZE_TOO_LARGE,
                ) from exc

    def __str__(self) -> str:
        return f"{_count(self.confirmed)} delivered"


def _write_all(
    stream: Producer, source: Iterable[Located], args: argparse.Namespace, deliveries: Deliveries
) -> None:
    for message, where in source:
        try:
            stream.write(message, args.header, deliveries, args.test, key=args.key)
        except (TypeError, ValueError, DeliveryError) as exc:
            raise CommandError(f"cannot publish {where} as {args.format}: {exc}") from exc
        if deliveries.failed:
            return


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, as Ctrl-C, still delivers what has been read."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(args: argparse.Namespace, text: str) -> None:
    if not args.quiet:
        print(text, file=sys.stderr)


def _count(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


def _place(target: KafkaURL) -> str:
    return f"{target.topics[0]} at {target.broker}"
