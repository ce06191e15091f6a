from __future__ import annotations

import copy
import errno
import pickle

import pytest

import hop.auth
from hop.auth import AuthError

PROMISED = {
    "CredentialExistsError": RuntimeError,
    "CredentialFileError": OSError,
    "CredentialFileNotFoundError": FileNotFoundError,
    "CredentialInputError": RuntimeError,
    "CredentialSelectionError": RuntimeError,
    "EnvironmentCredentialError": RuntimeError,
    "InvalidCredentialError": ValueError,
    "MalformedConfigError": RuntimeError,
    "MalformedCredentialsError": KeyError,
    "TokenCommandError": RuntimeError,
    "UnsafePermissionsError": RuntimeError,
}


def test_every_error_is_there() -> None:
    names = [name for name in hop.auth.__all__ if name.endswith("Error") and name != "AuthError"]
    assert names == sorted(PROMISED)


@pytest.mark.parametrize(("name", "builtin"), PROMISED.items())
def test_an_error_is_the_promised_builtin_and_reads_as_a_sentence(
    name: str, builtin: type[Exception]
) -> None:
    error = getattr(hop.auth, name)("what's wrong with 'it'")
    assert isinstance(error, AuthError)
    assert isinstance(error, builtin)
    assert str(error) == "what's wrong with 'it'"
    for same in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(same) is type(error)
        assert str(same) == str(error)


def test_a_missing_file_is_named_for_programs() -> None:
    error = hop.auth.CredentialFileNotFoundError("no", "/some/path")
    assert (error.errno, error.filename) == (errno.ENOENT, "/some/path")
