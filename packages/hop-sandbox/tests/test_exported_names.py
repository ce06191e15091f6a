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
        "Upload",
        "UploadServer",
        "kafka_broker",
        "memory_broker",
        "upload_server",
    ]
    assert all(hasattr(hop.sandbox, name) for name in hop.sandbox.__all__)
