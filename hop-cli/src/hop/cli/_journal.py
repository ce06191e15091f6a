"""`hop journal`: what waits in the journal of a robust publisher."""

from __future__ import annotations

import argparse
import sys

from hop.cli._options import add_logging_opts, set_up_logger
from hop.cli._parser import add_commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hop.robust_publisher import QueuedMessage

DEFAULT_JOURNAL = "publisher.journal"

_COMMANDS = (
    ("show", "Show what waits in it: for which topic, how much, since when"),
    ("verify", "Find out whether it is sound; the exit code is 1 where it is damaged"),
    ("export", "Print the messages in it as JSON, one a line"),
    ("retry-dead", "Put the messages that the broker refused back into it"),
)
_DESCRIPTION = (
    "Look at the journal of a robust publisher: the messages that `hop publish --robust`, or a program that uses"
    " RobustProducer, has accepted and the broker has not confirmed. show, verify and export change nothing and"
    " disturb nobody who works on it."
)
_EXPORT = (
    "\n\nEach line is an object with sequence, topic (null for the publisher's own), key, headers (a list of pairs),"
    " format and message. Bytes that are no text, and the header _id always, are"
    ' {"base64": "..."}.'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop journal` takes to an argument parser."""
    parser.description = _DESCRIPTION
    parser.epilog = f"example:\n  hop journal show {DEFAULT_JOURNAL}"
    add_logging_opts(parser)
    commands = add_commands(parser)
    for name, text in _COMMANDS:
        command = commands.add_parser(
            name,
            help=text,
            description=f"{text}.{_EXPORT if name == 'export' else ''}",
            epilog=f"example:\n  hop journal {name} {DEFAULT_JOURNAL}",
        )
        command.add_argument(
            "path",
            nargs="?",
            metavar="PATH",
            default=DEFAULT_JOURNAL,
            help=f"The journal's file. Default: {DEFAULT_JOURNAL}.",
        )
        add_logging_opts(command)
        if name in ("show", "verify"):
            command.add_argument("--json", action="store_true", help="Print one JSON object.")
        elif name == "export":
            command.add_argument(
                "--dead",
                action="store_true",
                help="Instead of those that wait, print the messages that the broker refused, with the reason as"
                " refused.",
            )


def main(args: argparse.Namespace) -> int:
    """Do what the arguments say."""
    from hop.cli._errors import CommandError, explain
    from hop.robust_publisher import JournalError

    set_up_logger(args)
    doing = f"cannot {args.command} {args.path}"
    try:
        return _run(args)
    except FileNotFoundError as exc:
        raise CommandError(
            f"{doing}: there is no journal; name its file, or go to the folder where the publisher was started"
        ) from exc
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise CommandError(f"{doing}: {exc.strerror or exc}") from exc
    except JournalError as exc:
        raise CommandError(f"{doing}: {explain(exc)}") from exc


def _run(args: argparse.Namespace) -> int:
    from hop.robust_publisher import inspect_journal, retry_refused

    if args.command == "export":
        _export(args)
        return 0
    report = inspect_journal(args.path)
    if args.command == "retry-dead":
        count = retry_refused(args.path) if report.refused else 0
        if not args.quiet:
            print(_retried(args.path, count))
        return 0
    from hop.cli._journal_report import as_json, shown, verdict

    if args.json:
        print(as_json(report))
    elif args.command == "show":
        print(*shown(args.path, report), sep="\n")
    elif not args.quiet:
        print(*verdict(args.path, report), sep="\n")
    return 1 if report.damages and args.command == "verify" else 0


def _retried(path: str, count: int) -> str:
    if not count:
        return f"nothing in {path} was refused"
    messages = "1 message waits" if count == 1 else f"{count} messages wait"
    return f"{messages} in {path} again; whoever publishes with it next sends what waits"


def _export(args: argparse.Namespace) -> None:
    from hop.cli import CommandError, _json
    from hop.cli._text import printable
    from hop.models import decode
    from hop.robust_publisher import read_journal, read_refused

    if sys.stdout is None:
        raise CommandError("cannot print messages: standard output is closed")
    found: Iterable[tuple[QueuedMessage, dict[str, str]]]
    if args.dead:
        found = ((message, {"refused": reason}) for message, reason in read_refused(args.path))
    else:
        found = ((message, {}) for message in read_journal(args.path))
    for message, more in found:
        described = decode(message.headers, message.message).to_json_object()
        line = _json.line(
            {
                "sequence": message.sequence,
                "topic": message.topic,
                "key": _json.text_or_base64(message.key),
                "headers": _json.header_pairs(message.headers),
                **more,
                "format": described.pop("format"),
                "message": described.pop("content"),
                **described,
            }
        )
        sys.stdout.buffer.write(printable(line, sys.stdout))
