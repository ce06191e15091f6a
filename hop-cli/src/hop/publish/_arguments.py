"""The arguments of `hop publish`."""

from __future__ import annotations

import argparse

from hop.cli._journal import DEFAULT_JOURNAL
from hop.cli._options import add_client_opts, add_logging_opts, add_timeout

_EXAMPLES = """\
examples:
  hop publish kafka://kafka.scimma.org/my.topic -f CIRCULAR example.gcn3
  echo '{"my": "message"}' | hop publish kafka://kafka.scimma.org/my.topic -f JSON"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop publish` takes to an argument parser."""
    parser.description = "Publish messages."
    parser.epilog = _EXAMPLES
    add_client_opts(parser, "to publish messages to")
    parser.add_argument(
        "message",
        metavar="MESSAGE",
        nargs="*",
        help="File of messages to publish. (standard input is used if omitted, or for -)",
    )
    add_logging_opts(parser)
    parser.add_argument(
        "-f",
        "--format",
        type=str.upper,
        choices=_formats(),
        default="BLOB",
        help="Specify the message format. Defaults to BLOB for an unstructured message.",
    )
    parser.add_argument(
        "-t",
        "--test",
        action="store_true",
        help="Mark messages as test messages by adding a header with key '_test'.",
    )
    parser.add_argument(
        "--header",
        action="append",
        type=_header,
        default=[],
        metavar="K=V",
        help="Attach a header to each message; may be repeated.",
    )
    parser.add_argument(
        "--key",
        metavar="K",
        help="The messages' key: what has the same goes to the same partition.",
    )
    add_timeout(
        parser,
        "How long to wait for the broker: to connect (default 10 s; not with --robust), and, at the end, until"
        " it has confirmed every message (default 60 s).",
    )
    parser.add_argument(
        "--robust",
        nargs="?",
        const=DEFAULT_JOURNAL,
        metavar="JOURNAL",
        help="Keep the messages in this file until the broker has confirmed them, so that none is lost, and send"
        f" also what waits in it from before. Default: {DEFAULT_JOURNAL}. See `hop journal`.",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="Read and check the messages, but do not connect, and send nothing.",
    )


def _formats() -> tuple[str, ...]:
    from hop.models import message_models

    names = [name.upper() for name in message_models()]
    documented = ["VOEVENT", "CIRCULAR", "BLOB", "JSON", "AVRO"]
    return tuple(dict.fromkeys([*documented, *names]))


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form K=V")
    if name.startswith("_"):
        raise argparse.ArgumentTypeError(
            f"{name!r} is reserved, since it starts with an underscore; choose another name"
        )
    return name, value
