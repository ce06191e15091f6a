"""`Deserializer`: the message formats by their upper-case names."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, cast

from hop.models import MessageModel, message_models


class Formats(Enum):
    """The message formats that can be read, those of plugins included; a value is a model's class."""

    def load(self, input_: Any) -> MessageModel:
        """Read one message, as the model's `load`."""
        model: type[MessageModel] = self.value
        return model.load(input_)

    def load_file(self, filename: str | Path) -> MessageModel:
        """Read one message from a file, as the model's `load_file`."""
        model: type[MessageModel] = self.value
        return model.load_file(filename)

    def deserialize(self, data: bytes) -> MessageModel:
        """Decode one message's body, as the model's `deserialize`."""
        model: type[MessageModel] = self.value
        return model.deserialize(data)


def deserializer() -> type[Formats]:
    """The enumeration as it is with the plugins that are installed."""
    create = cast("Any", Formats)
    members = {name.upper(): model for name, model in message_models().items()}
    formats: type[Formats] = create("Deserializer", members, module="hop.io")
    return formats
