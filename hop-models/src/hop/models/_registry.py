"""Which model a format's name stands for."""

from __future__ import annotations

from types import MappingProxyType

from hop.models._avro import AvroBlob
from hop.models._blob import Blob, JSONBlob
from hop.models._circular import GCNCircular
from hop.models._external import ExternalMessage
from hop.models._notice import GCNTextNotice
from hop.models._voevent import VOEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from hop.models._model import MessageModel

BUILT_IN: dict[str, type[MessageModel]] = {
    model.format_name: model
    for model in (VOEvent, GCNCircular, Blob, JSONBlob, AvroBlob, GCNTextNotice, ExternalMessage)
}


def message_models() -> Mapping[str, type[MessageModel]]:
    """Every format by its name in lower case: the built-in ones, then those of plugins.

    Plugins are looked for when this is first called, and never by `import hop.models`.
    """
    from hop import plugins

    return MappingProxyType(BUILT_IN | plugins.get_models())
