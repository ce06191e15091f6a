from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hop.auth import (
    Auth,
    AuthError,
    CredentialFileError,
    CredentialFileNotFoundError,
    CredentialInputError,
    MalformedCredentialsError,
    load_auth,
    read_new_credential,
)


def read(folder: Path, content: str | bytes) -> Auth:
    path = folder / "credentials.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_new_credential(path)


@pytest.mark.parametrize(
    "content",
    [
        "username,password\nalice,pa55\n",
        "username,password\nalice,pa55",
        "username,password\r\nalice,pa55\r\n",
        "username,password\ralice,pa55\r",
        "\ufeffusername,password\r\nalice,pa55\r\n",
        '"username","password"\n"alice","pa55"\n',
        "password,username\npa55,alice\n",
        "Username , PASSWORD\n alice ,pa55\n",
        "\n\nusername,password\n\n , \nalice,pa55\n\n",
        "id,username,note,password\n7,alice,,pa55\n",
        "username,password,hostname,mechanism,protocol,ssl_ca_location\nalice,pa55,,,,\n",
        "username,password,hostname\nalice,pa55\n",
        "username,password\nalice,pa55,,\n",
        "username,password,\nalice,pa55,\n",
    ],
)
def test_a_credential(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == Auth("alice", "pa55")


def test_all_columns(tmp_path: Path) -> None:
    content = (
        "username,password,hostname,mechanism,protocol,ssl_ca_location\n"
        "alice,pa55,kafka.example:9093,scram_sha_256,SASL_SSL,/ca.pem\n"
    )
    assert read(tmp_path, content) == Auth(
        "alice", "pa55", "kafka.example:9093", method="SCRAM-SHA-256", ssl_ca_location="/ca.pem"
    )
    content = "username,password,mechanism,protocol\nalice,pa55,PLAIN,SASL_PLAINTEXT\n"
    assert read(tmp_path, content) == Auth("alice", "pa55", ssl=False, method="PLAIN")
    content = (
        "username,password,mechanism,token_endpoint,scope\n"
        "client,secret,OAUTHBEARER,https://idp.example/token,s\n"
    )
    assert read(tmp_path, content) == Auth(
        "client",
        "secret",
        method="OAUTHBEARER",
        token_endpoint="https://idp.example/token",
        scope="s",
    )


def test_a_password_is_taken_as_it_is(tmp_path: Path) -> None:
    content = 'username,password\nalice," p,a""5\n5 "\n'
    assert read(tmp_path, content).password == ' p,a"5\n5 '


def test_a_file_cannot_have_commands_run(tmp_path: Path) -> None:
    content = "username,password,token_command\nalice,pa55,touch /tmp/x\n"
    assert read(tmp_path, content).token_command is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty: it must have a line with the columns username, password"),
        ("\n  \n", "is empty"),
        ("username,password\n", "has no line with a credential after its first"),
        ("alice,pa55\n", "has no column username and no column password"),
        ("username\nalice\n", "has no column password:"),
        ("user,password\nalice,pa55\n", "has no column username:"),
        ("username;password\nalice;pa55\n", "separated by commas"),
        ("username,password,password\nalice,pa55,x\n", "more than one column password"),
        ("username,password\nalice\n", "line 2: password is missing"),
        ("username,password\nalice,\n", "line 2: password of alice is empty"),
        ("username,password\n,pa55\n", "line 2: username is empty"),
        ("username,password\nalice,pa,55\n", "line 2: there are 3 values for 2 columns"),
        ('username,password\nalice,"pa55\n', "line 2: unexpected end of data"),
        ('username,password\nalice,"pa"55\n', "is not a CSV file: line 2"),
        ("username,password,hostname\nalice,pa55,kafka://h\n", "line 2: hostname 'kafka://h' is"),
        ("username,password,mechanism\nalice,pa55,MD5\n", "line 2: mechanism 'MD5' is not known"),
        ("username,password,protocol\nalice,pa55,SSL\n", "line 2: protocol 'SSL' is not known"),
        ("username,password\na,pa55\nb\n", "line 3: password is missing"),
        ("username,password\na,pa55\na,pa56\n", "line 3: there is a credential a above"),
        ("username,password\na,pa55\0\n", "line "),
        ("username,password\na,pa55\n".encode("utf-16"), "is not a CSV file in UTF-8"),
        (b"username,password\nalice,pa55\xff\n", "is not a CSV file in UTF-8"),
        (b"PK\x03\x04\x14\x00" + bytes(range(128, 256)), "is not a CSV file in UTF-8"),
        ("username,password\na," + "pa55" * 50000, "is not a CSV file: line 2: field larger"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(MalformedCredentialsError) as caught:
        read(tmp_path, content)
    assert isinstance(caught.value, KeyError)
    assert message in str(caught.value)
    assert str(tmp_path / "credentials.csv") in str(caught.value)
    assert "pa55" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_credentials_are_not_one(tmp_path: Path) -> None:
    with pytest.raises(CredentialInputError, match="has 2 credentials and one is wanted"):
        read(tmp_path, "username,password\nalice,pa55\nbob,pa55\n")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read_new_credential(str(tmp_path / "none.csv"))
    assert isinstance(caught.value, CredentialFileNotFoundError)
    assert str(caught.value).startswith(f"there is no file {tmp_path}/none.csv: give the CSV file")
    assert caught.value.filename == str(tmp_path / "none.csv")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CredentialFileError, match=r"cannot read .*: Is a directory"):
        read_new_credential(tmp_path)


def test_a_file_without_end() -> None:
    start = time.monotonic()
    with pytest.raises(CredentialFileError, match="it is larger than 1024 KiB"):
        read_new_credential("/dev/zero")
    assert time.monotonic() - start < 5


def test_a_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"username,password\nalice,pa55\n")
    os.close(writing)
    assert read_new_credential(f"/dev/fd/{reading}") == Auth("alice", "pa55")
    os.close(reading)


def test_a_csv_file_can_be_loaded_without_storing_it(tmp_path: Path) -> None:
    path = tmp_path / "hop-credentials.CSV"
    path.write_text("username,password\nalice,pa55\nbob,pa55\n")
    path.chmod(0o600)
    assert load_auth(path) == [Auth("alice", "pa55"), Auth("bob", "pa55")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | st.text().map(str.encode))
def test_anything_else_ends_in_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    said = ""
    try:
        read(tmp_path, b"username,password,hostname\n" + content)
    except AuthError as exc:
        said = str(exc)
    assert "\n" not in said
