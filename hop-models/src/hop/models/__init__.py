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

`load` and `load_file` read a message's form on disk, `serialize` and `deserialize` its form on the wire, and `decode`
makes a model of a Kafka message's headers and body. Plugins add formats: see `hop.plugins`.
"""

__all__ = [
    "AvroBlob",
    "Blob",
    "DecodeError",
    "ExternalMessage",
    "GCNCircular",
    "GCNTextNotice",
    "JSONBlob",
    "MessageModel",
    "Position",
    "VOEvent",
    "ValidationError",
    "decode",
    "format_name",
    "is_test",
    "limits",
    "message_models",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    from hop.models._voevent_facts import Position
else:
    # A program that needs one model pays for one: each name is imported when it is first asked for.
    _HOMES = {
        "AvroBlob": "_avro",
        "Blob": "_blob",
        "DecodeError": "_exceptions",
        "ExternalMessage": "_external",
        "GCNCircular": "_circular",
        "GCNTextNotice": "_notice",
        "JSONBlob": "_blob",
        "MessageModel": "_model",
        "Position": "_voevent_facts",
        "VOEvent": "_voevent",
        "ValidationError": "_exceptions",
        "decode": "_decode",
        "format_name": "_model",
        "is_test": "_decode",
        "limits": "_limits",
        "message_models": "_registry",
    }

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value

    def __dir__():
        return [*globals(), *__all__]
