"""`hop sandbox`: hop-sandbox's command where that is installed, else how to get it."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from hop.cli._errors import CommandError

if TYPE_CHECKING:
    from hop.cli._main import Command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    if find_spec("hop.sandbox") is None:
        raise CommandError(
            "cannot run a broker: hop-sandbox is not installed; "
            "install it with: pip install 'hop-client[sandbox]'"
        )
    _command().add_arguments(parser)


def main(args: argparse.Namespace) -> int | None:
    return _command().main(args)


def _command() -> Command:
    return cast("Command", import_module("hop.sandbox.command"))
