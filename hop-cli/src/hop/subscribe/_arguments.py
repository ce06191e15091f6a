"""The arguments of `hop subscribe`."""

from __future__ import annotations

import argparse

from hop.cli._options import add_client_opts, add_logging_opts, add_timeout
from hop.cli._times import time

_EXAMPLES = """\
examples:
  hop subscribe kafka://kafka.scimma.org/sys.heartbeat
  hop subscribe kafka://kafka.scimma.org/gcn -s EARLIEST -e --summary
  hop subscribe kafka://kafka.scimma.org/gcn --since yesterday --until today --save alerts"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop subscribe` takes to an argument parser."""
    parser.description = "Subscribe to messages."
    parser.epilog = _EXAMPLES
    add_client_opts(parser, "to read messages from")
    add_logging_opts(parser)
    _add_range(parser)
    parser.add_argument(
        "-g",
        "--group-id",
        help="Consumer group ID. If unset, every message is read and no group is joined.",
    )
    parser.add_argument(
        "-t",
        "--test",
        action="store_true",
        help="Process test messages instead of ignoring them.",
    )
    parser.add_argument(
        "--where",
        type=_expression,
        metavar="JMESPATH",
        help="Only messages for whose content, as JSON, this JMESPath expression is true, such as"
        " \"alert_type == 'PRELIMINARY'\".",
    )
    _add_forms(parser)


def _add_range(parser: argparse.ArgumentParser) -> None:
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "-s",
        "--start-at",
        type=_start,
        default="LATEST",
        metavar="{EARLIEST,LATEST,-N}",
        help="Set the message offset to start at, -N being the last N messages of each partition."
        " Default: LATEST. With -g, for partitions that the group has not read yet.",
    )
    start.add_argument(
        "--since",
        type=time,
        metavar="TIME",
        help="Start with the first message written at this time or after it: RFC 3339, or 2h for two hours"
        " ago, or yesterday; UTC unless it says otherwise.",
    )
    parser.add_argument(
        "--until",
        type=time,
        metavar="TIME",
        help="Only messages written before this time, given as for --since. Ends when it has come.",
    )
    parser.add_argument(
        "-e",
        "--until-eos",
        action="store_true",
        help="If set, only subscribe until EOS is received (end of stream). "
        "Otherwise, listen to messages indefinitely.",
    )
    parser.add_argument(
        "-n", "--count", type=_count, metavar="COUNT", help="End after so many messages."
    )
    add_timeout(
        parser,
        "End when no message has come for so many seconds; with -n, the exit code is then 1.",
    )


def _add_forms(parser: argparse.ArgumentParser) -> None:
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "-j", "--json", action="store_true", help="Request message output as raw json"
    )
    forms.add_argument(
        "--json-metadata",
        action="store_true",
        help="One JSON object a line: topic, partition, offset, timestamp, key, headers, format, message."
        ' Bytes that are not text are {"base64": "..."}.',
    )
    forms.add_argument("--summary", action="store_true", help="One line a message.")
    parser.add_argument(
        "-D",
        "--delimiter",
        type=_delimiter,
        metavar="DELIM",
        help=r"What ends each message instead of a line end; \n, \t, \0 and \\ are understood.",
    )
    parser.add_argument(
        "--save",
        metavar="DIR",
        help="Save each message to a file of its own in this folder, in the form that `hop publish` reads;"
        " its name, which starts with the time, is printed unless -j or the like asks for more.",
    )


def _start(text: str) -> str | int:
    if text.upper() in ("EARLIEST", "LATEST"):
        return text.upper()
    if text.startswith("-") and _is_number(text[1:]):
        return int(text)
    raise argparse.ArgumentTypeError(
        f"invalid choice: {text!r} (choose from EARLIEST, LATEST, or -N for the last N messages)"
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < len(text) < 19 and int(text) > 0


def _count(text: str) -> int:
    if not _is_number(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of messages, 1 or more")
    return int(text)


def _delimiter(text: str) -> bytes:
    plain = {"n": "\n", "t": "\t", "0": "\0", "r": "\r", "\\": "\\"}
    parts = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            character = plain.get(following, f"\\{following}")
        parts.append(character)
    return "".join(parts).encode("utf-8", "surrogateescape")


def _expression(text: str) -> object:
    import jmespath  # type: ignore[import-untyped,unused-ignore]
    from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped,unused-ignore]

    try:
        return jmespath.compile(text)
    except (JMESPathError, RecursionError) as exc:
        reason = " ".join(str(exc).split())
        raise argparse.ArgumentTypeError(f"{text!r} is no JMESPath expression: {reason}") from None
