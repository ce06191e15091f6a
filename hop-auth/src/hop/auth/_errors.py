"""The errors of hop.auth.

Every one is an `AuthError` and also the builtin exception that the documentation promises, and its
``str()`` is one line that can be shown to a user as it is. None ever holds a secret.

- AuthError
  - InvalidCredentialError (ValueError): what `Auth` was given cannot be a credential
  - CredentialFileNotFoundError (FileNotFoundError)
  - CredentialFileError (OSError): the file is there, or should be, and the system refuses it
  - UnsafePermissionsError (RuntimeError): others may read the file
  - MalformedCredentialsError (KeyError): the file's content is not what it should be
  - MalformedConfigError (RuntimeError): likewise, met while removing credentials from it
  - EnvironmentCredentialError (RuntimeError): the environment holds half a credential
  - CredentialSelectionError (RuntimeError): not exactly one credential is meant
  - CredentialExistsError (RuntimeError): replacing a credential needs to be asked for
  - CredentialInputError (RuntimeError): the user was asked for a credential and gave none
  - TokenCommandError (RuntimeError): the command that prints an access token failed
"""

import errno


class AuthError(Exception):
    """Base class of all errors of hop.auth."""

    def __str__(self) -> str:
        # KeyError would show a repr, FileNotFoundError would put "[Errno 2]" in front
        return str(self.args[0]) if self.args else ""


class InvalidCredentialError(AuthError, ValueError):
    """A value given to `Auth` cannot be part of a credential."""


class CredentialFileNotFoundError(AuthError, FileNotFoundError):
    """There is no file with credentials at the path in ``filename``."""

    def __init__(self, message: str, filename: str | None = None) -> None:
        super().__init__(message)
        self.errno = errno.ENOENT
        self.filename = filename


class CredentialFileError(AuthError, OSError):
    """A file with credentials cannot be read or written."""

    def __init__(self, message: str, error: OSError | None = None) -> None:
        super().__init__(message)
        if error is not None:
            self.errno = error.errno
            self.filename = error.filename


class UnsafePermissionsError(AuthError, RuntimeError):
    """Other users of this machine may read a file with credentials."""


class MalformedCredentialsError(AuthError, KeyError):
    """A file with credentials does not hold what it should."""


class MalformedConfigError(AuthError, RuntimeError):
    """A configuration file from which credentials should be removed cannot be understood."""


class EnvironmentCredentialError(AuthError, RuntimeError):
    """The environment variables for a credential do not make one."""


class CredentialSelectionError(AuthError, RuntimeError):
    """Too many or too few credentials match."""


class CredentialExistsError(AuthError, RuntimeError):
    """A credential of that name is stored already."""


class CredentialInputError(AuthError, RuntimeError):
    """No usable credential was entered."""


class TokenCommandError(AuthError, RuntimeError):
    """A token command did not print a usable token."""
