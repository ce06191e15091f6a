"""A Kafka broker of one's own, to try hop and to test with.

    from hop.sandbox import memory_broker

    with memory_broker(topics={"gcn": 1}) as broker:
        print(broker.url("gcn"))  # kafka://127.0.0.1:…/gcn

The memory broker is librdkafka's mock cluster behind a real TCP listener: it is up in milliseconds, downloads
nothing and forgets everything when it stops. It knows no users, no TLS and no permissions.

    from hop.sandbox import kafka_broker

    with kafka_broker(["gcn"], users=["alice"]) as broker:
        print(broker.users["alice"].client_config)

The Kafka broker is Apache Kafka itself, like Hopskotch; it needs the extra `kafka` and 4 seconds.

`upload_server` is a service for messages that are too large for a broker, beside either; it needs the extra `uploads`.

With the distribution comes a pytest plugin: the fixtures `hop_broker` and `hop_kafka` are one broker for the test
session, `hop_topic` and `hop_kafka_topic` the name of a topic on it that no other test uses.
"""

from hop.sandbox._broker import Broker
from hop.sandbox._credential import Credential
from hop.sandbox._errors import KafkaStartError, SandboxError
from hop.sandbox._kafka import KafkaBroker
from hop.sandbox._kafka_broker import Topic, kafka_broker
from hop.sandbox._memory import MemoryBroker, memory_broker
from hop.sandbox._upload import Upload, UploadServer, upload_server

__all__ = [
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
