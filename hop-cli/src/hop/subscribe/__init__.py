"""`hop subscribe`: subscribe to messages and print them."""

from __future__ import annotations

import argparse
import sys

from hop.subscribe._arguments import add_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hop.models import MessageModel

__all__ = ["add_arguments", "main", "print_message"]


def print_message(message: MessageModel, json_dump: bool = False) -> None:
    """Print a message to stdout, at once.

    Args:
        message: the message.
        json_dump: whether to print it as one line of JSON (see `MessageModel.to_json_object`) instead of
            in the form that its model has as text. A blob is then written as the bytes that it is, unless
            stdout is a terminal, on which control characters are escaped.
    """
    from hop.cli._text import printable
    from hop.subscribe._forms import as_json, as_text

    data = as_json(message) if json_dump else as_text(message)
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:  # a notebook's, or `redirect_stdout` to a StringIO
        sys.stdout.write(data.decode("utf-8", "backslashreplace"))
        return
    sys.stdout.flush()
    buffer.write(printable(data, sys.stdout))
    buffer.flush()


def main(args: argparse.Namespace) -> int:
    """Print messages until the end of the stream, or until Ctrl-C.

    Returns:
        The exit code: 0, or 1 where fewer messages came in time than were asked for.
    """
    from hop.subscribe._command import subscribe

    return subscribe(args)
