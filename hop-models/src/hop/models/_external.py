"""A message that is too large for the broker and waits at an address."""

from __future__ import annotations

from dataclasses import dataclass

from hop.models._exceptions import DecodeError
from hop.models._input import read_any
from hop.models._json import parse_json_object
from hop.models._model import MessageModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Self

    from hop.models._input import Input


@dataclass(repr=False)
class ExternalMessage(MessageModel):
    """A placeholder: the real message is at `url`. hop-models never fetches it."""

    url: str

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

    def _headline(self) -> str:
        return self.url
