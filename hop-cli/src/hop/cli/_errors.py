"""What ends a command, and what is said about it.

Exception
└── CommandError    its message is for the user: what was being done, what went wrong, what to do
"""

from __future__ import annotations

import sys

from hop.cli._text import escaped

_EXPECTED = (OSError, ValueError, RuntimeError, LookupError)


class CommandError(Exception):
    """A command can't do what it was asked; the message is printed as it is, and the exit code is 1.

    Args:
        message: one line for the user.
        see_doctor: whether `hop doctor` may find the cause.
    """

    def __init__(self, message: str, *, see_doctor: bool = False) -> None:
        super().__init__(message)
        self.see_doctor = see_doctor


def report(exc: Exception, url: str | None) -> None:
    """Print one line about what ended a command, on stderr.

    Args:
        url: the broker's URL where the command was given one.
    """
    text = " ".join(escaped(explain(exc)).split())
    if url is not None and _doctor_helps(exc):
        from shlex import quote

        text = f"{text}; `hop doctor {quote(url)}` looks for the cause"
    print(f"hop: {text}", file=sys.stderr)


def explain(exc: BaseException) -> str:
    """What happened, for the user."""
    text = str(exc)
    if isinstance(exc, OSError) and exc.strerror and exc.errno and text.startswith("[Errno"):
        # Python's own text leads with a number that helps nobody.
        if exc.filename is not None:
            return f"{exc.filename}: {exc.strerror}"
        # Files have names, and connections have errors of their own: it is what was printed.
        return f"cannot write to standard output: {exc.strerror}"
    if text and (isinstance(exc, (CommandError, *_EXPECTED)) or _is_ours(exc)):
        return text
    kind = type(exc).__name__
    return f"unexpected {kind}: {text}; `hop -d …` shows where, which is worth a bug report"


def _is_ours(exc: BaseException) -> bool:
    return type(exc).__module__.startswith("hop.")


def _doctor_helps(exc: Exception) -> bool:
    if isinstance(exc, CommandError):
        return exc.see_doctor
    if "hop.io" not in sys.modules:  # then it is none of its errors
        return False
    from hop.io import AuthenticationError, AuthorizationError, ConnectError

    return isinstance(exc, (ConnectError, AuthenticationError, AuthorizationError))
