"""Kafka's processes: formatting, starting, ending, pausing, and where their logs are."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from hop.sandbox._child import Child
from hop.sandbox._configuration import (
    TEMPORARY,
    Node,
    java_command,
    node_folder,
    server_properties,
)
from hop.sandbox._errors import KafkaStartError, SandboxError
from hop.sandbox._failure import start_error

# Seconds: for what takes two or three on an idle machine.
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 20.0
_POLL = 0.05
_LOG = "kafka.log"
_FORMAT = "format"
_BROKER = "broker"


class Processes:
    """The Java processes of the nodes of one sandbox, and the folder that they live in.

    Args:
        folder: where the sandbox lives; None takes a new temporary one.
        kept: whether the folder holds a sandbox already and so outlives this one; a temporary one never does.
    """

    def __init__(self, folder: Path | None, kept: bool, java: Path, jars: Sequence[Path]) -> None:
        self._java = java
        self._jars = jars
        self._log_start: dict[int, int] = {}
        self.pids: dict[int, int] = {}
        arguments = ["temporary"] if folder is None else ["kept" if kept else "new", str(folder)]
        self._child = Child("hop.sandbox._supervisor", *arguments)
        try:
            self.folder = Path(self._child.receive()["folder"])
        except BrokenPipeError as exc:
            self.close()
            raise SandboxError(
                "the sandbox's process ended unexpectedly; its error is above"
            ) from exc
        except BaseException:
            self.close()
            raise

    def configure(self, nodes: Sequence[Node]) -> None:
        """Write each node's configuration, and begin a new log."""
        for node in nodes:
            own = node_folder(self.folder, node.id)
            own.mkdir(exist_ok=True)
            if (own / _LOG).exists():
                (own / _LOG).replace(own / f"{_LOG}.1")
            text = server_properties(node, nodes)
            (own / "server.properties").write_text(text, encoding="ascii")

    def format(self, nodes: Collection[int], cluster: str) -> None:
        """Prepare the nodes' storage; a node whose storage is prepared keeps it.

        Raises:
            KafkaStartError: it can't be written.
        """
        storage = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster, "-c")
        for node in nodes:
            self._run(_FORMAT, node, *storage)
        self._wait(_FORMAT, nodes, lambda codes: set(codes) == {0}, "format its storage")

    def start(self, nodes: Collection[int], up: Callable[[], bool]) -> None:
        """Start these nodes and wait until `up` says that they are.

        Raises:
            KafkaStartError: one of them ended, or they take too long.
        """
        for node in nodes:
            self._run(_BROKER, node, "kafka.Kafka")
        self._wait(_BROKER, nodes, lambda codes: set(codes) == {None} and up(), "start")

    def running(self) -> list[int]:
        """The nodes whose process is alive."""
        try:
            codes = self._codes()
        except SandboxError:
            return []
        return sorted(
            node for (what, node), code in codes.items() if what == _BROKER and code is None
        )

    def end(self, nodes: Iterable[int], *, gracefully: bool) -> None:
        """End these nodes and wait until they are gone."""
        names = [f"{_BROKER}-{node}" for node in nodes]
        self._ask("end", names, _STOP_TIMEOUT if gracefully else 0)

    def signal(self, nodes: Iterable[int], number: signal.Signals) -> None:
        for node in nodes:
            self._ask("signal", f"{_BROKER}-{node}", number)

    def keep(self) -> None:
        """From here on the folder stays, unless it is temporary."""
        self._ask("keep")

    def close(self) -> None:
        """Kill what runs and remove what must not stay."""
        self._child.stop(_STOP_TIMEOUT)

    def logs(self) -> dict[int, Path]:
        """The log of each node that has started."""
        return {node: node_folder(self.folder, node) / _LOG for node in self._log_start}

    def _ask(self, *question: object) -> dict[str, Any]:
        try:
            return self._child.ask(question)
        except BrokenPipeError as exc:
            raise SandboxError("the sandbox has stopped; start another one") from exc

    def _codes(self) -> dict[tuple[str, int], int | None]:
        codes = {}
        for name, code in self._ask("poll")["codes"].items():
            what, _, node = name.partition("-")
            codes[what, int(node)] = code
        return codes

    def _run(self, what: str, node: int, *main: str) -> None:
        own = node_folder(self.folder, node)
        shutil.rmtree(own / TEMPORARY, ignore_errors=True)
        (own / TEMPORARY).mkdir()
        log = own / _LOG
        self._log_start[node] = log.stat().st_size if log.exists() else 0
        command = [
            *java_command(self._java, self._jars, own),
            *main,
            str(own / "server.properties"),
        ]
        self.pids[node] = self._ask("start", f"{what}-{node}", command, str(log))["pid"]

    def _wait(
        self,
        what: str,
        nodes: Collection[int],
        done: Callable[[Collection[int | None]], bool],
        purpose: str,
    ) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            all_codes = self._codes()
            codes = {node: all_codes[what, node] for node in nodes}
            if done(codes.values()):
                return
            failed = [node for node, code in codes.items() if code or (what, code) == (_BROKER, 0)]
            if failed:
                raise self._failure(failed, purpose)
            if time.monotonic() > deadline:
                raise self._failure(nodes, f"{purpose} within {_START_TIMEOUT:.0f} seconds")
            time.sleep(_POLL)

    def _failure(self, nodes: Iterable[int], purpose: str) -> KafkaStartError:
        texts = {}
        for node in nodes:
            with self.logs()[node].open("rb") as file:
                file.seek(self._log_start[node])
                texts[node] = file.read().decode(errors="replace")
        return start_error(texts, purpose, self.folder)
