"""`hop`: find the command, parse its arguments, run it, and say what went wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

# command: (module, one line of help); only the module of the command that is run is imported
COMMANDS = {
    "auth": ("hop.cli._auth", "Authentication utilities"),
    "list-topics": ("hop.list_topics", "Show accessible Kafka topics"),
    "publish": ("hop.publish", "Publish messages such as GCN circulars and notices"),
    "sandbox": ("hop.cli._sandbox", "Run a broker of your own, to try hop"),
    "subscribe": ("hop.subscribe", "Listen to messages such as GCN circulars and notices"),
    "version": ("hop.version", "Show version dependencies of hop-client"),
}

_USAGE = 2
_INTERRUPTED = 130


class Command(Protocol):
    """What a command's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def main(self, args: argparse.Namespace) -> int | None: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the `hop` command.

    Args:
        argv: the arguments; by default those of the process.

    Returns:
        The exit code: 0 for success, 1 for failure, 130 for Ctrl-C. Wrong usage exits with 2.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else ""
    if name not in COMMANDS:
        return _without_command(arguments)
    command = cast("Command", import_module(COMMANDS[name][0]))
    parser = argparse.ArgumentParser(prog=f"hop {name}")
    # Options and positionals come in any order, which argparse can't do for commands of commands.
    parse = getattr(command, "parse", argparse.ArgumentParser.parse_intermixed_args)
    try:
        command.add_arguments(parser)
        code = command.main(parse(parser, arguments[1:])) or 0
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough, as in `| head -1`. The interpreter would complain again
        # when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as exc:
        print(f"hop: {_one_line(exc)}", file=sys.stderr)
        return 1


def _without_command(arguments: list[str]) -> int:
    width = max(map(len, COMMANDS)) + 2
    table = "\n".join(f"  {name:{width}}{text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="hop",
        description="Publish and follow multimessenger astronomy alerts over Apache Kafka.",
        usage="hop [-h] <command> ...",
        epilog=f"commands:\n{table}\n\n`hop <command> --help` tells more about a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, help=argparse.SUPPRESS)
    parser.parse_args(arguments)
    parser.print_help(sys.stderr)
    return _USAGE


def _one_line(exc: Exception) -> str:
    text = " ".join(str(exc).split())
    return text or f"unexpected {type(exc).__name__}"
