"""Options and log settings that several commands have."""

from __future__ import annotations

import argparse

_LOG_FORMAT = "%(asctime)s | hop : %(levelname)s : %(message)s"


def add_client_opts(parser: argparse.ArgumentParser) -> None:
    """Add general client options to an argument parser: the broker's URL and `--no-auth`.

    Args:
        parser: the parser to add to.
    """
    parser.add_argument(
        "url",
        metavar="URL",
        help="Sets the URL (kafka://host[:port]/topic) of the broker and topic.",
    )
    parser.add_argument("--no-auth", action="store_true", help="If set, disable authentication.")


def add_logging_opts(parser: argparse.ArgumentParser) -> None:
    """Add logging options to an argument parser: `--quiet` and `--verbose`.

    Args:
        parser: the parser to add to.
    """
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="If set, only display warnings and errors.",
    )
    group.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="If set, display additional logging messages.",
    )


def get_log_level(args: argparse.Namespace) -> int:
    """Determine the log level from the logging options.

    Args:
        args: the parsed arguments.

    Returns:
        `logging.WARNING` if quiet, `logging.DEBUG` if verbose, else `logging.INFO`.
    """
    import logging  # a third of what `hop --help` may cost

    if args.quiet:
        return logging.WARNING
    return logging.DEBUG if args.verbose else logging.INFO


def set_up_logger(args: argparse.Namespace) -> None:
    """Send hop's log to stderr, from the level that the logging options name.

    Args:
        args: the parsed arguments.
    """
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_LOG_FORMAT))
    logger = logging.getLogger("hop")
    logger.setLevel(get_log_level(args))
    logger.handlers[:] = [handler]
