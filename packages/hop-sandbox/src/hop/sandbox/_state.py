"""What a sandbox's folder remembers from one start to the next."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from hop.sandbox._certificates import write_private
from hop.sandbox._download import KAFKA_VERSION
from hop.sandbox._errors import SandboxError, reason

_FILE = "sandbox.json"
# More would start on no machine that a sandbox is for.
_MOST_BROKERS = 9


@dataclass(frozen=True)
class State:
    """A sandbox that came up once: the Kafka that wrote its topics, and the ports that clients know."""

    kafka: str
    cluster: str
    ports: list[int]

    def write(self, folder: Path) -> None:
        write_private(folder / _FILE, json.dumps(asdict(self)).encode())


def new_cluster() -> str:
    """An id for a new cluster, as Kafka writes them."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith(
        "-"
    ):
        pass  # Kafka's tool would take it for an option
    return text


def read_state(folder: Path) -> State | None:
    """The sandbox in `folder`; None where it may become one.

    Raises:
        SandboxError: the folder is something else, or of another version of Kafka.
    """
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return None
        text = (folder / _FILE).read_text(encoding="utf-8")
        stored = json.loads(text)
        state = State(
            str(stored["kafka"]), str(stored["cluster"]), [int(p) for p in stored["ports"]]
        )
    except FileNotFoundError as exc:
        raise SandboxError(
            f"cannot use {folder}: it is not empty and no sandbox; name an empty or a new folder"
        ) from exc
    except OSError as exc:
        raise SandboxError(f"cannot use {folder}: {reason(exc)}; name another folder") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise SandboxError(
            f"cannot use {folder}: its {_FILE} is damaged; name another folder, or remove this one"
        ) from exc
    if state.kafka.split(".")[:2] != KAFKA_VERSION.split(".")[:2]:
        raise SandboxError(
            f"cannot use {folder}: its topics were written by Kafka {state.kafka}, and this is "
            f"{KAFKA_VERSION}; name another folder, or remove this one"
        )
    return state


def number_of_brokers(wanted: int | None, folder: Path | None, state: State | None) -> int:
    """How many brokers to start: as many as wanted, or else as the folder was made for, or else one.

    Raises:
        SandboxError: the number is impossible, or not the folder's.
    """
    count = wanted if wanted is not None else len(state.ports) if state else 1
    if not 1 <= count <= _MOST_BROKERS:
        raise SandboxError(f"cannot start {wanted} brokers: 1 to {_MOST_BROKERS} are possible here")
    if state and count != len(state.ports):
        raise SandboxError(
            f"cannot start {count} brokers in {folder}: its topics are spread over {len(state.ports)}; "
            "start that many, or name another folder"
        )
    return count
