"""`hop list-topics`: list available topics."""

from __future__ import annotations

import argparse

from hop.cli._options import add_client_opts, add_logging_opts, add_timeout, set_up_logger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka.admin import TopicMetadata

    from hop.auth import Auth

__all__ = ["add_arguments", "list_topics", "main"]

_EXAMPLE = """\
example:
  hop list-topics kafka://kafka.scimma.org/"""


def list_topics(
    url: str, auth: bool | Auth | Iterable[Auth] = True, timeout: float = -1
) -> dict[str, TopicMetadata]:
    """The topics that are accessible, as `hop.io.list_topics`."""
    from hop import io

    return io.list_topics(url, auth, timeout)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop list-topics` takes to an argument parser."""
    parser.description = "List available topics."
    parser.epilog = _EXAMPLE
    add_client_opts(parser)
    add_logging_opts(parser)
    add_timeout(parser, "How long to wait for the broker. Default: 10 s.")


def main(args: argparse.Namespace) -> None:
    """Print the topics that are accessible, one a line."""
    set_up_logger(args)
    topics = list_topics(args.url, not args.no_auth, args.timeout or -1)
    if not topics:
        print("No accessible topics")
        return
    print("Accessible topics:")
    for name in topics:
        print(f" {name}")
