"""Whatever is given wrongly has its one line, its exit code, and no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hop.sandbox import MemoryBroker

Hop = Callable[..., Any]

URL = "kafka://127.0.0.1:9/t"
PUBLISH = ["publish", "--no-auth", URL]
SUBSCRIBE = ["subscribe", "--no-auth", URL]

USAGE = [
    ([], "commands:"),
    (["publsih"], "invalid choice: 'publsih'"),
    (["publish"], "required: URL"),
    (["publish", URL, "-q", "-v"], "not allowed with argument"),
    (["publish", URL, "-f", "NOPE", "x"], "invalid choice: 'NOPE'"),
    (["publish", URL, "-f"], "expected one argument"),
    (["publish", URL, "--nonsense"], "unrecognized arguments: --nonsense"),
    (["publish", URL, "--header", "novalue"], "'novalue' is not of the form K=V"),
    (["publish", URL, "--header", "=v"], "'=v' is not of the form K=V"),
    (["publish", URL, "--header", "_id=1"], "'_id' is reserved"),
    (["publish", URL, "--timeout", "0"], "'0' is no number of seconds"),
    (["publish", URL, "--timeout", "soon"], "'soon' is no number of seconds"),
    (["publish", URL, "--timeout", "nan"], "'nan' is no number of seconds"),
    (["publish", URL, "--timeout", "inf"], "'inf' is no number of seconds"),
    (["subscribe"], "required: URL"),
    (["subscribe", URL, "extra"], "unrecognized arguments: extra"),
    (["subscribe", URL, "-s", "MIDDLE"], "MIDDLE"),
    (["subscribe", URL, "-s", "-0"], "invalid choice: '-0'"),
    (["subscribe", URL, "-s", "10"], "invalid choice: '10'"),
    (["subscribe", URL, "-s", "-1", "--since", "2h"], "not allowed with argument"),
    (["subscribe", URL, "--since", "soon"], "'soon' is no time"),
    (["subscribe", URL, "-n", "0"], "'0' is no number of messages"),
    (["subscribe", URL, "-n", "-3"], "'-3' is no number of messages"),
    (["subscribe", URL, "-n", "many"], "'many' is no number of messages"),
    (["subscribe", URL, "--until", "noon"], "'noon' is no time"),
    (["subscribe", URL, "--until", "2026-13-01"], "'2026-13-01' is no time"),
    (["subscribe", URL, "--until", "999999999w"], "'999999999w' is no time"),
    (["subscribe", URL, "--until", ""], "'' is no time"),
    (["subscribe", URL, "--where", "a ="], "'a =' is no JMESPath expression"),
    (["subscribe", URL, "--where", "nofunction(a)("], "is no JMESPath expression"),
    (["subscribe", URL, "--where", "(" * 5000], "is no JMESPath expression"),
    (["subscribe", URL, "-j", "--summary"], "not allowed with argument"),
    (["list-topics"], "required: URL"),
    (["list-topics", URL, "--timeout", "-1"], "'-1' is no number of seconds"),
    (["auth"], "name a command: locate, list, add, remove, test"),
    (["auth", "-q"], "name a command: locate, list, add, remove, test"),
    (["auth", "lst"], "invalid choice: 'lst'"),
    (["auth", "remove"], "required: NAME"),
    (["auth", "list", "extra"], "unrecognized arguments: extra"),
    (["configure"], "name a command: locate, show, set"),
    (["configure", "set", "speed", "9"], "invalid choice: 'speed'"),
    (["configure", "set", "fetch_external"], "required: VALUE"),
    (["journal"], "name a command: show, verify, export, retry-dead"),
    (["journal", "delete"], "invalid choice: 'delete'"),
    (["journal", "show", "a", "b"], "unrecognized arguments: b"),
    (["journal", "export", "--json"], "unrecognized arguments: --json"),
    (["publish", "--robust"], "required: URL"),
    (["publish", "--robust", URL, "--timeout", "0"], "'0' is no number of seconds"),
    (["completion"], "required: shell"),
    (["completion", "csh"], "invalid choice: 'csh'"),
    (["doctor", URL, "--timeout", "x"], "'x' is no number of seconds"),
    (["version", "extra"], "unrecognized arguments: extra"),
    (["publish", URL, "--\x1b[31mred"], r"\x1b[31mred"),
]


@pytest.mark.parametrize(("arguments", "said"), USAGE)
def test_wrong_usage(hop: Hop, arguments: list[str], said: str) -> None:
    result = hop(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr
    if arguments:
        assert result.stderr.startswith("hop: ")
        assert len(result.stderr.splitlines()) == 1
        assert "--help`" in result.stderr


URLS = [
    ("http://h/t", "does not start with 'kafka://'"),
    ("h/t", "does not start with 'kafka://'"),
    ("kafka://", "the host is missing"),
    ("kafka:///t", "the host is missing"),
    ("kafka://a,b/t", "more than one broker"),
    ("kafka://h:x/t", "'x' is no port"),
    ("kafka://h:99999/t", "'99999' is no port"),
    ("kafka://h/a b", "white space"),
    ("kafka://h/a/b", "'a/b' is no topic name"),
    ("kafka://h/t?x=1", "'?' and '#' have no meaning"),
    ("kafka://@h/t", "the user name before '@' is empty"),
    ("kafka://me:hunter2@h/t", "it contains a password"),
    ("kafka://h/\x1b[31m", "white space or control characters"),
]


@pytest.mark.parametrize("command", ["publish", "subscribe", "list-topics", "doctor"])
@pytest.mark.parametrize(("url", "said"), URLS)
def test_bad_urls(hop: Hop, command: str, url: str, said: str) -> None:
    _fails(hop(command, "--no-auth", url, stdin="1\n"), said)


def _fails(result: Any, said: str) -> None:
    assert (result.returncode, result.stdout) == (1, "")
    assert said in result.stderr
    assert result.stderr.startswith("hop: ")
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr
    assert "hunter2" not in result.stderr


FILES: list[tuple[str, bytes, str, str]] = [
    ("bad.gcn3", b"no header at all", "CIRCULAR", "line 1 is no header line"),
    ("empty.gcn3", b"", "CIRCULAR", "empty"),
    ("binary.gcn3", b"\x00\xff\xfe\x01" * 9, "CIRCULAR", ""),
    ("bad.xml", b"<VOEvent", "VOEVENT", "line 1"),
    ("other.xml", b"<html/>", "VOEVENT", "html"),
    ("empty.xml", b"", "VOEVENT", ""),
    ("binary.xml", b"\x00\xff\xfe\x01" * 9, "VOEVENT", ""),
    ("bad.json", b"{", "JSON", "line 1, column 2: "),
    ("later.json", b'{\n  "a": 1,\n  "b": oops\n}\n', "JSON", "line 3, column 8: "),
    ("blank.json", b'\n\n{\n"a": oops\n}\n', "JSON", "line 4, column 6: "),
    ("latin.json", b'"\xe5"', "JSON", "not text"),
    ("binary.json", b"\x89PNG\r\n\x1a\n\x00\x00", "JSON", "not text"),
    ("empty.json", b"", "JSON", "it is empty"),
    ("white.json", b" \n\n \n", "JSON", "it is empty"),
    ("deep.json", b"[" * 100_000, "JSON", "nested"),
    ("digits.json", b"1" * 5000, "JSON", "digits"),
    ("bad.avro", b"Obj\x01", "AVRO", ""),
    ("text.avro", b"{}", "AVRO", ""),
    ("notice.txt", b"nothing here", "GCNTEXTNOTICE", "no line of the text is 'KEY: value'"),
    ("external.json", b'{"u": 1}', "EXTERNAL", "no text 'url'"),
    ("list.json", b"[]", "EXTERNAL", "an array"),
]


@pytest.mark.parametrize(("name", "content", "kind", "said"), FILES)
def test_malformed_files(
    hop: Hop, tmp_path: Path, name: str, content: bytes, kind: str, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = hop(*PUBLISH, "-f", kind, name)
    _fails(result, said)
    assert result.stderr.startswith(f"hop: cannot publish {name} as {kind}: ")
    # Whoever only checks gets the same answer.
    assert hop(*PUBLISH, "--dry-run", "-f", kind, name).stderr == result.stderr


@pytest.mark.parametrize("kind", ["BLOB", "JSON", "CIRCULAR", "VOEVENT", "AVRO", "GCNTEXTNOTICE"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.txt", "cannot publish missing.txt: No such file or directory"),
        (".", "cannot publish .: Is a directory"),
        ("/dev/zero", "cannot publish /dev/zero as {}: it is a device"),
        ("/dev/null/x", "cannot publish /dev/null/x: Not a directory"),
        ("x" * 300, "File name too long"),
        ("socket", "it is a socket"),
        ("/proc/self/mem", "cannot publish /proc/self/mem: Input/output error"),
    ],
)
def test_what_is_no_file(hop: Hop, tmp_path: Path, kind: str, name: str, said: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        _fails(hop(*PUBLISH, "-f", kind, name), said.format(kind))


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("JSON", b"", "cannot publish standard input: it is empty"),
        ("BLOB", b"\n \n", "cannot publish standard input: it is empty"),
        ("CIRCULAR", b"", "cannot publish standard input: it is empty"),
        ("JSON", b"oops\n", "cannot publish standard input as JSON: line 1, column 1: "),
        ("BLOB", b"plain text\n", "it has to be JSON, one value a line"),
        ("JSON", b'"\xff"\n', "line 1: not text: "),
        ("CIRCULAR", b"no header", "cannot publish standard input as CIRCULAR: "),
        ("VOEVENT", b"<a>", "cannot publish standard input as VOEVENT: "),
        ("AVRO", b"\xff\xff", "cannot publish standard input as AVRO: "),
    ],
)
def test_bad_standard_input(hop: Hop, kind: str, content: bytes, said: str) -> None:
    _fails(hop(*PUBLISH, "-f", kind, stdin=content), said)


def test_a_closed_standard_input(environment: dict[str, str]) -> None:
    result = subprocess.run(
        ["sh", "-c", f"exec hop publish --no-auth {URL} -f JSON <&-"],
        capture_output=True,
        text=True,
        env=with_hop_on_path(environment),
    )
    _fails(result, "cannot publish standard input as JSON: it is closed")


def test_a_closed_standard_output(environment: dict[str, str], url: str) -> None:
    result = subprocess.run(
        ["sh", "-c", f"exec hop subscribe --no-auth {url} -s EARLIEST -e >&-"],
        capture_output=True,
        text=True,
        env=with_hop_on_path(environment),
    )
    _fails(result, "cannot print messages: standard output is closed")


def with_hop_on_path(environment: dict[str, str]) -> dict[str, str]:
    import sysconfig

    return {
        **environment,
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), environment["PATH"]]),
    }


@pytest.mark.parametrize("kind", ["JSON", "BLOB"])
def test_a_line_of_100_megabytes(hop: Hop, tmp_path: Path, kind: str) -> None:
    line = b'"' + b"x" * 100_000_000 + b'"\n'
    start = time.monotonic()
    _fails(hop(*PUBLISH, "-f", kind, stdin=line), "line 1 is longer than 32 MB")
    if kind == "JSON":
        (tmp_path / "long.jsonl").write_bytes(line)
        _fails(hop(*PUBLISH, "-f", kind, "long.jsonl"), "it is longer than 32 MB")
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[[auth]]\nusername = 3\npassword = 'x'\n", "username"),
        ("[[auth]]\nusername = 'a'\n", "password"),
        ("auth = 3\n", "auth"),
        ("not toml at all", "line 1"),
        ("[[auth]]\nusername = 'a'\npassword = 'hunter2'\nprotocol = 'HTTP'\n", "HTTP"),
        ("", "No valid credential data found"),
    ],
)
@pytest.mark.parametrize("command", ["publish", "subscribe", "list-topics"])
def test_credentials_that_are_none(
    hop: Hop, environment: dict[str, str], command: str, content: str, said: str
) -> None:
    file = Path(environment["XDG_CONFIG_HOME"], "hop", "auth.toml")
    file.parent.mkdir(parents=True)
    file.write_text(content)
    file.chmod(0o600)
    _fails(hop(command, URL, stdin="1\n"), said)


def test_credentials_that_others_may_read(hop: Hop, environment: dict[str, str]) -> None:
    file = Path(environment["XDG_CONFIG_HOME"], "hop", "auth.toml")
    file.parent.mkdir(parents=True)
    file.write_text("[[auth]]\nusername = 'a'\npassword = 'hunter2'\n")
    file.chmod(0o644)
    _fails(hop("subscribe", URL), "chmod 0600")


@pytest.mark.parametrize("command", ["publish", "subscribe", "list-topics"])
def test_no_credential_is_said_only_where_one_is_needed(hop: Hop, command: str) -> None:
    result = hop(command, URL, stdin="1\n")
    _fails(result, "No valid credential data found")
    assert "You can get a credential from https://my.hop.scimma.org" in result.stderr
    assert "To load your credential, run `hop auth add`" in result.stderr
    for other in ([command, "--help"], ["version"], ["auth", "locate"], ["configure", "show"]):
        assert "credential" not in hop(*other).stderr


CONFIGS = [
    (b"not toml", "is not TOML"),
    (b"[config]\nfetch_external = 'maybe'\n", "fetch_external in [config] is 'maybe'"),
    (b"[config]\nautomatic_offload = 1\n", "automatic_offload in [config] is 1"),
    (b"config = 3\n", "config is no table"),
    (b"\xff\xfe", "it is not text in UTF-8"),
    (b"#" * (2 << 20), "larger than"),
]


@pytest.mark.parametrize(("content", "said"), CONFIGS)
@pytest.mark.parametrize("arguments", [["show"], ["set", "fetch_external", "false"]])
def test_settings_that_are_none(
    hop: Hop, environment: dict[str, str], arguments: list[str], content: bytes, said: str
) -> None:
    file = Path(environment["XDG_CONFIG_HOME"], "hop", "config.toml")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    _fails(hop("configure", *arguments), said)
    assert file.read_bytes() == content


OTHERS = [
    (["publish", "--no-auth", "kafka://h/a,b", "x"], "name one topic"),
    (["publish", "--no-auth", "kafka://h/", "x"], "name one topic"),
    (["publish", "--no-auth", "--robust", "kafka://h/", "x"], "name one topic"),
    (
        ["publish", "--no-auth", "--robust=.", URL, "missing"],
        "is no journal: it is not a regular file; a file that follows --robust",
    ),
    (["publish", "--robust", URL, "missing"], "cannot publish missing: No such file or directory"),
    (["journal", "show"], "cannot show publisher.journal: there is no journal"),
    (["journal", "verify", "/dev/zero"], "is no journal: it is not a regular file"),
    (["subscribe", "--no-auth", "kafka://h/"], "it names no topic"),
    (["auth", "remove", "nobody"], "nobody"),
    (["auth", "add", "missing.csv"], "there is no file missing.csv"),
    (["auth", "add", "."], "Is a directory"),
    (["auth", "list"], "No valid credential data found"),
    (["auth", "test"], "No valid credential data found"),
    (["configure", "set", "fetch_external", "maybe"], "it has to be true or false"),
    ([*SUBSCRIBE, "--save", "/proc/x/y"], "cannot save messages in /proc/x/y: "),
    ([*SUBSCRIBE, "--save", "/dev/null"], "cannot save messages in /dev/null: "),
]


@pytest.mark.parametrize(("arguments", "said"), OTHERS)
def test_what_cannot_be_done(hop: Hop, arguments: list[str], said: str) -> None:
    _fails(hop(*arguments), said)


def test_a_setting_in_the_environment_that_is_none(hop: Hop) -> None:
    result = hop("configure", "show", env={"HOP_FETCH_EXTERNAL": "maybe"})
    _fails(result, "cannot use 'maybe' for HOP_FETCH_EXTERNAL")


def test_a_topic_that_is_not_there(hop: Hop, hop_broker: MemoryBroker) -> None:
    _fails(hop("subscribe", "--no-auth", hop_broker.url("nowhere-to-be-found")), "no such topic")


def test_there_are_sixty_rows() -> None:
    assert len(USAGE) + len(URLS) + len(FILES) + len(OTHERS) + len(CONFIGS) > 60
