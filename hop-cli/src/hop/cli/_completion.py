"""`hop completion`: scripts with which a shell completes hop's commands and options."""

from __future__ import annotations

import argparse
from typing import Any

from hop.cli._parser import Parser

_SHELLS = ("bash", "zsh", "fish")
_FILE, _FOLDER = "file", "folder"
# what an argument is called in the help: what its value is the name of
_NAMES = {
    "CREDENTIALS_FILE": _FILE,
    "JOURNAL": _FILE,
    "MESSAGE": _FILE,
    "PATH": _FILE,
    "DIR": _FOLDER,
}
_EXAMPLES = """\
examples:
  hop completion bash > ~/.local/share/bash-completion/completions/hop
  hop completion zsh > ~/.zfunc/_hop      # with fpath+=~/.zfunc before compinit
  hop completion fish > ~/.config/fish/completions/hop.fish"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop completion` takes to an argument parser."""
    parser.description = "Print a script that completes hop's commands in a shell."
    parser.epilog = _EXAMPLES
    parser.add_argument("shell", choices=_SHELLS, help="The shell")


def main(args: argparse.Namespace) -> None:
    """Print the script for a shell."""
    import shtab

    parser = whole_parser()
    _prepare(parser, {_FILE: shtab.FILE, _FOLDER: shtab.DIRECTORY})
    print(shtab.complete(parser, args.shell))


def _prepare(parser: argparse.ArgumentParser, kinds: dict[str, Any]) -> None:
    """Say which arguments are names of files and folders, and describe commands in one line."""
    for action in parser._actions:
        kind = _NAMES.get(str(action.metavar))
        if kind is not None:
            action.complete = kinds[kind]  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            # The help lines are kept where argparse prints them from.
            for line in action._choices_actions:
                command = action.choices[line.dest]
                command.description = line.help
                _prepare(command, kinds)


def whole_parser() -> Parser:
    """The parser of `hop` with every command that can be run here, as one tree."""
    from hop.cli._errors import CommandError
    from hop.cli._main import COMMANDS, load, top_parser

    parser = top_parser()
    commands = parser.add_subparsers(metavar="<command>", dest="command")
    for name, (_, text) in COMMANDS.items():
        command = Parser(prog=f"hop {name}")
        try:
            load(name).add_arguments(command)
        except CommandError:  # what it needs is not installed
            continue
        added = commands.add_parser(
            name, help=text, parents=[command], add_help=False, prog=command.prog
        )
        added.description, added.epilog = command.description, command.epilog
    return parser
