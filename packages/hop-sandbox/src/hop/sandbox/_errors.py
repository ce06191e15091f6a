"""What goes wrong with a broker of one's own.

RuntimeError
└── SandboxError            the broker can't be started, or refuses what it was asked
    └── KafkaStartError     Kafka's process ended or did not answer; `log` holds what it said
"""

from __future__ import annotations


class SandboxError(RuntimeError):
    """A broker could not be started or did not do what it was asked; the message says what to do."""


class KafkaStartError(SandboxError):
    """Kafka was started and did not come up.

    Attributes:
        log: the end of Kafka's own log, which is too long for a message of one line; may be empty.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


def reason(exc: OSError) -> str:
    """Why the system refused, in its own words, as part of a sentence."""
    return (exc.strerror or str(exc)).lower()
