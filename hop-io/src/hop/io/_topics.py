"""Which topics there are."""

from __future__ import annotations

import confluent_kafka
from confluent_kafka.admin import TopicMetadata

from hop.io._connection import DEFAULT_TIMEOUT, Connection
from hop.io._credentials import AuthLike, credential_for
from hop.io._url import parse_url

# Kafka's own bookkeeping.
_INTERNAL = "__"


def list_topics(url: str, auth: AuthLike = True, timeout: float = -1) -> dict[str, TopicMetadata]:
    """List the accessible topics on the Kafka broker that a URL refers to.

    Args:
        url: the broker's URL. If it names topics, only those of them that exist are listed. A user name
            in it chooses among the stored credentials.
        auth: True for the stored credentials, False for none, or one `Auth` or several.
        timeout: how long to wait for the broker, in seconds; -1, the default, means 10.

    Returns:
        A dictionary from topic names to `confluent_kafka.admin.TopicMetadata`.

    Raises:
        ValueError: the URL is malformed, or names more than one broker.
        StreamError: the broker does not answer, or refuses.
    """
    target = parse_url(url)
    connection = Connection(target.broker, credential_for(auth, target), {})
    client = connection.client(confluent_kafka.Producer)
    found = connection.metadata(client, (), DEFAULT_TIMEOUT if timeout < 0 else timeout)
    return {
        name: topic
        for name, topic in sorted(found.items())
        if not name.startswith(_INTERNAL) and (not target.topics or name in target.topics)
    }
