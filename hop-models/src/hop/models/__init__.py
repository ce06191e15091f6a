"""Astronomical alerts as Python objects, read and written, without any network.

| format | model | sent as |
|---|---|---|
| `voevent` | `VOEvent` | JSON, or XML on request |
| `circular` | `GCNCircular` | JSON |
| `gcntextnotice` | `GCNTextNotice` | the text |
| `json` | `JSONBlob` | JSON |
| `avro` | `AvroBlob` | an Avro object container |
| `blob` | `Blob` | the bytes |
| `external` | `ExternalMessage` | JSON, `{"url": …}` |

`load` and `load_file` read a message's form on disk, `serialize` and `deserialize` its form on the wire, and `decode` makes
a model of a Kafka message's headers and body. Plugins add formats: see `hop.plugins`.
"""

from hop.models._avro import AvroBlob
from hop.models._blob import Blob, JSONBlob
from hop.models._circular import GCNCircular
from hop.models._decode import decode, is_test
from hop.models._exceptions import DecodeError, ValidationError
from hop.models._external import ExternalMessage
from hop.models._limits import limits
from hop.models._model import MessageModel, format_name
from hop.models._notice import GCNTextNotice
from hop.models._registry import message_models
from hop.models._voevent import VOEvent

__all__ = [
    "AvroBlob",
    "Blob",
    "DecodeError",
    "ExternalMessage",
    "GCNCircular",
    "GCNTextNotice",
    "JSONBlob",
    "MessageModel",
    "VOEvent",
    "ValidationError",
    "decode",
    "format_name",
    "is_test",
    "limits",
    "message_models",
]
