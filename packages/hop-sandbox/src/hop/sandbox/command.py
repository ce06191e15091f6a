"""`hop sandbox`: a broker of one's own in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading

from hop.sandbox._memory import memory_broker

DESCRIPTION = (
    "Run a Kafka broker of your own, to try hop. It forgets everything when it stops (Ctrl-C)."
)


def topic_argument(text: str) -> tuple[str, int]:
    """`NAME[:PARTITIONS]` as (name, partitions)."""
    name, separator, partitions = text.partition(":")
    if not separator:
        return name, 1
    if not partitions.isdecimal():
        raise argparse.ArgumentTypeError(
            f"{text!r}: the number of partitions after ':' is not a number, as in gcn:3"
        )
    return name, int(partitions)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="N",
        help="The port of 127.0.0.1 to listen on. Default: one that is free.",
    )
    parser.add_argument(
        "--topic",
        dest="topics",
        type=topic_argument,
        action="append",
        default=[],
        metavar="NAME[:PARTITIONS]",
        help="Create a topic, with one partition unless said otherwise; may be repeated.",
    )


def main(args: argparse.Namespace) -> int:
    """Run the broker until Ctrl-C or SIGTERM; the exit code is 0 then, 1 when the broker died."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with memory_broker(dict(args.topics), port=args.port) as broker:
        example = broker.url(args.topics[0][0] if args.topics else "gcn")
        print(
            f"A memory broker is running at {broker.address}. Ctrl-C stops it. In another terminal:"
        )
        print(f"  hop publish --no-auth {example} -f CIRCULAR FILE")
        print(f"  hop subscribe --no-auth {example} -s EARLIEST", flush=True)
        while not stopped.wait(0.2):
            if not broker.running:
                print("hop: the memory broker ended unexpectedly; start it again", flush=True)
                return 1
    print("The broker has stopped.")
    return 0
