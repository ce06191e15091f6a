from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from hop.auth import Auth, CredentialFileError, add_credential, load_auth, write_auth_data

Store = Callable[..., Path]

ADD = """
import sys
from argparse import Namespace
from pathlib import Path
from hop.auth import add_credential

csv = Path(sys.argv[1])
sys.stdin.readline()  # all start together
for number in range(5):
    csv.write_text(f"username,password\\n{csv.stem}-{number},pa55\\n")
    add_credential(Namespace(cred_file=str(csv), force=False))
"""

REWRITE = """
import sys
from hop.auth import Auth, write_auth_data

sizes = [1, 200]
while True:
    for size in sizes:
        write_auth_data(sys.argv[1], [Auth(f"user{n}", "pa55") for n in range(size)])
        print(size, flush=True)
"""

HIT_A_LIMIT = """
import resource, signal, sys
from hop.auth import Auth, write_auth_data

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
write_auth_data(sys.argv[1], [Auth("alice", "pa55" * 100)])
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    processes = [start(ADD, tmp_path / f"p{number}.csv") for number in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    names = sorted(auth.username for auth in load_auth())
    assert names == sorted(f"p{process}-{number}" for process in range(4) for number in range(5))


def test_threads_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    def add(number: int) -> None:
        csv = tmp_path / f"{number}.csv"
        csv.write_text(f"username,password\nt{number},pa55\n")
        add_credential(Namespace(cred_file=str(csv), force=False))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(auth.username for auth in load_auth()) == [f"t{number}" for number in range(8)]


def modes(folder: Path) -> set[int]:
    found = set()
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            found.add(path.stat().st_mode & 0o7777)
    return found


def test_a_killed_process_leaves_a_complete_file(tmp_path: Path) -> None:
    path = tmp_path / "auth.toml"
    for _ in range(5):
        process = start(REWRITE, path)
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + 0.1
        while time.monotonic() < deadline:
            assert len(load_auth(path)) in (1, 200)
            assert modes(tmp_path) == {0o600}
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert len(load_auth(path)) in (1, 200)
    # its lock is gone with it
    write_auth_data(path, [Auth("alice", "pa55")])
    assert load_auth(path) == [Auth("alice", "pa55")]
    # and so is what it was writing
    (tmp_path / ".auth.toml.x1y2z3.tmp").write_text("pa55")
    write_auth_data(path, [])
    assert sorted(each.name for each in tmp_path.iterdir()) == [".auth.toml.lock", "auth.toml"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(store: Store) -> None:
    path = store('[[auth]]\nusername = "old"\npassword = "pa55"\n')
    process = start(HIT_A_LIMIT, path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    last = errors.splitlines()[-1]
    assert f"CredentialFileError: cannot write {path}: File too large" in last
    assert load_auth() == [Auth("old", "pa55")]
    assert sorted(each.name for each in path.parent.iterdir()) == [".auth.toml.lock", "auth.toml"]


def test_waiting_for_another_process_ends(store: Store) -> None:
    path = store("")
    with path.with_name(".auth.toml.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        begin = time.monotonic()
        with pytest.raises(CredentialFileError, match=r"cannot write .*: another process has held"):
            write_auth_data(path, [Auth("alice", "pa55")])
        assert 4 < time.monotonic() - begin < 15
        # reading does not wait
        assert load_auth() == []


@pytest.mark.parametrize("name", ["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import errno

    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))

    path = store("")
    monkeypatch.setattr(fcntl, "flock", no_locks)
    write_auth_data(path, [Auth("alice", "pa55")])
    assert load_auth() == [Auth("alice", "pa55")]
