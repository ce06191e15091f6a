"""`hop sandbox`: hop-sandbox's command where that is installed, else how to get it."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from hop.cli._errors import CommandError

if TYPE_CHECKING:
    from hop.cli._main import Command


def _command() -> Command | None:
    if find_spec("hop.sandbox") is None:
        return None
    return cast("Command", import_module("hop.sandbox.command"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    command = _command()
    if command is not None:
        command.add_arguments(parser)
        return
    parser.description = (
        "Run a broker of your own, to try hop. It is a part to be installed separately: "
        "pip install 'hop-client[sandbox]'"
    )
    parser.add_argument("options", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def main(args: argparse.Namespace) -> int | None:
    command = _command()
    if command is None:
        raise CommandError(
            "cannot run a broker: hop-sandbox is not installed; "
            "install it with: pip install 'hop-client[sandbox]'"
        )
    return command.main(args)
