"""What ends a command.

Exception
└── CommandError    its message is for the user: what was being done, what went wrong, what to do
"""

from __future__ import annotations


class CommandError(Exception):
    """A command can't do what it was asked; the message is printed as it is, and the exit code is 1."""
