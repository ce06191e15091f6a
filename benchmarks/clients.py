"""Confluent-kafka alone, hop 1, the published hop-client and kcat, one after the other, again and again.

The broker is Apache Kafka on the same machine, with TLS and, but for kcat, a password; messages of 1 kB, one partition.
What a client does is timed in a process of its own. The published client gets fewer messages where it is slow; what is
compared is messages a second.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from benchmarks._released import released
from benchmarks._results import CLIENTS, OURS, Compared
from hop.auth import Auth, write_auth_data
from hop.sandbox import KafkaBroker, kafka_broker

ROUNDS, SHORT_ROUNDS = 3, 9
COUNT, FEW = 100_000, 4_000
WRITES, FEW_WRITES = 30_000, 4_000
LATENCIES = 1_000
WORKER = Path(__file__).with_name("_client_worker.py")
PACKET = Path(__file__).parents[1] / "tests-integration" / "data" / "example_voevent.xml"
RAW, _, PUBLISHED, KCAT = CLIENTS
HOPS = (OURS, PUBLISHED)

Measure = Callable[[], float]
_PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
)


def compared(
    area: str,
    name: str,
    unit: str,
    measures: dict[str, Measure],
    *,
    more: bool,
    rounds: int = ROUNDS,
) -> Compared:
    """Measure in rounds, each client once in each, after a first round that does not count."""
    found: dict[str, list[float]] = {client: [] for client in measures}
    for turn in range(rounds + 1):
        for client, measure in measures.items():
            value = measure()
            if turn:
                found[client].append(value)
    ratios = {
        client: median(
            ours / theirs if more else theirs / ours
            for ours, theirs in zip(found[OURS], values, strict=True)
        )
        for client, values in found.items()
        if client != OURS
    }
    medians = {client: median(values) for client, values in found.items()}
    return Compared(area, name, unit, more, medians, ratios)


@dataclass(frozen=True)
class Setting:
    """What the measurements share.

    Attributes:
        broker: the broker.
        folder: for files; the credential is in it.
        pythons: the Python of each hop that there is.
    """

    broker: KafkaBroker
    folder: Path
    pythons: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_CONFIG_HOME": str(self.folder)}

    def topic(self) -> str:
        name = f"bench-{uuid4().hex}"
        self.broker.create_topic(name)
        return name

    def given(self, topic: str, count: int) -> str:
        user = self.broker.users["hop"]
        auth = Auth(user.username, user.password, ssl_ca_location=str(self.broker.ca_file))
        where = {
            "raw": {"bootstrap.servers": self.broker.address, **auth()},
            "url": self.broker.url(topic),
            "topic": topic,
            "count": count,
            "journal": str(self.folder / f"{uuid4().hex}.journal"),
            "packet": str(PACKET),
        }
        return json.dumps(where) + "\n"

    def work(self, client: str, task: str, topic: str, count: int) -> Any:
        """What the worker measured."""
        python = self.pythons.get(client, sys.executable)
        done = subprocess.run(
            [python, str(WORKER), f"raw-{task}" if client == RAW else task],
            input=self.given(topic, count),
            capture_output=True,
            text=True,
            env=self.environment,
        )
        # librdkafka's log, and that of the published one, are of interest only then.
        if done.returncode:
            raise RuntimeError(f"{client} could not {task}:\n{done.stderr}")
        return json.loads(done.stdout)

    def workers(self, task: str, topic: str, counts: dict[str, int]) -> dict[str, Measure]:
        """The task as each client in `counts` that there is does it, with so many messages."""

        def measure(client: str) -> Measure:
            return lambda: float(self.work(client, task, topic, counts[client]))

        return {client: measure(client) for client in counts if self.has(client)}

    def has(self, client: str) -> bool:
        return client == RAW or client in self.pythons

    def hop(self, client: str) -> str:
        if client == OURS:
            return str(Path(sysconfig.get_path("scripts"), "hop"))
        return str(Path(self.pythons[client]).with_name("hop"))

    def kcat(self, *arguments: str) -> list[str]:
        """The command; librdkafka 2.0, which Debian's kcat has, cannot log in to Kafka 4 with SCRAM."""
        options = self.folder / "kcat.conf"
        settings = {
            **self.broker.admin_config,
            "ssl.endpoint.identification.algorithm": "none",
        }
        options.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return ["kcat", "-F", str(options), *arguments]

    def took(self, command: list[str], stdin: Path | None = None) -> float:
        """The seconds of a whole process."""
        with (stdin or Path(os.devnull)).open("rb") as file:
            start = time.perf_counter()
            subprocess.run(
                command,
                stdin=file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=True,
                env=self.environment,
            )
            return time.perf_counter() - start


def reading(at: Setting) -> Iterator[Compared]:
    topic = at.topic()
    at.work(RAW, "write", topic, COUNT)
    counts = {RAW: COUNT, OURS: COUNT, PUBLISHED: FEW}
    measures = at.workers("read", topic, counts)
    if shutil.which("kcat"):
        command = at.kcat("-C", "-q", "-t", topic, "-o", "beginning", "-c", str(COUNT))
        measures[KCAT] = lambda: COUNT / at.took(command)
    yield compared("reading", "for message in stream", "messages/s", measures, more=True)
    measures = at.workers("first", topic, counts)
    measures = {client: _times(1000, measure) for client, measure in measures.items()}
    name = "open to first message"
    yield compared("reading", name, "ms", measures, more=False, rounds=SHORT_ROUNDS)


def writing(at: Setting) -> Iterator[Compared]:
    topic = at.topic()
    counts = {RAW: WRITES, OURS: WRITES, PUBLISHED: FEW_WRITES}
    measures = at.workers("write", topic, counts)
    if shutil.which("kcat"):
        lines = at.folder / "lines"
        lines.write_text(("x" * 999 + "\n") * WRITES)
        command = at.kcat("-P", "-t", topic, "-X", "acks=all")
        measures[KCAT] = lambda: WRITES / at.took(command, lines)
    yield compared("writing", "write, all confirmed", "messages/s", measures, more=True)


def robust(at: Setting) -> Iterator[Compared]:
    counts = {RAW: WRITES, OURS: WRITES, PUBLISHED: FEW_WRITES}
    measures = at.workers("robust", at.topic(), counts)
    name = "RobustProducer, all confirmed; without a journal"
    yield compared("robust", name, "messages/s", measures, more=True)


def latency(at: Setting) -> Iterator[Compared]:
    found: dict[str, list[list[float]]] = {}

    def measure(client: str, part: int) -> Measure:
        def run() -> float:
            # Both figures are of the same runs.
            runs = found.setdefault(client, [])
            if part == 0:
                runs.append(_latency(at, client))
                return runs[-1][0]
            return runs.pop(0)[1]

        return run

    clients = [client for client in (RAW, *HOPS) if at.has(client)]
    for part, what in enumerate(("median", "99 of 100")):
        measures = {client: measure(client, part) for client in clients}
        yield compared("latency", f"write to reader, {what}", "ms", measures, more=False)


def _latency(at: Setting, client: str) -> list[float]:
    given = at.given(at.topic(), LATENCIES)
    prefix = "raw-" if client == RAW else ""
    python = at.pythons.get(client, sys.executable)
    processes = [
        subprocess.Popen(
            [python, str(WORKER), prefix + task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=at.environment,
        )
        for task in ("listen", "speak")
    ]
    with processes[0] as listener, processes[1] as speaker:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(given)
            process.stdin.flush()
        assert listener.stdout is not None
        assert listener.stdout.readline() == "ready\n"
        speaker.communicate("ready\n")
        result: list[float] = json.loads(listener.stdout.read())
    return result


def starting(at: Setting) -> Iterator[Compared]:
    commands = {RAW: [sys.executable, "-c", "import confluent_kafka"]}
    imports = {RAW: [sys.executable, "-c", "import confluent_kafka"]}
    for client in HOPS:
        if at.has(client):
            commands[client] = [at.hop(client), "--help"]
            imports[client] = [at.pythons[client], "-c", "import hop.io"]
    if shutil.which("kcat"):
        commands[KCAT] = ["kcat", "-V"]
    for name, chosen in (("import hop.io", imports), ("hop --help", commands)):
        measures = {client: _times(1000, _took(at, c)) for client, c in chosen.items()}
        yield compared("start-up", name, "ms", measures, more=False, rounds=SHORT_ROUNDS)


def memory(at: Setting) -> Iterator[Compared]:
    topic = at.topic()
    at.work(RAW, "write", topic, COUNT)
    for name, task, where in (
        ("peak after reading", "peak-read", topic),
        ("peak after writing", "peak-write", at.topic()),
    ):
        few = FEW if task == "peak-read" else FEW_WRITES
        many = COUNT if task == "peak-read" else WRITES
        measures = at.workers(task, where, {RAW: many, OURS: many, PUBLISHED: few})
        if shutil.which("kcat") and task == "peak-read":
            command = at.kcat("-C", "-q", "-t", topic, "-o", "beginning", "-c", str(COUNT))
            measures[KCAT] = lambda command=command: _peak(command)  # type: ignore[misc]
        yield compared("memory", name, "MB", measures, more=False)


def cli(at: Setting) -> Iterator[Compared]:
    counts = {OURS: COUNT, PUBLISHED: FEW, KCAT: COUNT}
    clients = [one for one in HOPS if at.has(one)] + ([KCAT] if shutil.which("kcat") else [])
    files = {}
    for client in clients:
        files[client] = at.folder / f"lines-{counts[client]}"
        files[client].write_text(('{"note": "%s"}\n' % ("x" * 200)) * counts[client])

    def publish(client: str, topic: str) -> list[str]:
        if client == KCAT:
            return at.kcat("-P", "-t", topic)
        return [at.hop(client), "publish", "-q", at.broker.url(topic)]

    def publishing(client: str) -> Measure:
        command = publish(client, at.topic())
        return lambda: counts[client] / at.took(command, files[client])

    def subscribing(client: str) -> Measure:
        topic = at.topic()
        at.took(publish(OURS, topic), files[client])
        if client == KCAT:
            command = at.kcat("-C", "-J", "-e", "-q", "-o", "beginning", "-t", topic)
        else:
            options = ("-q", "-s", "EARLIEST", "-e", "-j")
            command = [at.hop(client), "subscribe", *options, at.broker.url(topic)]
        return lambda: counts[client] / at.took(command)

    # Since 0.11, `hop publish` of lines ended with "__bytes__ returned non-bytes".
    measures = {client: publishing(client) for client in clients if client != PUBLISHED}
    yield compared("command line", "hop publish of lines", "messages/s", measures, more=True)
    measures = {client: subscribing(client) for client in clients}
    yield compared("command line", "hop subscribe -j", "messages/s", measures, more=True)


def models(at: Setting) -> Iterator[Compared]:
    measures = at.workers("voevents", at.topic(), {OURS: 1000, PUBLISHED: 1000})
    yield compared("models", "VOEvent.load", "messages/s", measures, more=True)


AREAS = {
    "reading": reading,
    "writing": writing,
    "robust": robust,
    "latency": latency,
    "starting": starting,
    "memory": memory,
    "cli": cli,
    "models": models,
}


def measure(*areas: str) -> Iterator[Compared]:
    pythons = {OURS: sys.executable}
    if (published := released()) is not None:
        pythons[PUBLISHED] = str(published)
    # Beside the program, where journals are by default: a folder for temporary files may be in memory.
    with kafka_broker() as broker, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        user = broker.users["hop"]
        auth = Auth(user.username, user.password, ssl_ca_location=str(broker.ca_file))
        write_auth_data(Path(folder, "hop", "auth.toml"), [auth])
        at = Setting(broker, Path(folder), pythons)
        for area in areas or AREAS:
            yield from AREAS[area](at)


def _times(factor: float, measure: Measure) -> Measure:
    return lambda: factor * measure()


def _took(at: Setting, command: list[str]) -> Measure:
    return lambda: at.took(command)


def _peak(command: list[str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *command], stdout=subprocess.PIPE, check=True
    )
    return float(done.stdout)
