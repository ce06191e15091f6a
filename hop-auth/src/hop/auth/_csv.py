"""Credentials in the form of the file that a broker's web page gives out."""

from __future__ import annotations

import io

from hop.auth._auth import Auth, name_of
from hop.auth._errors import MalformedCredentialsError
from hop.auth._tables import FIELDS, auth_from_fields

# A file that came from somewhere must not decide which commands are run here.
_COLUMNS = [field for field in FIELDS if field != "token_command"]


def auths_from_csv(content: bytes, path: str) -> list[Auth]:
    """Return the credentials in a CSV file: at least one, each of another name.

    The first line names the columns, in any order: username, password and, if need be, other
    fields of a credential. Further columns and empty lines are ignored.

    Args:
        content: UTF-8, with or without a byte order mark, with any ends of lines.
        path: the name of the file, for messages.

    Raises:
        MalformedCredentialsError: it is something else.
    """
    import csv

    try:
        text = content.decode("utf-8-sig")
        # strict, because otherwise a misplaced quotation mark silently changes a password
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = [(rows.line_num, row) for row in rows if any(map(str.strip, row))]
    except UnicodeDecodeError:
        raise MalformedCredentialsError(f"{path} is not a CSV file in UTF-8") from None
    except csv.Error as exc:
        raise MalformedCredentialsError(
            f"{path} is not a CSV file: line {rows.line_num}: {exc}"
        ) from None
    if not lines:
        raise MalformedCredentialsError(
            f"{path} is empty: it must have a line with the columns username, password, and "
            "a line with their values"
        )
    (_, header), *records = lines
    columns = [column.strip().lower() for column in header]
    # the columns that are there are not shown: without a header the first line holds a password
    missing = [field for field in ("username", "password") if field not in columns]
    if missing:
        raise MalformedCredentialsError(
            f"{path} has no column {' and no column '.join(missing)}: its first line must name "
            "the columns, separated by commas"
        )
    for field in _COLUMNS:
        if columns.count(field) > 1:
            raise MalformedCredentialsError(f"{path} has more than one column {field}")
    if not records:
        raise MalformedCredentialsError(f"{path} has no line with a credential after its first")
    creds: dict[str, Auth] = {}
    for number, row in records:
        cred = _auth(columns, row, f"{path}, line {number}")
        if creds.setdefault(name_of(cred), cred) is not cred:
            raise MalformedCredentialsError(
                f"{path}, line {number}: there is a credential {name_of(cred)} above"
            )
    return list(creds.values())


def _auth(columns: list[str], row: list[str], where: str) -> Auth:
    if any(row[len(columns) :]):
        raise MalformedCredentialsError(
            f"{where}: there are {len(row)} values for {len(columns)} columns: a value that "
            'holds a comma must be in quotation marks, like "a,b"'
        )
    fields = {
        column: value if column == "password" else value.strip()
        for column, value in zip(columns, row)  # noqa: B905 - a short row lacks its last columns
        if column in _COLUMNS
    }
    return auth_from_fields(fields, where)
