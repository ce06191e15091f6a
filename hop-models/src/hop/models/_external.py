"""A message that is too large for the broker and waits at an address."""

from __future__ import annotations

from dataclasses import dataclass, field

from hop.models._exceptions import DecodeError
from hop.models._input import read_any
from hop.models._json import parse_json_object
from hop.models._model import MessageModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self

    from hop.models._input import Input


@dataclass(repr=False)
class ExternalMessage(MessageModel):
    """A placeholder: the real message is at `url`. hop-models never fetches it.

    Where somebody tried to and could not, `reason` says why, in one line. Placeholders of equal addresses are equal.
    """

    url: str
    reason: str | None = field(default=None, compare=False)

    format_name = "external"

    @classmethod
    def load(cls, input_: Input) -> Self:
        """Create the placeholder from its JSON text, `{"url": …}`."""
        return cls._from_json(read_any(input_, cls.__name__))

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        return cls._from_json(data)

    @classmethod
    def _from_json(cls, data: str | bytes) -> Self:
        url = parse_json_object(data, cls.__name__).get("url")
        if not isinstance(url, str):
            raise DecodeError(f"{cls.__name__}: the JSON object has no text 'url'")
        return cls(url)

    def _fields(self) -> dict[str, Any]:
        return {"url": self.url}  # a reason is not part of the message

    def _shown(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}

    def to_json_object(self) -> dict[str, Any]:
        """As for any model, with the `reason` beside the content where there is one."""
        described = super().to_json_object()
        return described if self.reason is None else {**described, "reason": self.reason}

    def _headline(self) -> str:
        return self.url if self.reason is None else f"{self.url} ({self.reason})"
