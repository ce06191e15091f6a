"""`hop publish`: publish messages."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from hop.cli import CommandError, add_client_opts, add_logging_opts, set_up_logger
from hop.io import Deserializer, Stream, parse_url
from hop.models import JSONBlob, MessageModel

__all__ = ["add_arguments", "main", "messages"]

# formats of which standard input can hold many, one a line
_LINES = ("BLOB", "JSON")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Publish messages."
    add_client_opts(parser)
    parser.add_argument(
        "message",
        metavar="MESSAGE",
        nargs="*",
        help="File of messages to publish. (standard input is used if omitted)",
    )
    add_logging_opts(parser)
    parser.add_argument(
        "-f",
        "--format",
        type=str.upper,
        choices=tuple(Deserializer.__members__),
        default="BLOB",
        help="Specify the message format. Defaults to BLOB for an unstructured message.",
    )
    parser.add_argument(
        "-t",
        "--test",
        action="store_true",
        help="Mark messages as test messages by adding a header with key '_test'.",
    )


def messages(format_name: str, files: list[str]) -> Iterator[MessageModel]:
    """The messages in files of a format, or, where no file is named, those on standard input.

    Args:
        format_name: a member of `hop.io.Deserializer`, in upper case.
        files: the files. One of format JSON holds one JSON value, or one a line.

    Raises:
        CommandError: a file or line can't be read or parsed; names it.
    """
    if not files:
        yield from _standard_input(format_name)
    for name in files:
        try:
            if format_name == "JSON":
                yield from _json_values(name)
            else:
                yield Deserializer[format_name].load_file(name)
        except OSError as exc:
            raise CommandError(f"cannot publish {name}: {exc.strerror or exc}") from exc
        except ValueError as exc:
            raise CommandError(f"cannot publish {name} as {format_name}: {exc}") from exc


def main(args: argparse.Namespace) -> None:
    """Publish what the arguments name; returns when the broker has confirmed everything."""
    set_up_logger(args)
    target = parse_url(args.url)
    if len(target.topics) != 1:
        raise CommandError(
            f"cannot publish to {args.url}: name one topic, as in kafka://host/topic"
        )
    read = messages(args.format, args.message)
    # What can't even be read needs no broker to be refused.
    first = next(read, None)
    if first is None:
        raise CommandError("nothing to publish: standard input is empty")
    count = 0
    with Stream(auth=not args.no_auth).open(args.url, "w") as stream:
        for message in chain([first], read):
            stream.write(message, test=args.test)
            count += 1
    if not args.quiet:
        what = "message" if count == 1 else "messages"
        print(f"published {count} {what} to {target.topics[0]} at {target.broker}", file=sys.stderr)


def _json_values(name: str) -> Iterator[MessageModel]:
    text = Path(name).read_text(encoding="utf-8-sig")
    try:
        yield JSONBlob(json.loads(text))
        return
    except json.JSONDecodeError as exc:
        lines = text.splitlines()
        # Where the first line makes sense by itself, the file is one of JSON lines.
        if len(lines) < 2 or not _is_json(lines[0]):
            raise
        if not any(map(str.strip, lines)):
            raise exc
    yield from _json_lines(lines)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _json_lines(lines: Iterator[str] | list[str]) -> Iterator[MessageModel]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield JSONBlob(json.loads(line))
        except ValueError as exc:
            raise ValueError(f"line {number} is no JSON: {exc}") from exc


def _standard_input(format_name: str) -> Iterator[MessageModel]:
    if format_name not in _LINES:
        try:
            yield Deserializer[format_name].load(sys.stdin.buffer.read())
        except ValueError as exc:
            raise CommandError(f"cannot publish standard input as {format_name}: {exc}") from exc
        return
    try:
        yield from _json_lines(iter(sys.stdin.readline, ""))
    except ValueError as exc:
        raise CommandError(f"cannot publish standard input: {exc}") from exc
