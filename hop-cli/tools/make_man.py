#!/usr/bin/env python3
"""Write the manual pages in `man/` from the parsers of hop's commands: `python hop-cli/tools/make_man.py`.

They are part of the wheel, and therefore of the checkout: building a wheel needs none of hop's dependencies. A test
finds out when they are not what this makes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hop.cli.__about__ import __version__
from hop.cli._completion import whole_parser
from hop.cli._main import COMMANDS
from hop.cli._parser import commands_of

FOLDER = Path(__file__).parent.parent / "man"
# It belongs to hop-sandbox, which need not be there.
NOT_OURS = {"sandbox"}

EXIT_STATUS = """\
.SH EXIT STATUS
0 for success, 1 for failure, 2 where the command was called wrongly,
130 where Ctrl\\-C stopped it in the middle of its work.
"""
ENVIRONMENT = """\
.SH ENVIRONMENT
.TP
.B HOP_USERNAME, HOP_PASSWORD, HOP_HOST, HOP_CREDENTIALS_FILE
A credential to use instead of the stored ones, or the file that holds it.
.TP
.B HOP_FETCH_EXTERNAL, HOP_AUTOMATIC_OFFLOAD
Settings, see
.BR hop\\-configure (1).
.TP
.B NO_COLOR
If set, nothing is coloured.
"""


def pages() -> dict[str, str]:
    """The text of each page by the name of its file."""
    parser = whole_parser()
    commands = {
        name: command for name, command in commands_of(parser).items() if name not in NOT_OURS
    }
    names = ", ".join(f".BR hop\\-{_roff(name)} (1)" for name in commands)
    top = [
        _head("hop", "publish and follow multimessenger astronomy alerts"),
        ".SH SYNOPSIS\n.B hop\n[\\-d] <command> ...\n",
        f".SH DESCRIPTION\n{_roff(parser.description or '')}\n",
        ".SH OPTIONS\n",
        *map(_option, _options(parser)),
        ".SH COMMANDS\n",
        *(f".TP\n.B hop {_roff(name)}\n{_roff(COMMANDS[name][1])}\n" for name in commands),
        EXIT_STATUS,
        ENVIRONMENT,
        ".SH SEE ALSO\n",
        names.replace(", ", " ,\n") + "\n",
    ]
    found = {"hop.1": "".join(top)}
    for name, command in commands.items():
        found[f"hop-{name}.1"] = "".join(_page(name, command))
    return found


def _page(name: str, parser: argparse.ArgumentParser) -> list[str]:
    help_line = COMMANDS[name][1]
    lines = [
        _head(f"hop-{name}", help_line[0].lower() + help_line[1:]),
        f".SH SYNOPSIS\n{_synopsis(parser)}",
        f".SH DESCRIPTION\n{_roff(parser.description or '')}\n",
        *_arguments(parser, ".SH "),
    ]
    for subcommand, subparser in commands_of(parser).items():
        lines.append(f".SH hop {_roff(name)} {_roff(subcommand)}\n{_synopsis(subparser)}.PP\n")
        lines.append(f"{_roff(subparser.description or '')}\n")
        lines.extend(_arguments(subparser, ".SS "))
    title, _, example = (parser.epilog or "").partition("\n")
    lines.append(f".SH {title.rstrip(':').upper()}\n.nf\n{_roff(example)}\n.fi\n")
    lines.append(EXIT_STATUS)
    lines.append(".SH SEE ALSO\n.BR hop (1)\n")
    return lines


def _head(name: str, what: str) -> str:
    title = _roff(name.upper())
    return f'.TH {title} 1 "" "hop\\-cli {__version__}" "hop"\n.SH NAME\n{_roff(name)} \\- {_roff(what)}\n'


def _synopsis(parser: argparse.ArgumentParser) -> str:
    words = []
    for action in parser._get_positional_actions():
        if isinstance(action, argparse._SubParsersAction):
            words.append("<command> ...")
            continue
        name = str(action.metavar or action.dest)
        words.append({"?": f"[{name}]", "*": f"[{name} ...]"}.get(str(action.nargs), name))
    return f".B {_roff(parser.prog)}\n[options] {_roff(' '.join(words))}\n"


def _arguments(parser: argparse.ArgumentParser, heading: str) -> list[str]:
    positionals = [
        action
        for action in parser._get_positional_actions()
        if not isinstance(action, argparse._SubParsersAction)
    ]
    return [
        *([f"{heading}ARGUMENTS\n"] if positionals else []),
        *(_option(action) for action in positionals),
        f"{heading}OPTIONS\n",
        *map(_option, _options(parser)),
    ]


def _options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._get_optional_actions()


def _option(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar or _choices(action))
    words = " ".join(filter(None, [", ".join(action.option_strings), value]))
    return f".TP\n.B {_roff(words)}\n{_roff(action.help or '')}\n"


def _choices(action: argparse.Action) -> str:
    if action.choices is not None:
        return f"{{{','.join(map(str, action.choices))}}}"
    return action.dest.upper() if action.option_strings else action.dest


def _roff(text: str) -> str:
    """Text in which nothing is a request or an escape to roff."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in lines)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in pages().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
    sys.exit(0)
