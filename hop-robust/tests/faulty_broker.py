"""A broker that refuses on demand: `python faulty_broker.py`.

librdkafka's mock cluster is a real broker at a real port, and can be told to answer with errors. Each line on standard
input is a command, a list in JSON, answered by a line; the first line written is the address.

["topic", NAME, PARTITIONS]   create a topic
["produce", CODE, …]          answer the next requests to write with these errors, 0 for none
["metadata", TOPIC, CODE]     say so, from now on, when asked for a topic
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

from confluent_kafka import cimpl

_PRODUCER = 0
_PRODUCE_REQUEST = 0

_library = ctypes.CDLL(cimpl.__file__)
_pointer = ctypes.c_void_p


def function(name: str, result: Any, *arguments: Any) -> Any:
    found = _library[name]
    found.restype, found.argtypes = result, arguments
    return found


def main() -> None:
    error = ctypes.create_string_buffer(512)
    conf = function("rd_kafka_conf_new", _pointer)()
    create = function(
        "rd_kafka_new", _pointer, ctypes.c_int, _pointer, ctypes.c_char_p, ctypes.c_size_t
    )
    client = create(_PRODUCER, conf, error, len(error))
    cluster = function("rd_kafka_mock_cluster_new", _pointer, _pointer, ctypes.c_int)(client, 1)
    bootstraps = function("rd_kafka_mock_cluster_bootstraps", ctypes.c_char_p, _pointer)
    print(bootstraps(cluster).decode(), flush=True)
    topic_create = function(
        "rd_kafka_mock_topic_create",
        ctypes.c_int,
        _pointer,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_int,
    )
    push_errors = function(
        "rd_kafka_mock_push_request_errors_array",
        None,
        _pointer,
        ctypes.c_int16,
        ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_int),
    )
    set_error = function(
        "rd_kafka_mock_topic_set_error", None, _pointer, ctypes.c_char_p, ctypes.c_int
    )
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        if command == "topic":
            topic_create(cluster, arguments[0].encode(), arguments[1], 1)
        elif command == "produce":
            codes = (ctypes.c_int * len(arguments))(*arguments)
            push_errors(cluster, _PRODUCE_REQUEST, len(arguments), codes)
        elif command == "metadata":
            set_error(cluster, arguments[0].encode(), arguments[1])
        print("done", flush=True)


if __name__ == "__main__":
    main()
