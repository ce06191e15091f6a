"""librdkafka's mock cluster, by ctypes.

confluent-kafka reaches the mock cluster only through the setting `test.mock.num.brokers`, which offers neither topics
with a chosen number of partitions nor an address of one's own, and makes every consumer group wait three seconds
for its first member. The functions are public in `rdkafka_mock.h`, and the library that confluent-kafka has
loaded exports them.
"""

from __future__ import annotations

import ctypes
from typing import Any

from confluent_kafka import cimpl

from hop.sandbox._broker import check_topic
from hop.sandbox._errors import SandboxError

_PRODUCER = 0
_NO_ERROR = 0
_TOPIC_ALREADY_EXISTS = 36
_BROKER_ID = 1

# The keys of Kafka's protocol for the requests that clients send.
_REQUESTS = {
    "Produce": 0,
    "Fetch": 1,
    "ListOffsets": 2,
    "Metadata": 3,
    "OffsetCommit": 8,
    "OffsetFetch": 9,
    "FindCoordinator": 10,
    "JoinGroup": 11,
    "Heartbeat": 12,
    "SyncGroup": 14,
    "InitProducerId": 22,
}

_pointer = ctypes.c_void_p
_text = ctypes.c_char_p
_int = ctypes.c_int


def _function(name: str, result: Any, *arguments: Any) -> Any:
    # A symbol is looked up in an extension module and in what it links to, so this finds the librdkafka
    # that confluent-kafka itself uses, wherever the wheel, conda or the distribution has put it.
    try:
        function = ctypes.CDLL(cimpl.__file__)[name]
    except AttributeError as exc:
        raise SandboxError(
            f"this confluent-kafka's librdkafka has no {name}; install the confluent-kafka wheel, "
            "version 2.13 or newer"
        ) from exc
    function.restype, function.argtypes = result, arguments
    return function


class MockCluster:
    """One broker in this process, on a port of 127.0.0.1 that the system chose."""

    def __init__(self) -> None:
        error = ctypes.create_string_buffer(512)
        conf = _function("rd_kafka_conf_new", _pointer)()
        configure = _function(
            "rd_kafka_conf_set", _int, _pointer, _text, _text, _text, ctypes.c_size_t
        )
        # Its log would go straight to stderr.
        configure(conf, b"log_level", b"0", error, len(error))
        create = _function("rd_kafka_new", _pointer, _int, _pointer, _text, ctypes.c_size_t)
        self._client = create(_PRODUCER, conf, error, len(error))
        if not self._client:
            raise SandboxError(f"cannot start the memory broker: {error.value.decode()}")
        self._cluster = _function("rd_kafka_mock_cluster_new", _pointer, _pointer, _int)(
            self._client, 1
        )
        if not self._cluster:
            raise SandboxError("cannot start the memory broker: librdkafka made no mock cluster")
        _function("rd_kafka_mock_group_initial_rebalance_delay_ms", None, _pointer, ctypes.c_int32)(
            self._cluster, 0
        )
        bootstraps = _function("rd_kafka_mock_cluster_bootstraps", _text, _pointer)
        self.address: str = bootstraps(self._cluster).decode()

    def advertise(self, host: str, port: int) -> None:
        """Tell clients that the broker is at `host:port`, where something forwards to it."""
        _function(
            "rd_kafka_mock_broker_set_host_port", _int, _pointer, ctypes.c_int32, _text, _int
        )(self._cluster, _BROKER_ID, host.encode(), port)
        self.address = f"{host}:{port}"

    def create_topic(self, name: str, partitions: int = 1) -> None:
        check_topic(name, partitions)
        create = _function("rd_kafka_mock_topic_create", _int, _pointer, _text, _int, _int)
        error = create(self._cluster, name.encode(), partitions, 1)
        if error == _TOPIC_ALREADY_EXISTS:
            raise SandboxError(f"cannot create topic {name!r}: it exists")
        if error != _NO_ERROR:
            raise SandboxError(f"cannot create topic {name!r}: librdkafka error {error}")

    def fail(self, request: str, error: int, times: int) -> None:
        """Answer the next `times` requests of a kind with an error; see `MemoryBroker.fail`."""
        if request not in _REQUESTS:
            raise SandboxError(
                f"cannot let {request!r} fail: no such request; there are {', '.join(_REQUESTS)}"
            )
        push = _function(
            "rd_kafka_mock_push_request_errors_array",
            None,
            _pointer,
            ctypes.c_int16,
            ctypes.c_size_t,
            ctypes.POINTER(_int),
        )
        push(self._cluster, _REQUESTS[request], times, (_int * times)(*[error] * times))

    def close(self) -> None:
        if self._client:
            _function("rd_kafka_mock_cluster_destroy", None, _pointer)(self._cluster)
            _function("rd_kafka_destroy", None, _pointer)(self._client)
            self._client = self._cluster = None
