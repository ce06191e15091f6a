"""What `hop subscribe` does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any

from hop.cli import CommandError, set_up_logger
from hop.io import Consumer, Metadata, StartPosition, Stream
from hop.models import MessageModel
from hop.subscribe._forms import as_json, as_json_with_metadata, as_summary, as_text
from hop.subscribe._output import Output
from hop.subscribe._save import Folder
from hop.subscribe._select import Selection
from hop.subscribe._watch import Watch, stopped_by_signals, while_read

Form = Callable[[MessageModel, Any], bytes]


def subscribe(args: argparse.Namespace) -> int:
    """Print messages until the end of the stream, or until Ctrl-C."""
    set_up_logger(args)
    now = datetime.now(timezone.utc)
    past = args.until is not None and args.until <= now
    form = _form(args)
    stream = Stream(
        auth=not args.no_auth,
        start_at=_start(args),
        # What was written before a time in the past is all there.
        until_eos=args.until_eos or past,
    )
    with stream.open(args.url, "r", args.group_id, ignoretest=not args.test) as consumer:
        selection = Selection(args, past)
        left = None if args.until is None or past else (args.until - now).total_seconds()
        watch = Watch(consumer.stop, args.timeout, left)
        output = Output(consumer.mark_done, consumer.stop)
        grouped, most = bool(args.group_id), args.count
        count = 0
        try:
            with (
                stopped_by_signals(consumer.stop),
                while_read(sys.stdout, output.reader_is_gone),
            ):
                for message, metadata in _received(consumer, args):
                    done = metadata if grouped else None
                    if selection.everything or selection.accepts(message, metadata):
                        if args.timeout is not None:
                            watch.touch()
                        output.write(form(message, metadata), done)
                        count += 1
                    elif done is not None:
                        output.write(b"", done)
                    if count == most or selection.finished:
                        break
        finally:
            watch.close()
            output.close()
    if watch.idle and args.count is not None:
        raise CommandError(
            f"cannot read {args.count} messages from {args.url}: {count} came, and then none "
            f"for {args.timeout:g} s"
        )
    return 0


def _start(args: argparse.Namespace) -> StartPosition | datetime | int:
    if args.since is not None:
        since: datetime = args.since
        return since
    return StartPosition[args.start_at] if isinstance(args.start_at, str) else int(args.start_at)


def _received(
    consumer: Consumer, args: argparse.Namespace
) -> Iterable[tuple[MessageModel, Metadata | None]]:
    """The messages, with metadata where anything needs them: making them takes its time."""
    if args.group_id or args.json or args.json_metadata or args.summary or args.save or args.until:
        # A message is done when it has been printed, which is not when the next one is asked for.
        return consumer.read(metadata=True, autocommit=False)
    return ((message, None) for message in consumer.read())


def _form(args: argparse.Namespace) -> Form:
    """From a message and its metadata to what is printed."""
    shown = _shown(args)
    if args.save is None:
        return shown
    folder = Folder(args.save)
    only_saved = not (args.json or args.json_metadata or args.summary)
    end = b"\n" if args.delimiter is None else args.delimiter

    def save(message: MessageModel, metadata: Metadata) -> bytes:
        path = folder.save(message, metadata)
        return bytes(path) + end if only_saved else shown(message, metadata)

    return save


def _shown(args: argparse.Namespace) -> Form:
    end: bytes | None = args.delimiter
    line: Form | None = None
    if args.json:
        line = as_json
    elif args.json_metadata:
        line = as_json_with_metadata
    elif args.summary:
        line = as_summary
    if line is None:
        return lambda message, _: as_text(message, end)
    if end is None:
        return line
    return lambda message, metadata: line(message, metadata)[:-1] + end
