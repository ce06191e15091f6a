"""`hop doctor`: find out why a connection does not work."""

from __future__ import annotations

import argparse

from hop.cli._options import add_timeout
from hop.cli._text import colour, escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hop.cli._checks import Result

_GREEN, _RED = 32, 31
_WORDS = {True: "ok", False: "wrong", None: "-"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop doctor` takes to an argument parser."""
    parser.description = (
        "Go through what a connection needs, from the broker's name to your permissions, and say of each"
        " whether it is right, or the one thing to do. The exit code is 1 when something is wrong."
    )
    parser.epilog = "example:\n  hop doctor kafka://kafka.scimma.org/my.topic"
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help="The broker and maybe topics (kafka://[user@]host[:port]/topic). Default: the broker that"
        " your credential is for.",
    )
    parser.add_argument("--no-auth", action="store_true", help="If set, disable authentication.")
    parser.add_argument(
        "-g",
        "--group-id",
        help="The consumer group to check the permission for. Default: one that starts with your user name.",
    )
    add_timeout(parser, "How long to wait at each step. Default: 10 s.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")


def main(args: argparse.Namespace) -> int:
    """Print what is right and what is wrong."""
    import logging

    from hop.cli._checks import DEFAULT_TIMEOUT, examine

    # Whatever is worth a warning is one of the results.
    logging.getLogger("hop").addHandler(logging.NullHandler())
    url, results = examine(
        args.url, not args.no_auth, args.group_id, args.timeout or DEFAULT_TIMEOUT
    )
    if args.json:
        import json
        from dataclasses import asdict

        found = list(results)
        ok = all(result.ok is not False for result in found)
        print(json.dumps({"url": url, "ok": ok, "checks": [asdict(r) for r in found]}, indent=2))
        return 0 if ok else 1
    print(url)
    well = True
    for result in results:
        print(_line(result), flush=True)
        well = well and result.ok is not False
    return 0 if well else 1


def _line(result: Result) -> str:
    word = f"{_WORDS[result.ok]:5}"
    if result.ok is not None:
        word = colour(word, _GREEN if result.ok else _RED)
    to_do = f"; {result.to_do}" if result.to_do else ""
    found = " ".join(escaped(f"{result.found}{to_do}").split())
    return f"{word}  {result.check:11}  {found}"
