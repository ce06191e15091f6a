"""The `hop` program against kcat, or, where kcat is not installed, against a bare loop around confluent-kafka.

The broker is Apache Kafka on the same machine, and both sides use TLS. `hop` logs in with a password; what it is
compared with has a certificate instead, since librdkafka 2.0, which Debian's kcat has, cannot log in to Kafka 4 with
SCRAM. Every figure is one of whole processes, from their start to their end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

from confluent_kafka import Producer

from benchmarks._harness import Row, paired, process
from hop.auth import Auth, write_auth_data
from hop.sandbox import KafkaBroker, kafka_broker

_HOP = str(Path(sysconfig.get_path("scripts"), "hop"))
_MESSAGES = 200_000
_MEMORY = 150 << 20
_PAIRS = 5

# What a user would write who has confluent-kafka and no kcat.
_READ = """
import json, sys
from confluent_kafka import Consumer, KafkaError, TopicPartition
options = dict(line.strip().split("=", 1) for line in open(sys.argv[1]))
consumer = Consumer({**options, "group.id": "bench", "enable.partition.eof": True})
consumer.assign([TopicPartition(sys.argv[2], 0, 0)])
while True:
    message = consumer.poll(1)
    if message is None:
        continue
    if message.error():
        break
    print(json.dumps({"topic": message.topic(), "offset": message.offset(), "payload": message.value().decode()}))
consumer.close()
"""
_WRITE = """
import sys
from confluent_kafka import Producer
producer = Producer(dict(line.strip().split("=", 1) for line in open(sys.argv[1])))
for line in sys.stdin.buffer:
    while True:
        try:
            producer.produce(sys.argv[2], line[:-1])
            break
        except BufferError:
            producer.poll(0.1)
producer.flush()
"""
# A process inherits the peak of the one that starts it, so that has to be a small one.
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def measure() -> list[Row]:
    rows = _starting()
    with kafka_broker() as broker, tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "lines.jsonl")
        _make_lines(lines)
        with _logged_in(broker, Path(folder)) as options:
            rows.extend(_reading(broker, options, lines))
            rows.extend(_writing(broker, options, lines))
    return rows


def _starting() -> list[Row]:
    python = sys.executable
    return [
        paired(
            "hop --help",
            process(_HOP, "--help"),
            "python -c pass",
            process(python, "-c", "pass"),
            bound=5.0,
            pairs=15,
        ),
        paired(
            "hop version",
            process(_HOP, "version"),
            "import confluent_kafka",
            process(python, "-c", "import confluent_kafka"),
            bound=2.0,
            pairs=15,
        ),
    ]


def _reading(broker: KafkaBroker, options: Path, lines: Path) -> list[Row]:
    many, one = _topic(broker), _topic(broker)
    _fill(broker, many, lines.read_bytes().splitlines())
    _fill(broker, one, [b'{"my": "message"}'])
    name, reference = _kcat_or_loop("-C", "-J", "-e", "-q", "-o", "beginning", loop=_READ)
    hop = [_HOP, "subscribe", "-s", "EARLIEST", "-e", "-j"]
    return [
        paired(
            f"hop subscribe -j, {_MESSAGES} messages",
            process(*hop, broker.url(many)),
            name,
            process(*reference(options, many)),
            bound=1 / 0.5,
            pairs=_PAIRS,
        ),
        paired(
            "hop subscribe -s EARLIEST -e, one message",
            process(*hop, broker.url(one)),
            name,
            process(*reference(options, one)),
            bound=0.8,
            pairs=_PAIRS,
        ),
    ]


def _writing(broker: KafkaBroker, options: Path, lines: Path) -> list[Row]:
    ours, theirs = _topic(broker), _topic(broker)
    name, reference = _kcat_or_loop("-P", loop=_WRITE)
    hop = [_HOP, "publish", "-q", "-f", "JSON", broker.url(ours)]
    speed = paired(
        f"hop publish -f JSON, {_MESSAGES} lines",
        _fed(lines, hop),
        name,
        _fed(lines, reference(options, theirs)),
        bound=1 / 0.1,
        pairs=_PAIRS,
    )
    peaks = [_peak_memory(lines, hop) for _ in range(3)]
    peak = median(peaks) / (1 << 20)
    bound = _MEMORY / (1 << 20)
    # Megabytes in the columns for seconds.
    memory = Row("memory of it (MB)", "150 MB", peak, bound, peak / bound, 1.0)
    return [speed, memory]


def _kcat_or_loop(*options: str, loop: str) -> tuple[str, Callable[[Path, str], list[str]]]:
    """The name of what is compared with, and its command for a file with librdkafka's options and a topic."""
    if kcat := shutil.which("kcat"):
        name = f"kcat {' '.join(option for option in options if option in ('-C', '-J', '-P'))}"
        return name, lambda file, topic: [kcat, "-F", str(file), "-t", topic, *options]
    return "confluent-kafka", lambda file, topic: [sys.executable, "-c", loop, str(file), topic]


def _fed(lines: Path, command: list[str]) -> Callable[[], object]:
    """An action that runs a command with the lines on its standard input."""

    def run() -> None:
        with lines.open("rb") as file:
            subprocess.run(command, stdin=file, check=True, stdout=subprocess.DEVNULL)

    return run


def _peak_memory(lines: Path, command: list[str]) -> int:
    """The most memory that a process had while it read the lines three times over, in bytes."""
    with subprocess.Popen(
        [sys.executable, "-c", _PEAK, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for _ in range(3):
            child.stdin.write(lines.read_bytes())
        child.stdin.close()
        peak = int(child.stdout.read())
    assert child.returncode == 0
    return peak * (1 if sys.platform == "darwin" else 1024)


def _make_lines(path: Path) -> None:
    """JSON lines of 220 bytes, such as an alert's essentials."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(_MESSAGES):
            alert = {
                "superevent_id": f"S261124{number:06d}",
                "time_created": "2026-11-24T18:05:38.123Z",
                "alert_type": "PRELIMINARY",
                "far": 1.5e-9 * (number % 97),
                "ra": 360 * number / _MESSAGES,
                "dec": -12.5,
                "tags": ["gw", "test"],
                "note": "",
            }
            alert["note"] = "x" * (220 - len(json.dumps(alert)))
            file.write(f"{json.dumps(alert)}\n")


@contextmanager
def _logged_in(broker: KafkaBroker, folder: Path) -> Iterator[Path]:
    """Let `hop` find the credential of a user; gives a file with options for librdkafka."""
    user = broker.users["hop"]
    auth = Auth(user.username, user.password, ssl_ca_location=str(broker.ca_file))
    write_auth_data(folder / "hop" / "auth.toml", [auth])
    options = folder / "librdkafka.conf"
    # librdkafka 2.0 does not find 127.0.0.1 in a certificate either.
    settings = {**broker.admin_config, "ssl.endpoint.identification.algorithm": "none"}
    options.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(folder)
    try:
        yield options
    finally:
        if before is None:
            del os.environ["XDG_CONFIG_HOME"]
        else:
            os.environ["XDG_CONFIG_HOME"] = before


def _topic(broker: KafkaBroker) -> str:
    name = f"bench-{uuid4().hex}"
    broker.create_topic(name)
    return name


def _fill(broker: KafkaBroker, topic: str, bodies: list[bytes]) -> None:
    producer = Producer({**broker.admin_config, "queue.buffering.max.messages": 1_000_000})
    for body in bodies:
        producer.produce(topic, body, headers=[("_format", "json")])
    assert producer.flush(120) == 0
