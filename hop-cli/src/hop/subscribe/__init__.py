"""`hop subscribe`: subscribe to messages and print them."""

from __future__ import annotations

import argparse
import json
import sys

from hop.cli import add_client_opts, add_logging_opts, set_up_logger
from hop.io import StartPosition, Stream
from hop.models import MessageModel

__all__ = ["add_arguments", "main", "print_message"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Subscribe to messages."
    add_client_opts(parser)
    add_logging_opts(parser)
    parser.add_argument(
        "-s",
        "--start-at",
        type=str.upper,
        choices=tuple(StartPosition.__members__),
        default=StartPosition.LATEST.name,
        help="Set the message offset to start at. Default: LATEST.",
    )
    parser.add_argument(
        "-e",
        "--until-eos",
        action="store_true",
        help="If set, only subscribe until EOS is received (end of stream). "
        "Otherwise, listen to messages indefinitely.",
    )
    parser.add_argument(
        "-g",
        "--group-id",
        help="Consumer group ID. If unset, every message is read and no group is joined.",
    )
    parser.add_argument(
        "-j", "--json", action="store_true", help="Request message output as raw json."
    )
    parser.add_argument(
        "-t",
        "--test",
        action="store_true",
        help="Process test messages instead of ignoring them.",
    )


def print_message(message: MessageModel, json_dump: bool = False) -> None:
    """Print a message to stdout.

    Args:
        message: the message.
        json_dump: whether to print it as one line of JSON (see `MessageModel.to_json_object`) instead of
            in the form that its model has as text. A blob is then written as the bytes that it is.
    """
    text = _json_line(message) if json_dump else bytes(message)
    sys.stdout.buffer.write(text if text.endswith(b"\n") else text + b"\n")
    sys.stdout.buffer.flush()


def main(args: argparse.Namespace) -> None:
    """Print messages until the end of the stream, or until Ctrl-C."""
    set_up_logger(args)
    stream = Stream(
        auth=not args.no_auth,
        start_at=StartPosition[args.start_at],
        until_eos=args.until_eos,
    )
    with stream.open(args.url, "r", args.group_id, ignoretest=not args.test) as s:
        try:
            for message in s:
                print_message(message, args.json)
        except KeyboardInterrupt:
            pass  # the documented way to end it


def _json_line(message: MessageModel) -> bytes:
    return json.dumps(message.to_json_object(), ensure_ascii=False).encode()
