"""The settings in `config.toml`, table `[config]`: booleans, which the environment overrides."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hop.cli._errors import CommandError

_TABLE = "config"
_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


@dataclass(frozen=True)
class Setting:
    """A setting, its default, and what it is for."""

    name: str
    default: bool
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return f"HOP_{self.name.upper()}"


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("fetch_external", True, "fetch messages that are too large for the broker"),
        Setting("automatic_offload", True, "upload messages that are too large for the broker"),
    )
}


def current() -> Iterator[tuple[str, bool, str]]:
    """Each setting's name, its value, and where that comes from.

    Raises:
        CommandError: the file or a variable can't be understood.
    """
    path = _path()
    stored = _checked(_parse(_read(path)[0], path), path)
    for name, setting in SETTINGS.items():
        text = os.environ.get(setting.variable, "").strip()
        if text:
            yield name, _boolean(text, setting.variable), f"from {setting.variable}"
        elif name in stored:
            yield name, stored[name], f"from {path}"
        else:
            yield name, setting.default, "default"


def store(name: str, text: str) -> None:
    """Change a setting in the file; the rest of it stays as it is.

    Raises:
        CommandError: the value is none, or the file can't be read, understood or written.
    """
    from hop.configure._files import locked, replace_file

    value = _boolean(text, name)
    path = _path()
    try:
        with locked(path):
            content, mode = _read(path)
            before = _parse(content, path)
            _checked(before, path)
            replace_file(path, _changed(content, before, name, value).encode(), mode)
    except OSError as exc:
        raise CommandError(f"cannot write {path}: {exc.strerror or exc}") from exc


def _path() -> Path:
    from hop.configure import get_config_path

    return Path(get_config_path())


def _read(path: Path) -> tuple[str, int]:
    from hop.configure._files import read_file

    try:
        content, mode = read_file(path)
        return content.decode(), mode
    except FileNotFoundError:
        return "", 0o600
    except OSError as exc:
        raise CommandError(f"cannot read {path}: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise CommandError(f"cannot read {path}: it is not text in UTF-8") from exc


def _parse(text: str, path: Path) -> dict[str, Any]:
    import tomli

    try:
        return tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as exc:
        raise CommandError(f"cannot read {path}: it is not TOML: {exc}; correct it") from exc


def _checked(settings: dict[str, Any], path: Path) -> dict[str, bool]:
    """What is stored under `[config]`, all of it booleans."""
    table = settings.get(_TABLE, {})
    if not isinstance(table, dict):
        raise CommandError(f"cannot use {path}: {_TABLE} is no table; write [{_TABLE}]")
    known = {name: value for name, value in table.items() if name in SETTINGS}
    for name, value in known.items():
        if not isinstance(value, bool):
            raise CommandError(
                f"cannot use {path}: {name} in [{_TABLE}] is {value!r}; it has to be true or false"
            )
    return known


def _boolean(text: str, what: str) -> bool:
    try:
        return _WORDS[text.strip().lower()]
    except KeyError:
        raise CommandError(f"cannot use {text!r} for {what}: it has to be true or false") from None


def _changed(text: str, before: dict[str, Any], name: str, value: bool) -> str:
    """The file's text with a setting changed; comments stay where they can."""
    import tomli
    import tomli_w

    word = str(value).lower()
    wanted = {**before, _TABLE: {**before.get(_TABLE, {}), name: value}}
    header = re.search(rf"^[ \t]*\[[ \t]*{_TABLE}[ \t]*\][^\n]*$", text, re.MULTILINE)
    if header is None:
        gap = "\n" if text and not text.endswith("\n") else ""
        new = f"{text}{gap}[{_TABLE}]\n{name} = {word}\n"
    else:
        following = re.search(r"^[ \t]*\[", text[header.end() :], re.MULTILINE)
        end = header.end() + following.start() if following else len(text)
        table = text[header.end() : end]
        line = re.compile(rf"^([ \t]*{name}[ \t]*=[ \t]*)(?:true|false)\b", re.MULTILINE)
        if line.search(table):
            table = line.sub(rf"\g<1>{word}", table, count=1)
        else:
            table = f"\n{name} = {word}{table or chr(10)}"
        new = text[: header.end()] + table + text[end:]
    try:
        if tomli.loads(new) == wanted:
            return new
    except tomli.TOMLDecodeError:
        pass
    # Written in one of TOML's other ways (`config.fetch_external = …`): then comments are lost.
    return tomli_w.dumps(wanted)
