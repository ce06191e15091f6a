"""`hop publish`: publish messages."""

from __future__ import annotations

import argparse

from hop.publish._arguments import add_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hop.models import MessageModel

__all__ = ["add_arguments", "main", "messages"]


def messages(format_name: str, files: Sequence[str] = ()) -> Iterator[MessageModel]:
    """The messages in files of a format, or, where no file is named, those on standard input.

    Args:
        format_name: a member of `hop.io.Deserializer`, in upper case.
        files: the files, `-` being standard input. One of format JSON holds one JSON value, or one a line.
            Standard input holds one JSON value a line for JSON and BLOB, one message for other formats.

    Raises:
        CommandError: a file or line can't be read or parsed; names it.
    """
    from hop.models import JSONBlob
    from hop.publish._reading import AsRead, read

    # Who changes a message sends what it has become.
    return (
        JSONBlob(message.content) if type(message) is AsRead else message
        for message, _ in read(format_name, files)
    )


def main(args: argparse.Namespace) -> int:
    """Publish what the arguments name; returns when the broker has confirmed everything.

    Returns:
        The exit code: 0, or 130 where Ctrl-C or SIGTERM came first.

    Raises:
        CommandError: something could not be read or delivered; says what, and how many messages were delivered.
    """
    from hop.publish._command import publish

    return publish(args)
