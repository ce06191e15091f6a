"""What goes wrong with messages.

ValueError
├── DecodeError      what was read is not what it should be
└── ValidationError  a VOEvent breaks the official schema

A model that cannot be written (a value that its format has no type for) is a plain TypeError, as `json.dumps` has it.
"""

from __future__ import annotations

from collections.abc import Sequence


class DecodeError(ValueError):
    """What was read is not a message of the format that it should be: one line that says what is wrong and where."""


class ValidationError(ValueError):
    """A VOEvent breaks the schema.

    `element` is the path of the first element that does, such as `VOEvent/Who/Date`; `problems` has a line for every
    problem found.
    """

    def __init__(self, element: str, problems: Sequence[str]) -> None:
        self.element = element
        self.problems = tuple(problems)
        more = f" (and {len(problems) - 1} more: see .problems)" if len(problems) > 1 else ""
        super().__init__(f"not a valid VOEvent 2.0: {problems[0]}{more}")

    def __reduce__(self) -> tuple[type[ValidationError], tuple[str, tuple[str, ...]]]:
        return type(self), (self.element, self.problems)
