"""Credentials for Kafka brokers: what they are, where they are kept, which one to use."""

from hop.auth._auth import Auth
from hop.auth._errors import (
    AuthError,
    CredentialExistsError,
    CredentialFileError,
    CredentialFileNotFoundError,
    CredentialInputError,
    CredentialSelectionError,
    EnvironmentCredentialError,
    InvalidCredentialError,
    MalformedConfigError,
    MalformedCredentialsError,
    TokenCommandError,
    UnsafePermissionsError,
)
from hop.auth._input import read_new_credential
from hop.auth._manage import add_credential, delete_credential, list_credentials
from hop.auth._methods import SASLMethod
from hop.auth._select import select_matching_auth
from hop.auth._store import load_auth, prune_outdated_auth, write_auth_data

__all__ = [
    "Auth",
    "AuthError",
    "CredentialExistsError",
    "CredentialFileError",
    "CredentialFileNotFoundError",
    "CredentialInputError",
    "CredentialSelectionError",
    "EnvironmentCredentialError",
    "InvalidCredentialError",
    "MalformedConfigError",
    "MalformedCredentialsError",
    "SASLMethod",
    "TokenCommandError",
    "UnsafePermissionsError",
    "add_credential",
    "delete_credential",
    "list_credentials",
    "load_auth",
    "prune_outdated_auth",
    "read_new_credential",
    "select_matching_auth",
    "write_auth_data",
]
