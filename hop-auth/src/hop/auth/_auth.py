from __future__ import annotations

import os
from typing import Any

from hop.auth._errors import InvalidCredentialError
from hop.auth._hosts import split_host
from hop.auth._methods import SASLMethod


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
        ssl_ca_location: a file with the certificates of the authorities to trust, or a folder of
            them; for a broker with a self-signed certificate, the certificate. Default: the
            system's, as librdkafka finds them (see the README, "Certificates").
        token_endpoint: for OAUTHBEARER, the URL of an OpenID Connect token service.
        token_command: for OAUTHBEARER, a shell command that prints a JSON Web Token.
        scope: for OAUTHBEARER with a `token_endpoint`, the scope to ask for.

    Raises:
        TypeError: an argument has the wrong type or is not known.
        InvalidCredentialError: (a ValueError) the arguments do not make a credential.
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
        ssl_ca_location: str | os.PathLike[str] | None = None,
        token_endpoint: str | None = None,
        token_command: str | None = None,
        scope: str | None = None,
    ) -> None:
        if not isinstance(ssl, bool):
            raise TypeError(f"ssl must be True or False, not {type(ssl).__name__}")
        self._username = _text("username", user)
        self._password = _text("password", password)
        self._hostname = _text("hostname", host).strip()
        self._ssl = ssl
        self._method = SASLMethod(method)
        location = os.fspath(ssl_ca_location) if ssl and ssl_ca_location else None
        self._ssl_ca_location = _optional("ssl_ca_location", location)
        self._token_endpoint = _optional("token_endpoint", token_endpoint)
        self._token_command = _optional("token_command", token_command)
        self._scope = _optional("scope", scope)
        self._check()

    def _check(self) -> None:
        if not self._username:
            raise InvalidCredentialError("username is empty")
        if not self._username.isprintable():
            raise InvalidCredentialError("username holds characters that cannot be printed")
        if not self._password and not self._token_command:
            raise InvalidCredentialError(f"password of {self._username} is empty")
        if self._hostname:
            try:
                split_host(self._hostname)
            except ValueError:
                raise InvalidCredentialError(
                    f"hostname {self._hostname!r} is not a broker: write host, host:port or "
                    "[IPv6 address]:port"
                ) from None
        if self._method is not SASLMethod.OAUTHBEARER:
            for field in ("token_endpoint", "token_command", "scope"):
                if getattr(self, field):
                    raise InvalidCredentialError(
                        f"{field} is only for the mechanism OAUTHBEARER, not {self.mechanism}"
                    )
        elif bool(self._token_endpoint) == bool(self._token_command):
            raise InvalidCredentialError(
                "mechanism OAUTHBEARER needs a token_endpoint or a token_command, not both"
            )
        elif self._token_endpoint:
            _check_url(self._token_endpoint)
        elif self._scope:
            raise InvalidCredentialError("scope is only for a token_endpoint, not a token_command")

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
        """Where the trusted certificates are; None: the system's, or no encryption."""
        return self._ssl_ca_location

    @property
    def token_endpoint(self) -> str | None:
        """The URL of the OpenID Connect token service, if there is one."""
        return self._token_endpoint

    @property
    def token_command(self) -> str | None:
        """The shell command that prints a token, if there is one."""
        return self._token_command

    @property
    def scope(self) -> str | None:
        """The scope to ask of the token service, if any."""
        return self._scope

    def __call__(self) -> dict[str, Any]:
        """Return the options with which a client of librdkafka authenticates.

        With a `token_command` one of them is the callback `oauth_cb`. librdkafka keeps no reason
        when that fails, so its attribute `error` holds the last `TokenCommandError`, or None.
        """
        options: dict[str, Any] = {
            "security.protocol": self.protocol,
            "sasl.mechanism": self.mechanism,
        }
        if self._token_command:
            from hop.auth._token import TokenCommand

            options["oauth_cb"] = TokenCommand(self._token_command, name_of(self))
        elif self._token_endpoint:
            options["sasl.oauthbearer.method"] = "oidc"
            options["sasl.oauthbearer.client.id"] = self._username
            options["sasl.oauthbearer.client.secret"] = self._password
            options["sasl.oauthbearer.token.endpoint.url"] = self._token_endpoint
            if self._scope:
                options["sasl.oauthbearer.scope"] = self._scope
        else:
            options["sasl.username"] = self._username
            options["sasl.password"] = self._password
        if self._ssl_ca_location:
            location = os.path.expanduser(self._ssl_ca_location)  # noqa: PTH111 - never raises
            options["ssl.ca.location"] = location
        return options

    def _key(self) -> tuple[object, ...]:
        return tuple(getattr(self, slot) for slot in Auth.__slots__)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Auth) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        parts = [repr(self._username), "<password>", f"host={self._hostname!r}"]
        parts += [f"ssl={self._ssl}", f"method={self.mechanism!r}"]
        for field in ("ssl_ca_location", "token_endpoint", "scope"):
            if getattr(self, field):
                parts.append(f"{field}={getattr(self, field)!r}")
        if self._token_command:
            parts.append("token_command=<command>")  # secrets are passed on command lines, too
        return f"Auth({', '.join(parts)})"


def name_of(cred: Auth) -> str:
    """Return what a credential is called in lists and messages: `user` or `user for host`."""
    return f"{cred.username} for {cred.hostname}" if cred.hostname else cred.username


def broker(cred: Auth) -> tuple[str, int | None] | None:
    """Return the broker for which a credential is valid, as `split_host` does; None for any."""
    return split_host(cred.hostname) if cred.hostname else None


def _optional(field: str, value: str | None) -> str | None:
    return (_text(field, value) or None) if value is not None else None


def _text(field: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{field} must be a str, not {type(value).__name__}")
    # C strings end at a null character; halves of a surrogate pair come from undecodable input
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidCredentialError(f"{field} holds characters that cannot be sent")
    return value


def _check_url(url: str) -> None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise InvalidCredentialError("token_endpoint is not a URL like https://host/path")
    if parts.username is not None:
        raise InvalidCredentialError("token_endpoint must not hold a user name or password")
