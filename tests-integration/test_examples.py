"""The examples of the README and the user's guide do what they say: each is run, against a real broker.

What a reader fills in is filled in: the broker's address, a user name, a password. An example that follows a topic for
ever has done its job when it has printed a message, which is written to its topics while it runs.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from installing import ROOT, clean_environment

from hop import Stream
from hop.auth import Auth
from hop.sandbox import KafkaBroker, MemoryBroker

PAGES = [
    "README.md",
    "docs/quickstart.md",
    "docs/streams.md",
    "docs/commands.md",
    "hop-cli/README.md",
    "hop-io/README.md",
    "packages/hop-client/README.md",
]
# Commands that ask somebody, run for ever without printing messages, or install.
NOT_RUN = ("pip install", "python3 -m venv", "hop auth add", "hop sandbox")
TOPICS = ["gcn", "topic", "topic1", "topic2", "my.topic", "sys.heartbeat"]
USER = "hop"


def blocks(kind: str) -> list[object]:
    """The fenced blocks of a kind on all pages, as parameters of a test."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for match in re.finditer(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, match.start()) + 1
            found.append(pytest.param(match[1], id=f"{page}:{line}"))
    return found


def commands() -> list[object]:
    found = []
    for block in blocks("console"):
        for line in block.values[0].splitlines():  # type: ignore[attr-defined]
            if not line.startswith(NOT_RUN):
                found.append(pytest.param(line, id=f"{block.id} {line}"))  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="module")
def kafka(hop_kafka: KafkaBroker) -> KafkaBroker:
    for topic in TOPICS:
        hop_kafka.create_topic(topic)
    return hop_kafka


@pytest.fixture
def credential(kafka: KafkaBroker) -> Auth:
    user = kafka.users[USER]
    return Auth(user.username, user.password, ssl_ca_location=str(kafka.ca_file))


@pytest.fixture
def folder(kafka: KafkaBroker, tmp_path: Path) -> Path:
    """A folder with the samples that the examples read, and the credential stored."""
    for sample in (ROOT / "tests-integration" / "data").iterdir():
        shutil.copy(sample, tmp_path)
    return tmp_path


@pytest.fixture
def environment(kafka: KafkaBroker, folder: Path, credential: Auth) -> dict[str, str]:
    from hop.auth import write_auth_data

    config = folder / "config"
    write_auth_data(config / "hop" / "auth.toml", [credential])
    programs = sysconfig.get_path("scripts")
    path = os.pathsep.join([programs, os.environ.get("PATH", "")])
    return {**clean_environment(), "XDG_CONFIG_HOME": str(config), "PATH": path}


@pytest.fixture
def alerts(kafka: KafkaBroker, credential: Auth) -> Iterator[None]:
    """Something happens on every topic while an example runs."""
    done = threading.Event()

    def write() -> None:
        with Stream(auth=credential).open(kafka.url(), "w") as stream:
            while not done.wait(0.2):
                for topic in TOPICS:
                    stream.write({"my": "message"}, topic=topic)

    writer = threading.Thread(target=write)
    writer.start()
    yield
    done.set()
    writer.join()


def filled_in(text: str, broker: KafkaBroker | MemoryBroker) -> str:
    return re.sub(r"kafka://[\w.-]+(:\w+)?/", broker.url(), text)


def works(command: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run until it ends, which has to be well, or until it has printed something."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        cwd=folder,
        text=True,
    ) as process:
        stop = threading.Timer(60, process.kill)
        stop.start()
        assert process.stdout is not None
        assert process.stderr is not None
        printed = process.stdout.readline()
        if printed and process.poll() is None:
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                process.terminate()
                stop.cancel()
                return
        code = process.wait()
        stop.cancel()
        assert code == 0, process.stderr.read()


@pytest.mark.parametrize("example", blocks("python"))
@pytest.mark.usefixtures("alerts")
def test_the_python_examples(
    example: str,
    kafka: KafkaBroker,
    hop_broker: MemoryBroker,
    environment: dict[str, str],
    folder: Path,
    credential: Auth,
) -> None:
    broker = hop_broker if "auth=False" in example else kafka
    program = filled_in(example, broker).replace('"mygroup"', f'"{USER}-mygroup"')
    program = program.replace(
        '"my-username", "my-password"',
        f"{credential.username!r}, {credential.password!r}, ssl_ca_location={str(kafka.ca_file)!r}",
    )
    works([sys.executable, "-c", program], environment, folder)


@pytest.mark.parametrize("line", commands())
@pytest.mark.usefixtures("alerts")
def test_the_commands(
    line: str, kafka: KafkaBroker, environment: dict[str, str], folder: Path
) -> None:
    command = shlex.split(filled_in(line, kafka), comments=True)
    assert command[0] == "hop"
    works(command, environment, folder)


def test_there_are_examples() -> None:
    assert len(blocks("python")) > 10
    assert len(commands()) > 5
