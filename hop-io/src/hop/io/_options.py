"""Which keyword arguments are options of librdkafka."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger("hop.io")

# Nearly all of librdkafka's options have a dot in their names. These have none, and are worth passing on.
_WITHOUT_DOT = {
    "acks",
    "debug",
    "error_cb",
    "on_commit",
    "partitioner",
    "retries",
    "stats_cb",
    "throttle_cb",
}


def librdkafka_options(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the arguments that are librdkafka's, as `Stream.open` passes them on; others are ignored.

    They are the ones with a dot in their names, `acks`, `debug`, `partitioner` and `retries`, and confluent-kafka's
    `error_cb`, `on_commit`, `stats_cb` and `throttle_cb`.
    """
    options = {
        name: value for name, value in arguments.items() if "." in name or name in _WITHOUT_DOT
    }
    if ignored := sorted(arguments.keys() - options.keys()):
        logger.debug("open: ignored unknown options: %s", ", ".join(ignored))
    return options
