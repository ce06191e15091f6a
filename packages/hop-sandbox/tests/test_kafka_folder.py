"""A sandbox that is kept in a folder over restarts."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Message

from hop.sandbox import SandboxError, Topic, kafka_broker

Produce = Callable[..., list[str | None]]
Read = Callable[..., list[Message]]


def test_topics_users_and_permissions_are_kept(
    tmp_path: Path, produce: Produce, read: Read
) -> None:
    folder = tmp_path / "kept"
    topics = [Topic("gcn", 2), Topic("private", read=["alice"], write=["alice"])]
    with kafka_broker(topics, users={"alice": "secret", "bob": None}, folder=folder) as first:
        passwords = {name: user.password for name, user in first.users.items()}
        assert passwords["alice"] == "secret"
        assert produce(first.users["alice"].client_config, "private", b"kept") == [None]

    again = ["gcn", "new", Topic("private", read=["alice", "bob"], write=["bob"])]
    with taken(first.address), kafka_broker(again, folder=folder) as second:
        # Its port is another program's now, and the credentials say so.
        assert second.address != first.address
        assert second.users["alice"].hostname == second.address
        assert second.address in second.users["alice"].file.read_text()
        assert {name: user.password for name, user in second.users.items()} == passwords
        assert second.topics() == {"gcn": 2, "new": 1, "private": 1, "sys.metadata": 1}
        alice, bob = (second.users[name].client_config for name in ("alice", "bob"))
        assert [message.value() for message in read(bob, "private", 1)] == [b"kept"]
        assert produce(bob, "private", b"now") == [None]
        assert produce(alice, "private", b"no more") == ["TOPIC_AUTHORIZATION_FAILED"]
        with pytest.raises(SandboxError, match="another sandbox is running there; stop it"):
            kafka_broker(folder=folder)
        assert second.running

    # What can't be done leaves the folder as it was.
    with pytest.raises(SandboxError, match="'gcn' with 3 partitions: it exists with 2"):
        kafka_broker({"gcn": 3}, folder=folder)
    assert (folder / "sandbox.json").exists()
    assert (folder / "broker-1" / "data" / "private-0").is_dir()


@contextmanager
def taken(address: str) -> Iterator[None]:
    """Another program listens there."""
    host, _, port = address.rpartition(":")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((host, int(port)))
        other.listen()
        yield


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder of a sandbox of two brokers, as far as can be told before it is started."""
    folder = tmp_path / "kept"
    (folder / "credentials").mkdir(parents=True)
    state = {"kafka": "4.3.0", "cluster": "MkU3OEVBNTcwNTJENDM2Qk", "ports": [40001, 40002]}
    (folder / "sandbox.json").write_text(json.dumps(state))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("version", ["4.2.1", "5.0.0", "4.30.0", "3.9"])
def test_a_folder_of_another_kafka_is_refused_and_left_alone(kept: Path, version: str) -> None:
    state = json.loads((kept / "sandbox.json").read_text())
    (kept / "sandbox.json").write_text(json.dumps({**state, "kafka": version}))
    before = content(kept)
    with pytest.raises(
        SandboxError, match=rf"written by Kafka {version}, and this is 4\.3\.\d+; name"
    ):
        kafka_broker(folder=kept)
    assert content(kept) == before


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"kafka": "4.3.1"}', "\xff", '{"kafka": 1}'])
def test_a_damaged_folder_is_refused_and_left_alone(kept: Path, state: str) -> None:
    (kept / "sandbox.json").write_text(state, encoding="latin-1")
    before = content(kept)
    with pytest.raises(SandboxError, match=r"its sandbox\.json is damaged; name another folder"):
        kafka_broker(folder=kept)
    assert content(kept) == before


def test_a_folder_of_another_number_of_brokers_is_refused(kept: Path) -> None:
    with pytest.raises(SandboxError, match=r"cannot start 3 brokers in .*: its topics .* over 2;"):
        kafka_broker(brokers=3, folder=kept)


@pytest.mark.parametrize("text", ["", "username,password", "name\nx", "username,password\na\n"])
def test_a_damaged_credential_is_named(kept: Path, text: str) -> None:
    file = kept / "credentials" / "alice.csv"
    file.write_text(text)
    with pytest.raises(SandboxError, match=f"cannot read the credential {file}: remove it"):
        kafka_broker(folder=kept)


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("text")
    with pytest.raises(
        SandboxError, match="it is not empty and no sandbox; name an empty or a new"
    ):
        kafka_broker(folder=tmp_path)
    assert content(tmp_path) == {str(tmp_path / "thesis.tex"): b"text"}


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    with pytest.raises(SandboxError, match=f"cannot use {file}: not a directory; name another"):
        kafka_broker(folder=file)


def test_a_folder_below_none_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "none" / "kept"
    with pytest.raises(SandboxError, match=f"cannot use {folder}: no such file or directory; name"):
        kafka_broker(folder=folder)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("exists", [False, True])
def test_a_first_start_that_fails_leaves_the_folder_as_it_was(
    tmp_path: Path, broken_java: Path, exists: bool
) -> None:
    folder = tmp_path / "kept"
    if exists:
        folder.mkdir()
    with pytest.raises(SandboxError):
        kafka_broker(folder=folder, java=broken_java)
    assert folder.exists() == exists
    assert not exists or not list(folder.iterdir())
