"""The command line as hop-client's documentation of June 2022 shows it, chapters 1.2.1 and 1.7, copied from there.

Every command is run against Apache Kafka. Two things are filled in: `hostname:port` is the broker's address, and
`example.gcn3` and `example_voevent.xml`, which the documentation says are provided, are the samples beside this file.
What `hop COMMAND -h` prints is compared option by option.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sysconfig
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from installing import clean_environment

from hop.auth import Auth, load_auth, write_auth_data
from hop.sandbox import KafkaBroker, MemoryBroker

DATA = Path(__file__).parent / "data"
USER = "hop"

# 1.2.1
PUBLISH = "hop publish kafka://hostname:port/gcn -f CIRCULAR example.gcn3"
CONSUME = "hop subscribe kafka://hostname:port/gcn -s EARLIEST"
LIST_TOPICS = "hop list-topics kafka://hostname:port/"

# 1.7
AUTH = """
usage: hop auth [-h] [-q | -v] <command> ...

Authentication configuration utilities.

optional arguments:
  -h, --help     show this help message and exit
  -q, --quiet    If set, only display warnings and errors.
  -v, --verbose  If set, display additional logging messages.

commands:
  <command>
    locate       display configuration path
    list         Display all stored credentials
    add          Load a credential, specified either via a CSV file or
                 interactively
    remove       Delete a stored credential
"""
LIST = """
usage: hop list-topics [-h] [--no-auth] URL

List available topics.

positional arguments:
  URL         Sets the URL (kafka://host[:port]/topic) to publish messages to.

optional arguments:
  -h, --help  show this help message and exit
  --no-auth   If set, disable authentication.
"""
PUBLISH_HELP = """
usage: hop publish [-h] [--no-auth] [-q | -v]
                   [-f {VOEVENT,CIRCULAR,BLOB,JSON,AVRO}] [-t]
                   URL [MESSAGE [MESSAGE ...]]

Publish messages.

positional arguments:
  URL                   Sets the URL (kafka://host[:port]/topic) to publish
                        messages to.
  MESSAGE               File of messages to publish. (standard input is used
                        if omitted)

optional arguments:
  -h, --help            show this help message and exit
  --no-auth             If set, disable authentication.
  -q, --quiet           If set, only display warnings and errors.
  -v, --verbose         If set, display additional logging messages.
  -f {VOEVENT,CIRCULAR,BLOB,JSON,AVRO}, --format {VOEVENT,CIRCULAR,BLOB,JSON,AVRO}
                        Specify the message format. Defaults to BLOB for an
                        unstructured message.
  -t, --test            Mark messages as test messages by adding a header with
                        key '_test'.
"""
SUBSCRIBE_HELP = """
optional arguments:
  -h, --help            show this help message and exit
  --no-auth             If set, disable authentication.
  -q, --quiet           If set, only display warnings and errors.
  -v, --verbose         If set, display additional logging messages.
  -s {EARLIEST,LATEST}, --start-at {EARLIEST,LATEST}
                        Set the message offset offset to start at. Default:
                        LATEST.
  -e, --until-eos       If set, only subscribe until EOS is received (end of
                        stream). Otherwise, listen to messages indefinitely.
  -g GROUP_ID, --group-id GROUP_ID
                        Consumer group ID. If unset, a random ID will be
                        generated.
  -j, --json            Request message output as raw json
  -t, --test            Process test messages instead of ignoring them.
"""
VERSION = """
usage: hop version [-h]

List all the dependencies' versions.

optional arguments:
  -h, --help  show this help message and exit
"""
NO_CREDENTIAL = """
No valid credential data found
You can get a credential from https://my.hop.scimma.org
To load your credential, run `hop auth add`
"""

HELP = {
    "auth": AUTH,
    "list-topics": LIST,
    "publish": PUBLISH_HELP,
    "subscribe": SUBSCRIBE_HELP,
    "version": VERSION,
}
# What is said in other words, since it is not so, or more is possible: the documentation's words, and ours.
OTHER_WORDS = {
    # Topics are listed there, not published to.
    (
        "list-topics",
        "Sets the URL (kafka://host[:port]/topic) to publish messages to.",
    ): "Sets the URL (kafka://host[:port]/topic) of the broker and topic.",
    # - is standard input, too.
    (
        "publish",
        "(standard input is used if omitted)",
    ): "(standard input is used if omitted, or for -)",
    # There is also -N.
    (
        "subscribe",
        "Set the message offset offset to start at. Default: LATEST.",
    ): "Set the message offset to start at, -N being the last N messages of each partition. Default: LATEST.",
    # Without a group of one's own, none is joined.
    (
        "subscribe",
        "Consumer group ID. If unset, a random ID will be generated.",
    ): "Consumer group ID. If unset, every message is read and no group is joined.",
}

Hop = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(hop_kafka: KafkaBroker, tmp_path: Path) -> dict[str, str]:
    """An environment, and a folder with the documentation's examples, of a user who has no credential yet."""
    for name in ("example.gcn3", "example_voevent.xml"):
        shutil.copy(DATA / name, tmp_path)
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    return {
        **clean_environment(),
        "PATH": path,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


@pytest.fixture
def credential(hop_kafka: KafkaBroker, environment: dict[str, str]) -> Auth:
    """The credential of a user, which is stored."""
    user = hop_kafka.users[USER]
    stored = Auth(user.username, user.password, ssl_ca_location=str(hop_kafka.ca_file))
    write_auth_data(Path(environment["XDG_CONFIG_HOME"], "hop", "auth.toml"), [stored])
    return stored


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Hop:
    """Run a line as a shell does."""

    def run(line: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            line,
            shell=True,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=60,
            **options,
        )

    return run


@pytest.fixture(scope="module")
def gcn(hop_kafka: KafkaBroker) -> Iterator[str]:
    """The broker's address, where there is an empty topic gcn, which others may have, too, at other times."""
    delete_gcn(hop_kafka)
    hop_kafka.create_topic("gcn")
    yield hop_kafka.address
    delete_gcn(hop_kafka)


def delete_gcn(broker: KafkaBroker) -> None:
    if "gcn" in broker.topics():
        admin = AdminClient(broker.admin_config)
        admin.delete_topics(["gcn"])["gcn"].result(20)


def plain(text: str) -> str:
    return " ".join(text.split())


def follow(line: str, environment: dict[str, str], folder: Path, lines: int) -> str:
    """The first lines that a command prints which goes on "until the user stops the program (Ctrl+C to stop)"."""
    with subprocess.Popen(
        ["sh", "-c", f"exec {line}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=folder,
        text=True,
    ) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout is not None
        assert process.stderr is not None
        printed = "".join(process.stdout.readline() for _ in range(lines))
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        watchdog.cancel()
        assert process.stderr.read() == ""
    return printed


@pytest.mark.usefixtures("credential")
def test_publish_and_consume(
    run: Hop, environment: dict[str, str], gcn: str, tmp_path: Path
) -> None:
    published = run(PUBLISH.replace("hostname:port", gcn))
    assert (published.returncode, published.stdout) == (0, "")
    assert published.stderr == f"published 1 message to gcn at {gcn}\n"
    circular = (tmp_path / "example.gcn3").read_text(encoding="utf-8")
    line = CONSUME.replace("hostname:port", gcn)
    printed = follow(line, environment, tmp_path, len(circular.splitlines()))
    assert printed == circular


@pytest.mark.usefixtures("credential")
def test_view_available_topics(run: Hop, gcn: str) -> None:
    result = run(LIST_TOPICS.replace("hostname:port", gcn))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Accessible topics:\n")
    assert " gcn\n" in result.stdout


def test_the_credential_of_the_quickstart(
    run: Hop, environment: dict[str, str], hop_kafka: KafkaBroker, gcn: str, tmp_path: Path
) -> None:
    """`hop auth locate`, `hop auth add` with the answers typed, or with a file, and then the credential is used."""
    located = run("hop auth locate")
    assert located.stdout == f"{tmp_path}/config/hop/auth.toml\n"
    before = run(LIST_TOPICS.replace("hostname:port", gcn))
    assert before.returncode == 1
    user = hop_kafka.users[USER]
    csv = (
        f"username,password,ssl_ca_location\n{user.username},{user.password},{hop_kafka.ca_file}\n"
    )
    (tmp_path / "credentials.csv").write_text(csv)
    added = run("hop auth add credentials.csv")
    assert added.returncode == 0, added.stderr
    assert run("hop auth list").stdout == f"{USER} (SCRAM-SHA-512)\n"
    assert run(LIST_TOPICS.replace("hostname:port", gcn)).returncode == 0
    assert run(f"hop auth remove {USER}").returncode == 0
    asked = run("hop auth add", input=f"{user.username}\n{user.password}\n\n")
    assert asked.returncode == 0, asked.stderr
    (stored,) = load_auth(located.stdout.strip())
    assert (stored.username, stored.password) == (user.username, user.password)


def test_authentication_can_be_disabled(
    run: Hop, hop_broker: MemoryBroker, hop_topic: str, tmp_path: Path
) -> None:
    """The same commands with the --no-auth option, for a broker that knows no users."""
    url = hop_broker.url(hop_topic)
    assert run(f"hop publish {url} -f CIRCULAR example.gcn3 --no-auth").returncode == 0
    assert run(f"hop publish {url} -f VOEVENT example_voevent.xml --no-auth").returncode == 0
    read = run(f"hop subscribe --no-auth {url} -s EARLIEST -e")
    assert read.stdout.startswith((tmp_path / "example.gcn3").read_text(encoding="utf-8"))


def test_unstructured_messages_may_be_piped(
    run: Hop, hop_broker: MemoryBroker, hop_topic: str
) -> None:
    """ "JSON input with individual messages separated by newlines, and the Blob format (-fBLOB)" """
    url = hop_broker.url(hop_topic)
    lines = '{"my": "message"}\n["a", "list", 1.5]\n"text"\n'
    assert run(f"hop publish --no-auth -fBLOB {url}", input=lines).returncode == 0
    read = run(f"hop subscribe --no-auth {url} -s EARLIEST -e")
    assert read.stdout == lines


def options(text: str) -> list[tuple[str, str]]:
    """The entries of a help text: how it is called, and what is said about it."""
    entry = re.compile(r"^ {2,4}(\S.*?)(?: {2,}|\n {10,})(\S.*(?:\n {10,}\S.*)*)", re.MULTILINE)
    return [(called, plain(said)) for called, said in entry.findall(text)]


@pytest.mark.parametrize("command", HELP)
def test_the_help_texts(run: Hop, command: str) -> None:
    printed = run(f"hop {command} -h")
    assert (printed.returncode, printed.stderr) == (0, "")
    help_text = plain(printed.stdout)
    documented = HELP[command]
    if "usage: " in documented:
        description = documented.strip().split("\n\n")[1]
        assert plain(description) in help_text
    entries = options(documented)
    assert len(entries) >= {"version": 1, "list-topics": 3}.get(command, 7)
    used = set()
    for called, said in entries:
        for name in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", called):
            assert re.search(rf"(?<![\w-]){name}(?![\w-])", help_text), name
        for theirs, ours in OTHER_WORDS.items():
            if theirs[0] == command and theirs[1] in said:
                used.add(theirs)
                said = said.replace(theirs[1], ours)
        assert said in help_text
    assert used == {key for key in OTHER_WORDS if key[0] == command}


def test_the_documented_formats_and_starts_are_accepted(
    run: Hop, hop_broker: MemoryBroker, hop_topic: str
) -> None:
    url = hop_broker.url(hop_topic)
    for name in re.search(r"-f \{(.*?)\}", PUBLISH_HELP)[1].split(","):  # type: ignore[index]
        result = run(f"hop publish --no-auth -f {name} {url} missing")
        assert "cannot publish missing" in result.stderr
    for name in re.search(r"-s \{(.*?)\}", SUBSCRIBE_HELP)[1].split(","):  # type: ignore[index]
        assert run(f"hop subscribe --no-auth {url} -e -s {name}").returncode == 0


@pytest.mark.parametrize(
    "line",
    [
        PUBLISH,
        CONSUME,
        LIST_TOPICS,
    ],
)
def test_what_is_said_without_a_credential(run: Hop, gcn: str, line: str) -> None:
    """When a command needs one; the documentation's pages show it for every command, of which no other does."""
    result = run(line.replace("hostname:port", gcn))
    assert (result.returncode, result.stdout) == (1, "")
    for part in NO_CREDENTIAL.strip().splitlines():
        assert part in result.stderr
    for command in HELP:
        assert "credential data" not in run(f"hop {command} -h").stderr
    assert run("hop version").stderr == ""


def test_version(run: Hop) -> None:
    result = run("hop version")
    assert result.returncode == 0
    for name in ("hop-client", "confluent-kafka", "fastavro"):
        assert re.search(rf"^{name}==\d", result.stdout, re.MULTILINE)
