from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

from hop.auth._errors import InvalidCredentialError
from hop.auth._hosts import split_host


class SASLMethod(Enum):
    """The ways to prove one's identity to a broker; the values are librdkafka's names for them.

    `SASLMethod("scram_sha_512")` works as well as `SASLMethod("SCRAM-SHA-512")`: files in use have
    both spellings.
    """

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"

    @classmethod
    def _missing_(cls, value: object) -> SASLMethod:
        if isinstance(value, str):
            spelling = value.strip().upper().replace("_", "-")
            for method in cls:
                if method.value == spelling:
                    return method
        known = ", ".join(method.value for method in cls)
        raise InvalidCredentialError(f"mechanism {value!r} is not known: it is one of {known}")


class Auth:
    """A credential for a broker. Calling it returns the options for librdkafka.

    Instances do not change, and two of them are equal when all their parts are. The repr never
    shows the password or the token command.

    Args:
        user: user name; for OAUTHBEARER with a `token_endpoint`, the client id.
        password: password; for OAUTHBEARER with a `token_endpoint`, the client secret. With a
            `token_command` it is not used and may be empty.
        host: the broker for which this credential is valid, as `host` or `host:port`; empty: any.
        ssl: whether the connection is encrypted. Without it, passwords sent with PLAIN can be read
            by anyone on the way.
        method: how to prove the identity, also as text in either spelling (`"SCRAM-SHA-512"`,
            `"SCRAM_SHA_512"`).
        ssl_ca_location: a file or folder with the certificates of the authorities to trust, for a
            broker with a self-signed certificate. See `Auth.__call__` for the default.
        token_endpoint: for OAUTHBEARER, the URL of an OpenID Connect token service.
        token_command: for OAUTHBEARER, a shell command that prints a JSON Web Token.
        scope: for OAUTHBEARER with a `token_endpoint`, the scope to ask for.

    Raises:
        TypeError: an argument has the wrong type or is not known.
        InvalidCredentialError: (a ValueError) the arguments cannot be a credential.
    """

    __slots__ = (
        "_hostname",
        "_method",
        "_password",
        "_scope",
        "_ssl",
        "_ssl_ca_location",
        "_token_command",
        "_token_endpoint",
        "_username",
    )

    def __init__(
        self,
        user: str,
        password: str,
        host: str = "",
        ssl: bool = True,
        method: SASLMethod | str = SASLMethod.SCRAM_SHA_512,
        *,
        ssl_ca_location: str | None = None,
        token_endpoint: str | None = None,
        token_command: str | None = None,
        scope: str | None = None,
    ) -> None:
        self._username = user
        self._password = password
        self._hostname = host
        self._ssl = ssl
        self._method = SASLMethod(method)
        self._ssl_ca_location = ssl_ca_location
        self._token_endpoint = token_endpoint
        self._token_command = token_command
        self._scope = scope
        split_host(host) if host else None

    @property
    def username(self) -> str:
        """The user name."""
        return self._username

    @property
    def password(self) -> str:
        """The password."""
        return self._password

    @property
    def hostname(self) -> str:
        """The broker for which this credential is valid, or the empty string for any."""
        return self._hostname

    @property
    def mechanism(self) -> str:
        """librdkafka's name of the SASL mechanism, such as "SCRAM-SHA-512"."""
        return str(self._method.value)

    @property
    def protocol(self) -> str:
        """The communication protocol: "SASL_SSL" or "SASL_PLAINTEXT"."""
        return "SASL_SSL" if self._ssl else "SASL_PLAINTEXT"

    @property
    def ssl(self) -> bool:
        """Whether the connection is encrypted."""
        return self._ssl

    @property
    def ssl_ca_location(self) -> str | None:
        """Where the trusted certificates are; None for the system's, or without encryption."""
        return self._ssl_ca_location if self._ssl else None

    @property
    def token_endpoint(self) -> str | None:
        """The URL of the OpenID Connect token service, if any."""
        return self._token_endpoint

    @property
    def token_command(self) -> str | None:
        """The shell command that prints a token, if any."""
        return self._token_command

    @property
    def scope(self) -> str | None:
        """The scope asked of the token service, if any."""
        return self._scope

    def __call__(self) -> dict[str, Any]:
        """Return the options with which a client of librdkafka authenticates."""
        options: dict[str, Any] = {
            "security.protocol": self.protocol,
            "sasl.mechanism": self.mechanism,
        }
        if self._method is SASLMethod.OAUTHBEARER:
            options["sasl.oauthbearer.method"] = "oidc"
            options["sasl.oauthbearer.client.id"] = self._username
            options["sasl.oauthbearer.client.secret"] = self._password
            options["sasl.oauthbearer.token.endpoint.url"] = self._token_endpoint
        else:
            options["sasl.username"] = self._username
            options["sasl.password"] = self._password
        if self.ssl_ca_location:
            options["ssl.ca.location"] = str(Path(self.ssl_ca_location).expanduser())
        return options

    def _key(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Auth) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Auth({self._username!r}, host={self._hostname!r}, method={self.mechanism!r})"
