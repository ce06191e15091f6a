"""`hop`: find the command, parse its arguments, run it, and say what went wrong."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from hop.cli._errors import CommandError, report
from hop.cli._parser import Parser, parse
from hop.cli._text import say_interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Command(Protocol):
        """What a command's module offers."""

        def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
        def main(self, args: argparse.Namespace) -> int | None: ...


# command: (module, one line of help); only the module of the command that is run is imported
COMMANDS = {
    "auth": ("hop.cli._auth", "Authentication utilities"),
    "completion": (
        "hop.cli._completion",
        "Print a script that completes hop's commands in a shell",
    ),
    "configure": ("hop.cli._configure", "Show and change settings"),
    "doctor": ("hop.cli._doctor", "Find out why a connection does not work"),
    "journal": ("hop.cli._journal", "Look at the journal of a robust publisher"),
    "list-topics": ("hop.list_topics", "Show accessible Kafka topics"),
    "publish": ("hop.publish", "Publish messages such as GCN circulars and notices"),
    "sandbox": ("hop.cli._sandbox", "Run a broker of your own, to try hop"),
    "subscribe": ("hop.subscribe", "Listen to messages such as GCN circulars and notices"),
    "version": ("hop.version", "Show version dependencies of hop-client"),
}

_USAGE = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the `hop` command.

    Args:
        argv: the arguments; by default those of the process.

    Returns:
        The exit code: 0 for success, 1 for failure, 130 for Ctrl-C. Wrong usage exits with 2.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = False
    while arguments and arguments[0] in ("-d", "--debug"):
        del arguments[0]
        debug = True
    if not arguments or arguments[0] not in COMMANDS:
        return _without_command(arguments)
    args = None
    try:
        command = load(arguments[0])
        parser = Parser(prog=f"hop {arguments[0]}")
        command.add_arguments(parser)
        args = parse(parser, arguments[1:])
        code = command.main(args) or 0
        _finish_output()
        return code
    except KeyboardInterrupt:
        _give_up_output()
        say_interrupted()
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough, as in `| head -1`.
        _give_up_output()
        return 0
    except Exception as exc:
        if debug:
            import traceback

            traceback.print_exc()
        report(exc, getattr(args, "url", None))
        _give_up_output()
        return 1


def load(name: str) -> Command:
    """The module of a command."""
    command: Command = import_module(COMMANDS[name][0])
    return command


def top_parser() -> Parser:
    """The parser of `hop` itself; commands are found by name before it is asked."""
    width = max(map(len, COMMANDS)) + 2
    table = "\n".join(f"  {name:{width}}{text}" for name, (_, text) in COMMANDS.items())
    parser = Parser(
        prog="hop",
        description="Publish and follow multimessenger astronomy alerts over Apache Kafka.",
        usage="hop [-h] [--version] [-d] <command> ...",
        epilog=f"commands:\n{table}\n\n`hop <command> --help` tells more about a command.\n\n"
        "example:\n  hop subscribe kafka://kafka.scimma.org/sys.heartbeat",
    )
    parser.add_argument("--version", action="store_true", help="show hop's version and exit")
    parser.add_argument(
        "-d", "--debug", action="store_true", help="show a traceback where a command fails"
    )
    return parser


def _without_command(arguments: list[str]) -> int:
    parser = top_parser()
    parser.add_argument("command", nargs="?", choices=COMMANDS, help=argparse.SUPPRESS)
    if parser.parse_args(arguments).version:
        from hop.cli._version import hop_version

        print(f"hop {hop_version()}")
        return 0
    parser.print_help(sys.stderr)
    return _USAGE


def _finish_output() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise CommandError(f"cannot write to standard output: {exc.strerror}") from exc


def _give_up_output() -> None:
    """What could not be written stays unwritten; the interpreter would try again at exit, and complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
