"""Programs that are in use, as the index has them, with this checkout's hop in the place of hop-client 0.x."""

from __future__ import annotations

import json
import pickletools
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from installing import interpreter, run
from interop.releases import RELEASES, build
from interop.results import Results
from interop.sides import Side

from hop.sandbox import KafkaBroker

HERE = Path(__file__).parent
TABLE = "programs"
Installed = Callable[..., Side]
SNEWS = ("snews.experiments-test", "snews.alert-test", "snews.connection-testing")
SNEWS_DRILL = ("snews.experiments-firedrill", "snews.alert-firedrill")
DONUT = {"category": "yeast", "flavor": "plain", "has_filling": False}


@pytest.fixture
def installed(hop_kafka: KafkaBroker, built: Path, tmp_path: Path) -> Installed:
    """Install programs with this checkout's wheels; their requirements decide whether those will do."""

    def installed(*programs: str | Path) -> Side:
        path = tmp_path / "env"
        # Newer ones have no wheel of the numpy that snews-pt asks for, older ones are not supported by it.
        run("uv", "venv", "-q", "-p", interpreter("3.11") or sys.executable, path)
        side = Side("ours", path / "bin" / "python", tmp_path / "config")
        run("uv", "pip", "install", "-q", "-p", side.python, "--find-links", built, *programs)
        version = "import hop; print(hop.__version__)"
        assert run(side.python, "-c", version).stdout == "1.0.0\n"
        side.succeed("auth", "add", hop_kafka.users["hop"].file)
        return side

    return installed


def test_igwn_alert(installed: Installed, hop_kafka: KafkaBroker, results: Results) -> None:
    side = installed("igwn-alert==0.7.0")
    for topic in ("interop.superevent", "interop.gstlal"):
        hop_kafka.create_topic(topic)
    host, _, port = hop_kafka.address.rpartition(":")
    done = subprocess.run(
        [side.python, HERE / "igwn.py", host, port],
        capture_output=True,
        text=True,
        env=side.environment(),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["topics"] == ["gstlal", "superevent"]
    assert answer["received"][0] == ["superevent", {"uid": "S1"}]
    assert answer["received"][-1] == ["gstlal", {"uid": "G1"}]
    assert answer["stopped"]
    results.record(TABLE, "igwn-alert 0.7.0", "on hop 1", "publishes, listens, stops")


@pytest.fixture
def snews(installed: Installed, hop_kafka: KafkaBroker, tmp_path: Path) -> tuple[Side, Path]:
    """snews-pt, and the file that tells it which broker and topics to use."""
    for topic in (*SNEWS, *SNEWS_DRILL):
        if topic not in hop_kafka.topics():
            hop_kafka.create_topic(topic)
    settings = tmp_path / "snews.env"
    settings.write_text(
        f"""HOP_BROKER="{hop_kafka.address}"
OBSERVATION_TOPIC="{hop_kafka.url(SNEWS[0])}"
ALERT_TOPIC="{hop_kafka.url(SNEWS[1])}"
CONNECTION_TEST_TOPIC="{hop_kafka.url(SNEWS[2])}"
FIREDRILL_OBSERVATION_TOPIC="{hop_kafka.url(SNEWS_DRILL[0])}"
FIREDRILL_ALERT_TOPIC="{hop_kafka.url(SNEWS_DRILL[1])}"
DETECTOR_NAME="XENONnT"
HAS_NAME_CHANGED="1"
BROKER_MODE="dev"
ALERT_OUTPUT="alerts/"
"""
    )
    return installed("snews-pt==3.0.0"), settings


def test_snews_pt(
    snews: tuple[Side, Path], ours: Side, hop_kafka: KafkaBroker, tmp_path: Path, results: Results
) -> None:
    side, settings = snews
    command = [side.python.parent / "snews_pt", "--env", settings]
    published = subprocess.run(
        [*command, "heartbeat", "-s", "ON", "-v", "1"],
        capture_output=True,
        text=True,
        env=side.environment(),
        timeout=60,
    )
    assert published.returncode == 0, published.stderr
    assert "Sent message to" in published.stdout
    read = subprocess.run(
        [ours.hop, "subscribe", "-q", "-e", "-s", "EARLIEST", hop_kafka.url(SNEWS_DRILL[0])],
        capture_output=True,
        env=ours.environment(),
        timeout=60,
    )
    # A pickle, of which hop gives the bytes: its text is found without running it.
    texts = [argument for _, argument, _ in pickletools.genops(read.stdout)]
    assert "XENONnT" in texts

    alert = {"alert_type": "NEW_MESSAGE", "detector_names": ["XENONnT", "JUNO"], "_id": "interop"}
    folder = tmp_path / "alerts"
    with subprocess.Popen(
        [*command, "subscribe", "-o", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=side.environment(),
    ) as subscriber:
        deadline = time.monotonic() + 40
        while not list(folder.glob("*.json")):
            assert time.monotonic() < deadline, "no alert arrived"
            message = [{"url": hop_kafka.url(SNEWS_DRILL[1]), "messages": [{"content": alert}]}]
            assert ours.peer("write", message) == [{"result": [{"result": alert}]}]
        subscriber.send_signal(signal.SIGINT)
        printed, errors = subscriber.communicate(timeout=20)
    assert subscriber.returncode == 0, errors
    assert "Done" in printed.decode()
    assert json.loads(next(folder.glob("*.json")).read_text()) == alert
    results.record(TABLE, "snews-pt 3.0.0", "on hop 1", "publishes, subscribes, ends at Ctrl-C")


def test_the_donut_plugin(
    installed: Installed,
    hop_kafka: KafkaBroker,
    hop_kafka_topic: str,
    tmp_path: Path,
    results: Results,
) -> None:
    """The same package with ours and with the newest release: each prints the other's donut as its own."""
    ours = installed(HERE / "donut")
    python = build(RELEASES[0], tmp_path)
    run("uv", "pip", "install", "-q", "-p", python, "--no-deps", HERE / "donut")
    theirs = Side("0.13.0", python, ours.home)
    path = tmp_path / "donut.json"
    path.write_text(json.dumps(DONUT))
    url = hop_kafka.url(hop_kafka_topic)
    for side in (theirs, ours):
        side.succeed("publish", "-q", "-f", "DONUT", url, path)
    for side in (theirs, ours):
        printed = side.succeed("subscribe", "-q", "-e", "-s", "EARLIEST", url)
        first, second = printed[: len(printed) // 2], printed[len(printed) // 2 :]
        assert first == second
        assert "yeast" in first
    read = ours.peer("read", [{"url": url}])[0]["result"]
    assert [message["model"] for message in read] == ["Donut", "Donut"]
    results.record(TABLE, "the documentation's donut", "on hop 1", "published, subscribed to")
