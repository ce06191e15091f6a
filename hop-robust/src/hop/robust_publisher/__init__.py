"""Publish alerts so that none is lost: not in an outage, a crash or a restart.

from hop.robust_publisher import RobustProducer

with RobustProducer("kafka://localhost:9092/gcn", auth=False) as publisher:
    publisher.write({"event": "S250101a"})
"""

from hop.robust_publisher._errors import (
    JournalCorruptError,
    JournalError,
    JournalFullError,
    JournalInUseError,
    JournalWriteError,
    PublisherError,
)
from hop.robust_publisher._inspect import inspect_journal, read_journal, read_refused
from hop.robust_publisher._journal import PublicationJournal
from hop.robust_publisher._message import QueuedMessage
from hop.robust_publisher._producer import RobustProducer
from hop.robust_publisher._report import JournalDamage, JournalReport, WaitingMessages
from hop.robust_publisher._retry import retry_refused

__all__ = [
    "JournalCorruptError",
    "JournalDamage",
    "JournalError",
    "JournalFullError",
    "JournalInUseError",
    "JournalReport",
    "JournalWriteError",
    "PublicationJournal",
    "PublisherError",
    "QueuedMessage",
    "RobustProducer",
    "WaitingMessages",
    "inspect_journal",
    "read_journal",
    "read_refused",
    "retry_refused",
]
