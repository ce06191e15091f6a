"""`kafka://[user@]host[:port]/topic[,topic…]`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

DEFAULT_PORT = 9092

_FORM = "kafka://[user@]host[:port]/topic[,topic…]"
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?")
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~-]+)?\]")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True)
class KafkaURL:
    """A URL taken apart.

    Attributes:
        user: the user name that chooses among credentials, or None.
        broker: `host:port`, with an IPv6 address in brackets.
        topics: the topics, none if the URL names none.
    """

    user: str | None
    broker: str
    topics: tuple[str, ...]


def parse_url(url: str) -> KafkaURL:
    """Take a URL apart.

    Raises:
        ValueError: the URL is malformed, or names more than one broker; says which part is wrong.
    """

    def wrong(what: str) -> ValueError:
        return ValueError(f"invalid Kafka URL {url!r}: {what}; the form is {_FORM}")

    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() != "kafka":
        raise wrong("it does not start with 'kafka://'")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise wrong("it contains white space or control characters")
    authority, _, path = rest.partition("/")
    userinfo, at, hosts = authority.rpartition("@")
    if "?" in authority + path or "#" in authority + path:
        raise wrong("'?' and '#' have no meaning in it")
    if at and ":" in userinfo:
        raise ValueError(
            "invalid Kafka URL: it contains a password, which belongs into a credential"
            f" (`hop auth add`); the form is {_FORM}"
        )
    if at and not userinfo:
        raise wrong("the user name before '@' is empty")
    if "," in hosts:
        raise wrong("more than one broker; name one, the others are found through it")
    topics = tuple(unquote(topic) for topic in path.split(",")) if path else ()
    for topic in topics:
        if not _TOPIC.fullmatch(topic) or topic in {".", ".."}:
            raise wrong(f"{topic!r} is no topic name (1 to 249 letters, digits, '.', '_' or '-')")
    return KafkaURL(unquote(userinfo) if at else None, _broker(hosts, wrong), topics)


def _broker(hosts: str, wrong: Callable[[str], ValueError]) -> str:
    host, port = hosts, ""
    if ":" in hosts.rpartition("]")[2]:
        host, _, port = hosts.rpartition(":")
        if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
            raise wrong(f"{port!r} is no port (1 to 65535)")
    if not host:
        raise wrong("the host is missing")
    if not (_HOST.fullmatch(host) or _IPV6.fullmatch(host)):
        raise wrong(f"{host!r} is no host name; an IPv6 address goes into brackets")
    return f"{host}:{port or DEFAULT_PORT}"
