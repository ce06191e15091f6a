"""`hop auth`: configure credentials for authentication."""

from __future__ import annotations

import argparse
import os
import sys

from hop.cli._errors import CommandError
from hop.cli._options import add_logging_opts, add_timeout, set_up_logger
from hop.cli._parser import add_commands
from hop.cli._text import is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hop.auth import Auth

_ADD_GUIDE = """\
You can get a credential from https://my.hop.scimma.org, where you are shown a user name and a password.
Type or paste them here; the password is not shown. The hostname says for which broker the credential is;
without one it is for any. Ctrl-C stops, and stores nothing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop auth` takes to an argument parser."""
    parser.description = "Authentication configuration utilities."
    parser.epilog = "example:\n  hop auth add credentials.csv"
    add_logging_opts(parser)
    commands = add_commands(parser)

    def command(name: str, text: str, example: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = commands.add_parser(
            name, help=text, description=f"{text}.", epilog=f"example:\n  hop auth {example}"
        )
        add_logging_opts(added)
        return added

    command("locate", "display configuration path", "locate")
    command("list", "Display all stored credentials", "list")
    add = command(
        "add",
        "Load a credential, specified either via a CSV file or interactively",
        "add credentials.csv",
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
    remove = command("remove", "Delete a stored credential", "remove alice-1234@kafka.scimma.org")
    remove.add_argument(
        "name",
        metavar="NAME",
        help="The user name, or <username>@<hostname> where that is ambiguous",
    )
    test = command("test", "Log in to a broker, and say as whom", "test kafka://kafka.scimma.org/")
    test.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help="The broker (kafka://[user@]host[:port]/). Default: the one that the credential is for.",
    )
    add_timeout(test, "How long to wait for the broker. Default: 10 s.")


def main(args: argparse.Namespace) -> None:
    """Do what the arguments say."""
    set_up_logger(args)
    if args.command == "locate":
        from hop.configure import get_config_path

        print(get_config_path("auth"))
    elif args.command == "list":
        _list()
    elif args.command == "add":
        _add(args)
    elif args.command == "remove":
        from hop.auth import delete_credential

        delete_credential(args.name)
        if not args.quiet:
            print(f"Removed {args.name}")
    else:
        _test(args)


def _list() -> None:
    from hop.auth import CredentialFileNotFoundError, load_auth
    from hop.auth._store import ADVICE, NO_CREDENTIALS
    from hop.configure import get_config_path

    try:
        stored = load_auth(get_config_path("auth"))
    except CredentialFileNotFoundError:
        # Releases before 0.5 kept them with the settings.
        try:
            stored = load_auth(get_config_path("general"))
        except CredentialFileNotFoundError:
            stored = []
        if not stored:
            raise
    if not stored:
        raise CommandError(f"{NO_CREDENTIALS}: {get_config_path('auth')} holds none. {ADVICE}")
    for cred in stored:
        print(f"{_name(cred)} ({cred.mechanism})")
    for variable in ("HOP_USERNAME", "HOP_CREDENTIALS_FILE"):
        if os.environ.get(variable):
            print(
                f"{variable} is set: as long as it is, hop does not use the stored credentials",
                file=sys.stderr,
            )


def _add(args: argparse.Namespace) -> None:
    from hop.auth import add_credential
    from hop.configure import get_config_path

    if args.cred_file is None and is_terminal(sys.stdin) and not args.quiet:
        print(_ADD_GUIDE)
    stored = add_credential(args)
    if args.quiet:
        return
    print(f"Stored {_names(stored)} in {get_config_path('auth')}")
    if args.cred_file is not None:
        from shlex import quote

        print(f"The password is still in {args.cred_file}; delete it: rm {quote(args.cred_file)}")
    elif is_terminal(sys.stdin):
        print("`hop auth test` tries it.")


def _test(args: argparse.Namespace) -> None:
    from hop.auth import load_auth, select_matching_auth
    from hop.cli._target import default_url
    from hop.io import list_topics, parse_url

    known = load_auth()
    # What is said about an error names the broker that was tried.
    args.url = args.url or default_url(known)
    target = parse_url(args.url)
    cred = select_matching_auth(known, target.broker, target.user)
    topics = list_topics(f"kafka://{target.broker}/", cred, args.timeout or -1)
    count = "1 topic" if len(topics) == 1 else f"{len(topics)} topics"
    print(
        f"Logged in to {target.broker} as {cred.username} ({cred.mechanism}), who may use {count}"
    )


def _names(creds: Iterable[Auth]) -> str:
    return ", ".join(map(_name, creds))


def _name(cred: Auth) -> str:
    return f"{cred.username} for {cred.hostname}" if cred.hostname else cred.username
