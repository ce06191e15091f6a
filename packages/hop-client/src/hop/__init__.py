"""hop: publish and follow multimessenger astronomy alerts over Apache Kafka.

    from hop import stream

    with stream.open("kafka://kafka.scimma.org/sys.heartbeat", "r") as s:
        for message in s:
            print(message)

The parts are distributions of their own (hop-auth, hop-models, hop-io, hop-robust, hop-cli) which share the
namespace `hop`; this one makes them whole. Nothing is imported until it is touched.
"""

from importlib import import_module
from pkgutil import extend_path

TYPE_CHECKING = False  # as in typing, which takes longer to import than all of this

__path__ = extend_path(__path__, __name__)
__version__ = "1.0.0"

__all__ = [
    "Stream",
    "__version__",
    "auth",
    "cli",
    "configure",
    "io",
    "list_topics",
    "models",
    "plugins",
    "publish",
    "robust_publisher",
    "stream",
    "subscribe",
    "version",
]

_FROM_IO = ("Stream", "stream")
_MODULES = frozenset(__all__) - {*_FROM_IO, "__version__"}

if TYPE_CHECKING:
    from typing import Any

    from hop import (
        auth,
        cli,
        configure,
        io,
        list_topics,
        models,
        plugins,
        publish,
        robust_publisher,
        subscribe,
        version,
    )
    from hop.io import Stream, stream


def __getattr__(name: str) -> "Any":
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _FROM_IO:
        value = globals()[name] = getattr(import_module(f"{__name__}.io"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
