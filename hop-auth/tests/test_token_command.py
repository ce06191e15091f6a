from __future__ import annotations

import base64
import json
import logging
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hop.auth import Auth, TokenCommandError

NO_TIME = "printed a token without a time of expiry, in seconds since 1970, as its claim exp"


def encoded(part: object) -> str:
    text = part if isinstance(part, str) else json.dumps(part)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def token(**claims: object) -> str:
    return f"{encoded({'alg': 'none'})}.{encoded(claims)}.c2VjcmV0"


def callback(command: str) -> Any:
    return Auth("alice", "pa55", "k", method="OAUTHBEARER", token_command=command)()["oauth_cb"]


def python(program: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}"


def test_the_options() -> None:
    options = Auth("alice", "", method="OAUTHBEARER", token_command="true")()
    assert callable(options.pop("oauth_cb"))
    assert options == {"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}


@pytest.mark.parametrize("after", ["", "\n", "\r\n", "\n\n"])
def test_a_token(tmp_path: Path, after: str) -> None:
    expiry = int(time.time()) + 300
    path = tmp_path / "token"
    path.write_text(token(sub="álice", exp=expiry) + after)
    oauth_cb = callback(f"cat {path}")
    assert oauth_cb("") == (token(sub="álice", exp=expiry), float(expiry))
    assert oauth_cb(None) == oauth_cb()
    assert oauth_cb.error is None


def test_a_shell_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    expiry = time.time() + 300.5
    monkeypatch.setenv("TOKEN", token(exp=expiry))
    assert callback("echo diagnostics >&2; printf '%s' \"$TOKEN\" | cat")("") == (
        token(exp=expiry),
        expiry,
    )


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("", "printed something else than a JSON Web Token"),
        ("s3cret", "printed something else than a JSON Web Token"),
        ("s3cret.s3cret", "printed something else than a JSON Web Token"),
        ("a.b.c.d", "printed something else than a JSON Web Token"),
        ("a.!.c", "printed something else than a JSON Web Token"),
        ("é.é.é", "printed something else than a JSON Web Token"),
        (
            f"{encoded('not json')}.{encoded({'exp': 4e9})}.c",
            "something else than a JSON Web Token",
        ),
        (f"a.{encoded('not json')}.c", "printed something else than a JSON Web Token"),
        (f"a.{encoded([1])}.c", "printed something else than a JSON Web Token"),
        (f"a.{encoded('[' * 20000)}.c", "printed something else than a JSON Web Token"),
        (f"{token(exp=1)}\n{token(exp=1)}", "printed something else than a JSON Web Token"),
        (f"Bearer {token(exp=4e9)}", "printed something else than a JSON Web Token"),
        (f"{token(exp=4e9)} ok", "printed something else than a JSON Web Token"),
        (token(sub="s3cret"), NO_TIME),
        (token(exp="4000000000"), NO_TIME),
        (token(exp=True), NO_TIME),
        (token(exp=1700000000), "that has expired; is this machine's clock right?"),
        (token(exp=1700000000000), NO_TIME),  # milliseconds
        (token(exp=float("nan")), NO_TIME),
        (token(exp=float("inf")), NO_TIME),
        (token(exp=10**400), NO_TIME),
    ],
)
def test_what_is_no_usable_token_is_said(tmp_path: Path, output: str, message: str) -> None:
    path = tmp_path / "token"
    path.write_text(output)
    oauth_cb = callback(f"cat {path}")
    with pytest.raises(TokenCommandError) as caught:
        oauth_cb("")
    assert str(caught.value).startswith("the token command of alice for k ")
    assert message in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert oauth_cb.error is caught.value


def test_a_command_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    oauth_cb = callback("echo pa55; echo first >&2; printf 'no \\033[31mticket\\n\\n' >&2; exit 3")
    with caplog.at_level(logging.ERROR), pytest.raises(RuntimeError) as caught:
        oauth_cb("")
    assert isinstance(caught.value, TokenCommandError)
    said = "the token command of alice for k failed with exit status 3: no  [31mticket"
    assert str(caught.value) == said
    # librdkafka drops what a callback raises
    assert caplog.messages == [said]
    assert oauth_cb.error is caught.value


def test_the_error_is_gone_after_a_success(tmp_path: Path) -> None:
    path = tmp_path / "token"
    oauth_cb = callback(f"cat {path}")
    with pytest.raises(TokenCommandError, match="No such file"):
        oauth_cb("")
    path.write_text(token(exp=time.time() + 300))
    oauth_cb("")
    assert oauth_cb.error is None


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("exit 7", "failed with exit status 7: it printed no message"),
        ("no-such-command-of-hop", "failed with exit status 127: "),
        ("kill -9 $$", "was ended by signal 9"),
        ("echo 'unterminated", "failed with exit status 2"),
    ],
)
def test_other_failures(command: str, message: str) -> None:
    with pytest.raises(TokenCommandError) as caught:
        callback(command)("")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_command_that_cannot_be_started() -> None:
    with pytest.raises(TokenCommandError) as caught:
        callback("true " + "x" * 5_000_000)("")
    assert str(caught.value) == (
        "the token command of alice for k cannot be started: Argument list too long"
    )


def test_a_message_of_any_length_and_content_is_one_short_line() -> None:
    program = "import sys; sys.stderr.buffer.write(bytes(range(256)) + b'x' * 50000); sys.exit(1)"
    with pytest.raises(TokenCommandError) as caught:
        callback(python(program))("")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_the_command_takes_no_input_from_the_program() -> None:
    program = """
import sys
from hop.auth import Auth, TokenCommandError
auth = Auth("alice", "", method="OAUTHBEARER", token_command="read line && exit 3 || exit 4")
try:
    auth()["oauth_cb"]("")
except TokenCommandError as exc:
    print(exc, sys.stdin.readline())
"""
    run = subprocess.run(
        [sys.executable, "-c", program], input="mine\n", capture_output=True, text=True, check=True
    )
    assert "failed with exit status 4: it printed no message mine" in run.stdout


def alive(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        # where nobody takes care of orphans they stay as zombies
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        time.sleep(0.02)
    return True


WITHOUT_END = [
    "echo $$ > {path}; sleep 60",
    "sleep 60 & echo $! > {path}; wait",
    "echo $$ > {path}; exec >&- 2>&-; sleep 60",
    "echo $$ > {path}; while true; do echo; sleep 0.1; done",
    "sleep 60 & echo $! > {path}",  # ends, but leaves something behind that may still print
]


def test_commands_without_end(tmp_path: Path) -> None:
    def run(number: int) -> tuple[str, float]:
        begin = time.monotonic()
        with pytest.raises(TokenCommandError) as caught:
            callback(WITHOUT_END[number].format(path=tmp_path / str(number)))("")
        return str(caught.value), time.monotonic() - begin

    with ThreadPoolExecutor(len(WITHOUT_END)) as pool:
        results = list(pool.map(run, range(len(WITHOUT_END))))
    for number, (said, seconds) in enumerate(results):
        assert said == "the token command of alice for k did not finish within 9 s"
        assert 8 < seconds < 12  # on an idle machine less than the ten that librdkafka waits
        assert not alive(int((tmp_path / str(number)).read_text()))


@pytest.mark.parametrize("command", ["yes", "yes >&2"])
def test_output_without_end(command: str) -> None:
    begin = time.monotonic()
    with pytest.raises(TokenCommandError, match="printed more than 64 KiB"):
        callback(command)("")
    assert time.monotonic() - begin < 5


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(output=st.binary() | st.binary().map(lambda b: b"a." + base64.urlsafe_b64encode(b) + b".c"))
def test_any_output_is_a_token_or_an_error(tmp_path: Path, output: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(output)
    with pytest.raises(TokenCommandError):
        callback(f"cat {path}")("")
