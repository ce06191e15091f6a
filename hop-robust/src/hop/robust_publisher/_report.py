"""What is told about a journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class WaitingMessages:
    """What waits for one topic.

    Attributes:
        topic: None stands for that of the publisher's URL.
        messages: how many.
        size: how many bytes their bodies have.
        written: the oldest of them was written then or before: it is when the file that holds it was last written to.
    """

    topic: str | None
    messages: int
    size: int
    written: datetime


@dataclass(frozen=True)
class JournalDamage:
    """Bytes of a file that are not what was written.

    Attributes:
        file: the file.
        offset: the first of them.
        size: how many.
        lost: how many messages are lost with them, at most.
    """

    file: Path
    offset: int
    size: int
    lost: int


@dataclass(frozen=True)
class JournalReport:
    """What is in a journal.

    Attributes:
        path: the journal.
        holder: the process id of who works on it, None for nobody.
        earlier_release: whether a release before 1.0 wrote it; the next publisher takes it over.
        files: of how many files it consists.
        size: how many bytes they take.
        written: when the last of them was written to; None where there is none.
        waiting: what is to be sent, by topic.
        refused: how many messages no broker will take; `read_refused` gives them.
        damages: what is damaged; a publisher sends everything else.
        unfinished: how many bytes an interrupted write has left, which is no damage: what they belong to had not
            been accepted.
    """

    path: Path
    holder: int | None
    earlier_release: bool
    files: int
    size: int
    written: datetime | None
    waiting: tuple[WaitingMessages, ...]
    refused: int
    damages: tuple[JournalDamage, ...]
    unfinished: int
