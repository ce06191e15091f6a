"""Options and log settings that several commands have."""

from __future__ import annotations

import argparse

_LOG_FORMAT = "%(asctime)s | hop : %(levelname)s : %(message)s"
_LONGEST = 365 * 86400.0


def add_client_opts(
    parser: argparse.ArgumentParser, purpose: str = "of the broker and topic"
) -> None:
    """Add general client options to an argument parser: the broker's URL and `--no-auth`.

    Args:
        parser: the parser to add to.
        purpose: what the URL is for, as the help says it.
    """
    parser.add_argument(
        "url", metavar="URL", help=f"Sets the URL (kafka://host[:port]/topic) {purpose}."
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


def add_timeout(parser: argparse.ArgumentParser, text: str) -> None:
    """Add `--timeout SEC` to an argument parser; None when it is not given."""
    parser.add_argument("--timeout", type=seconds, metavar="SEC", help=text)


def seconds(text: str) -> float:
    """A number of seconds more than 0, as an argument of a command."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, such as 2.5")
    return value


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

    from hop.cli._text import escaped

    class Formatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return escaped(super().format(record))

    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(_LOG_FORMAT))
    logger = logging.getLogger("hop")
    logger.setLevel(get_log_level(args))
    logger.handlers[:] = [handler]
