"""`hop auth`: configure credentials for authentication."""

from __future__ import annotations

import argparse

from hop import auth
from hop.cli._options import add_logging_opts, set_up_logger
from hop.configure import get_config_path

parse = argparse.ArgumentParser.parse_args


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Authentication configuration utilities."
    add_logging_opts(parser)
    commands = parser.add_subparsers(
        title="commands", metavar="<command>", dest="command", required=True
    )
    commands.add_parser("locate", help="display configuration path")
    commands.add_parser("list", help="Display all stored credentials")
    add = commands.add_parser(
        "add", help="Load a credential, specified either via a CSV file or interactively"
    )
    add.add_argument(
        "cred_file",
        nargs="?",
        metavar="CREDENTIALS_FILE",
        help="CSV file with the credential; it is asked for if omitted",
    )
    add.add_argument(
        "-f",
        "--force",
        action="store_true",
        help="If set, overwrite an existing credential of the same name.",
    )
    remove = commands.add_parser("remove", help="Delete a stored credential")
    remove.add_argument(
        "name",
        metavar="NAME",
        help="The user name, or <username>@<hostname> where that is ambiguous",
    )


def main(args: argparse.Namespace) -> None:
    set_up_logger(args)
    if args.command == "locate":
        print(get_config_path("auth"))
    elif args.command == "list":
        auth.list_credentials()
    elif args.command == "add":
        auth.add_credential(args)
    else:
        auth.delete_credential(args.name)
