"""The text of a file with credentials, and how to change it so that the rest stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from hop.auth._auth import Auth
from hop.auth._errors import MalformedCredentialsError
from hop.auth._tables import FIELDS, auth_from_fields, fields_from_auth

_HEADER = r"""\s*\[\[?\s*(auth|"auth"|'auth')\s*\]\]?\s*(\#.*)?$"""
_NO_CREDENTIALS = r"(?m)^[ \t]*auth[ \t]*=[ \t]*\[\s*\][ \t\r]*\n"
_FORM = "put [[auth]] on a line of its own before the fields of each credential"


class Entry(NamedTuple):
    """A credential, and its table as it stands in the file with whatever else is in it."""

    auth: Auth
    table: dict[str, Any]


class Document(NamedTuple):
    """A file with credentials: its text and what it means."""

    path: Path
    text: str
    data: dict[str, Any]
    entries: list[Entry]


def parse_toml(content: bytes, path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text and the data of a TOML file.

    Raises:
        MalformedCredentialsError: it is not TOML.
    """
    import tomli

    try:
        text = content.decode("utf-8-sig")
        return text, tomli.loads(text)
    except UnicodeDecodeError as exc:
        raise MalformedCredentialsError(
            f"{path} is not UTF-8 text (byte {exc.start + 1}): save it as such, or remove it and "
            "run `hop auth add`"
        ) from None
    except tomli.TOMLDecodeError as exc:
        raise MalformedCredentialsError(
            f"{path} is not valid TOML: {exc}; correct it there, or remove the file and run "
            "`hop auth add`"
        ) from None
    except RecursionError:
        raise MalformedCredentialsError(f"{path} is nested too deeply") from None


def parse_document(content: bytes, path: Path) -> Document:
    """Return what a file with credentials says.

    Raises:
        MalformedCredentialsError: it is not TOML, or it is about something else, or a field of a
            credential is wrong.
    """
    text, data = parse_toml(content, path)
    if data and "auth" not in data:
        raise MalformedCredentialsError(f"{path} has no credential: {_FORM}")
    return Document(path, text, data, parse_entries(data, path))


def parse_entries(data: dict[str, Any], path: Path) -> list[Entry]:
    """Return the credentials in the data of a TOML file.

    Raises:
        MalformedCredentialsError: a field of a credential is wrong.
    """
    tables = data.get("auth", [])
    if isinstance(tables, dict):
        tables = [tables]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise MalformedCredentialsError(f"{path}: auth must be an array of tables: {_FORM}")
    entries = []
    for number, table in enumerate(tables, 1):
        where = f"{path}, credential {number}"
        entries.append(Entry(auth_from_fields(table, where), table))
        unknown = [repr(field) for field in table if field not in FIELDS]
        if unknown:
            import logging

            # a misspelt hostname would make the credential good for every broker
            logging.getLogger("hop.auth").warning(
                "%s: ignoring what hop does not know: %s", where, ", ".join(unknown)
            )
    return entries


def render(document: Document, credentials: Iterable[Auth] | None, *, rest: bool = True) -> str:
    """Return the text of a file with these credentials, everything else being as it was.

    Tables of credentials that stay are taken over with their comments and unknown fields.

    Args:
        document: the file until now.
        credentials: those that the file shall have; None for a file without any table for them.
        rest: whether to keep what does not belong to credentials.
    """
    import tomli
    import tomli_w

    before, blocks, after = _split(document.text)
    separable = len(blocks) == len(document.entries)
    kept: dict[Auth, list[tuple[dict[str, Any], str | None]]] = {}
    for number, entry in enumerate(document.entries):
        kept.setdefault(entry.auth, []).append((entry.table, blocks[number] if separable else None))
    tables, texts = [], []
    for cred in credentials or ():
        same = kept.get(cred)
        table, text = same.pop(0) if same else (fields_from_auth(cred), None)
        tables.append(table)
        texts.append(text or "[[auth]]\n" + tomli_w.dumps(table))
    others = {key: value for key, value in document.data.items() if key != "auth"} if rest else {}
    expected = others if credentials is None else {**others, "auth": tables}
    parts = [before, *texts, after] if rest else texts
    if not texts and credentials is not None:
        parts.insert(0, "auth = []\n")
    result = "\n\n".join(part.strip("\r\n") for part in parts if part.strip("\r\n")) + "\n"
    try:
        if tomli.loads(result) == expected:
            return result
    except tomli.TOMLDecodeError:
        pass
    # written in a way that cannot be edited line by line, such as auth = [{…}]
    if "#" in document.text:
        import logging

        logging.getLogger("hop.auth").warning("the comments in %s could not be kept", document.path)
    return tomli_w.dumps(expected)


def _split(text: str) -> tuple[str, list[str], str]:
    """Return what is before the first table for a credential, those tables, and the rest.

    Comments directly above a table belong to it. This looks at lines only, so it errs when a text
    of several lines has one that looks like a table's header; `render` notices.
    """
    parts: list[list[str]] = [[]]
    is_auth = [False]
    for line in text.removesuffix("\n").split("\n"):
        if line.lstrip().startswith("["):
            previous = parts[-1]
            start = len(previous)
            while start and previous[start - 1].lstrip().startswith("#"):
                start -= 1
            is_auth.append(re.match(_HEADER, line) is not None)
            if is_auth[-1] and not line.lstrip().startswith("[["):
                line = line.replace("[", "[[", 1).replace("]", "]]", 1)
            parts.append([*previous[start:], line])
            del previous[start:]
        else:
            parts[-1].append(line)
    first = is_auth.index(True) if True in is_auth else len(parts)
    texts = ["\n".join(lines) + "\n" for lines in parts]
    return (
        re.sub(_NO_CREDENTIALS, "", "".join(texts[:first])),
        [text for text, auth in zip(texts, is_auth, strict=True) if auth],
        "".join(
            text for text, auth in zip(texts[first:], is_auth[first:], strict=True) if not auth
        ),
    )
