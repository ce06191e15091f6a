"""What others may import is what is meant to be."""

from __future__ import annotations

import hop.sandbox


def test_the_exported_names() -> None:
    assert hop.sandbox.__all__ == [
        "Broker",
        "Credential",
        "KafkaBroker",
        "KafkaStartError",
        "MemoryBroker",
        "SandboxError",
        "Topic",
        "kafka_broker",
        "memory_broker",
    ]
    assert all(hasattr(hop.sandbox, name) for name in hop.sandbox.__all__)
