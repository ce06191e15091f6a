"""Addresses of Kafka brokers: `host`, `host:port`, `[v6 address]:port`."""

DEFAULT_PORT = 9092


def split_host(address: str) -> tuple[str, int | None]:
    """Return the comparable form of the host, and the port, None when not given.

    Upper and lower case are the same in names, and so are the spellings of an IPv6 address.

    Raises:
        ValueError: `address` is not the address of a broker.
    """
    host, colon, port = _split(address.strip())
    if not host.isprintable() or any(char in " /@,?#[]" for char in host):
        raise ValueError(address)
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ValueError(address)
    if ":" in host:
        from ipaddress import IPv6Address

        host = str(IPv6Address(host))
    host = host.casefold().rstrip(".")
    if not host:
        raise ValueError(address)
    return host, int(port) if colon else None


def _split(text: str) -> tuple[str, str, str]:
    if text.startswith("["):
        host, closing, rest = text[1:].partition("]")
        if not closing or ":" not in host or (rest and not rest.startswith(":")):
            raise ValueError(text)
        return host, rest[:1], rest[1:]
    if text.count(":") > 1:  # an IPv6 address without brackets has no port
        return text, "", ""
    return text.partition(":")
