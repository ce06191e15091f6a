"""Why Kafka did not start, from what its log says."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path

from hop.sandbox._download import cache_folder
from hop.sandbox._errors import KafkaStartError

_TAIL_LINES = 40
_PORT_TAKEN = re.compile(r"Address already in use")
_DISK_FULL = re.compile(r"No space left on device|File too large|Disk quota exceeded")
_NO_MEMORY = re.compile(r"OutOfMemoryError|insufficient memory for the Java Runtime")
# What says most, first.
_COMPLAINTS = (re.compile(r"^Caused by: "), re.compile(r"Exception: |^Error: | ERROR "))
_LONGEST_COMPLAINT = 300


class PortTakenError(KafkaStartError):
    """A port that was free when it was chosen is not any more."""


def start_error(logs: Mapping[int, str], purpose: str, folder: Path) -> KafkaStartError:
    """The error for a Kafka that did not do its `purpose`.

    Args:
        logs: what each node in question logged since it was started.
        folder: where the sandbox lives.
    """
    text = "\n".join(logs.values())
    end = "\n".join(f"broker {node}:\n{tail(log)}" for node, log in logs.items())
    if _PORT_TAKEN.search(text):
        return PortTakenError("Kafka did not start: a port of its own is in use; try again", end)
    if _DISK_FULL.search(text):
        return KafkaStartError(
            f"Kafka did not start: the disk of {folder} is full, or files there may not grow; "
            "make room, or name a folder on another disk",
            end,
        )
    if _NO_MEMORY.search(text):
        return KafkaStartError(
            "Kafka did not start: there is not enough memory for its Java; end other programs", end
        )
    return KafkaStartError(f"Kafka did not {purpose}: {_complaint(text)}; {_saved(text)}", end)


def tail(text: str, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log."""
    return "\n".join(text.splitlines()[-lines:])


def _complaint(log: str) -> str:
    """The line of the log that says most about why Kafka gave up."""
    lines = [line.strip() for line in log.splitlines() if line.strip()] or ["it wrote nothing"]
    found = (line for what in _COMPLAINTS for line in reversed(lines) if what.search(line))
    return next(found, lines[-1])[:_LONGEST_COMPLAINT]


def _saved(log: str) -> str:
    """Keep the log where it outlives the sandbox, and say where."""
    path = cache_folder() / "failed-start.log"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(log, encoding="utf-8")
        return f"the whole log is in {path}"
    return "its log could not be saved"
