"""Read and write streams of astronomical alerts on Apache Kafka.

from hop.io import StartPosition, Stream

stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
with stream.open("kafka://localhost:9092/gcn", "r") as s:
    for message in s:
        print(message)
"""

from typing import TYPE_CHECKING, Any

from hop.io._consumer import Consumer
from hop.io._credentials import credential_for
from hop.io._errors import (
    AuthenticationError,
    AuthorizationError,
    ConnectError,
    DeliveryError,
    ForkedStreamError,
    StreamClosedError,
    StreamError,
    UnknownTopicError,
)
from hop.io._large import ALWAYS_FITS
from hop.io._metadata import Metadata
from hop.io._options import librdkafka_options
from hop.io._producer import Producer, raise_delivery_errors
from hop.io._start import StartPosition
from hop.io._stream import Stream
from hop.io._topics import list_topics
from hop.io._url import KafkaURL, parse_url

if TYPE_CHECKING:
    from hop.io._deserializer import Formats as Deserializer

__all__ = [
    "ALWAYS_FITS",
    "AuthenticationError",
    "AuthorizationError",
    "ConnectError",
    "Consumer",
    "DeliveryError",
    "Deserializer",
    "ForkedStreamError",
    "KafkaURL",
    "Metadata",
    "Producer",
    "StartPosition",
    "Stream",
    "StreamClosedError",
    "StreamError",
    "UnknownTopicError",
    "credential_for",
    "librdkafka_options",
    "list_topics",
    "parse_url",
    "raise_delivery_errors",
    "stream",
]

stream = Stream()
"""A stream with the defaults, for `stream.open(…)`."""


def __getattr__(name: str) -> Any:
    if name != "Deserializer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # It names the formats of plugins, too, and those are looked for only when somebody asks.
    from hop.io._deserializer import deserializer

    formats = globals()[name] = deserializer()
    return formats
