"""`hop configure`: show and change settings."""

from __future__ import annotations

import argparse

from hop.cli._options import add_logging_opts, set_up_logger
from hop.cli._parser import add_commands

_EXAMPLE = "example:\n  hop configure set fetch_external false"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop configure` takes to an argument parser."""
    from hop.cli._settings import SETTINGS

    parser.description = "Show and change settings."
    parser.epilog = _EXAMPLE
    add_logging_opts(parser)
    commands = add_commands(parser)
    settings = "settings:\n" + "\n".join(f"  {s.name}: {s.meaning}" for s in SETTINGS.values())
    for name, text in (
        ("locate", "display configuration path"),
        ("show", "Display the settings, and where each comes from"),
        ("set", "Change a setting"),
    ):
        command = commands.add_parser(
            name, help=text, description=f"{text}.", epilog=f"{settings}\n\n{_EXAMPLE}"
        )
        add_logging_opts(command)
        if name == "set":
            command.add_argument(
                "name", metavar="NAME", choices=tuple(SETTINGS), help="The setting"
            )
            command.add_argument("value", metavar="VALUE", help="true or false")


def main(args: argparse.Namespace) -> None:
    """Do what the arguments say."""
    from hop.cli import _settings
    from hop.configure import get_config_path

    set_up_logger(args)
    if args.command == "locate":
        print(get_config_path())
    elif args.command == "show":
        width = max(map(len, _settings.SETTINGS))
        for name, value, origin in _settings.current():
            print(f"{name:{width}} = {str(value).lower():5}  ({origin})")
    else:
        _settings.store(args.name, args.value)
