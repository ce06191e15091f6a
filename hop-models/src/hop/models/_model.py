"""What every message model can do, and what a plugin's model inherits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import asdict, fields, is_dataclass

from hop.models._exceptions import DecodeError
from hop.models._json import dump_json, parse_json_object, plain, print_json
from hop.models._text import one_line, short_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from typing_extensions import Self

    from hop.models._input import Input


def format_name(model: type[MessageModel]) -> str:
    """The name that a model's messages are marked with: its `format_name`, or the class's own name in lower case."""
    name = getattr(model, "format_name", None)
    return name if isinstance(name, str) else model.__name__.lower()


class MessageModel(ABC):
    """An abstract message model.

    A model of one's own is a dataclass that derives from this class and defines `load`; its fields are sent as a JSON
    object unless it also defines `serialize` and `deserialize`. The name of its format is its class attribute
    `format_name`, or else the class's name in lower case.

    Every message has a `content`; where the model defines none it is a dictionary of the model's fields.
    """

    if TYPE_CHECKING:
        content: Any
    else:

        def __getattr__(self, name: str) -> Any:
            # `for message in stream: print(message.content)` must not end at the first circular. A property here
            # would be taken for the default of a field of that name.
            if name == "content":
                return self._fields()
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # An annotated format name describes the class; left to @dataclass it would become a field of every message.
        # Python 3.14 evaluates annotations only here, and one of them may name what is not there yet.
        with suppress(NameError):
            cls.__annotations__.pop("format_name", None)

    @classmethod
    @abstractmethod
    def load(cls, input_: Input) -> Self:
        """Create a message from its form on disk: text, bytes, an open file, or lines.

        Raises ValueError when the input is not such a message.
        """

    @classmethod
    def load_file(cls, filename: str | PathLike[str]) -> Self:
        """Create a message from the file at that path, which is opened as UTF-8 text and given to `load`."""
        from pathlib import Path

        with Path(filename).open(encoding="utf-8") as file:
            return cls.load(file)

    def serialize(self) -> dict[str, Any]:
        """The message as it is sent: `{"format": the format's name, "content": the encoded bytes}`.

        This one encodes the fields as a JSON object. Raises TypeError when a field cannot be encoded.
        """
        return {"format": format_name(type(self)), "content": dump_json(self._fields())}

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        """The message from what `serialize` gave as "content". Raises ValueError when it is something else."""
        values = parse_json_object(data, cls.__name__)
        try:
            return cls(**values)
        except TypeError as exc:
            raise DecodeError(f"{cls.__name__}: {exc}") from exc

    def to_json_object(self) -> dict[str, Any]:
        """The message as `{"format": …, "content": …}` of plain JSON values, for one line of `hop subscribe --json`.

        Bytes, wherever they are, become `{"base64": "…"}`; NaN and infinities become null.
        """
        return {"format": format_name(type(self)), "content": plain(self._fields())}

    def summary(self, *, test: bool = False) -> str:
        """One line of at most 120 characters for logs and lists.

        A test, a mock event and a retraction are marked at its start: `[TEST]`, `[MOCK]`, `[RETRACTION]`. `test` says
        that the message's headers mark it as a test, which the message itself cannot know.
        """
        marks = ["TEST", *self._marks()] if test else self._marks()
        start = "".join(f"[{mark}] " for mark in dict.fromkeys(marks))
        return one_line(f"{start}{format_name(type(self))}: {self._headline()}")

    def __str__(self) -> str:
        """The message as `hop subscribe` prints it."""
        return print_json(plain(self._fields()), indent=2)

    def __bytes__(self) -> bytes:
        """The printed form as UTF-8."""
        return str(self).encode("utf-8", "backslashreplace")

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={short_repr(value)}" for name, value in self._shown().items())
        return f"{type(self).__name__}({values})"

    def _fields(self) -> dict[str, Any]:
        """The fields by name: what is sent and printed."""
        return asdict(self) if is_dataclass(self) else dict(vars(self))

    def _shown(self) -> dict[str, Any]:
        """What repr shows."""
        if not is_dataclass(self):
            return vars(self)
        return {field.name: getattr(self, field.name) for field in fields(self) if field.repr}

    def _marks(self) -> list[str]:
        """What must not be overlooked about the message, of TEST, MOCK and RETRACTION."""
        return []

    def _headline(self) -> str:
        """What the summary says after the format."""
        return ", ".join(f"{name}={short_repr(value)}" for name, value in self._shown().items())
