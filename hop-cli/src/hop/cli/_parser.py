"""The parser of every command: errors on one line, examples as they are written, options and arguments in any order."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from hop.cli._text import escaped

_USAGE = 2


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Fits prose to the terminal, and leaves what is indented, examples above all, as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        import textwrap

        return "\n\n".join(
            part if "\n  " in part else textwrap.fill(part, width) for part in text.split("\n\n")
        )


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, like all errors of hop."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", _Formatter)
        super().__init__(**kwargs)

    def error(self, message: str) -> NoReturn:
        name = self.prog.partition(" ")[2]
        doing = f"{name}: " if name else ""
        text = " ".join(escaped(message).split())
        self.exit(_USAGE, f"hop: {doing}{text}; `{self.prog} --help` tells what can be given\n")


def add_commands(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[Any]:
    """Give a command commands of its own; the chosen one is then `args.command`."""
    return parser.add_subparsers(
        title="commands", metavar="<command>", dest="command", required=True
    )


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands that a command has, by their names."""
    # argparse keeps them in a list that it calls private and that every tool around it reads.
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Parse options and arguments in any order, which argparse by itself can't for commands of commands."""
    commands = commands_of(parser)
    if not commands:
        return parser.parse_intermixed_args(_without_urls_as_values(parser, arguments))
    place = next((i for i, word in enumerate(arguments) if not word.startswith("-")), None)
    if place is None and not {"-h", "--help"} & set(arguments):
        parser.error(f"name a command: {', '.join(commands)}")
    if place is None or arguments[place] not in commands:
        return parser.parse_args(arguments)  # help, or an error
    name = arguments[place]
    args = commands[name].parse_intermixed_args(arguments[:place] + arguments[place + 1 :])
    args.command = name
    return args


def _without_urls_as_values(parser: argparse.ArgumentParser, arguments: list[str]) -> list[str]:
    """Let an option whose value may be left out not take a broker's URL for it: `--robust kafka://…`."""
    optional = {
        name: f"{name}={action.const}"
        for action in parser._get_optional_actions()
        if action.nargs == "?"
        for name in action.option_strings
    }
    following = [*arguments, ""][1:]
    return [
        optional[word] if word in optional and after.startswith("kafka://") else word
        for word, after in zip(arguments, following, strict=True)
    ]
