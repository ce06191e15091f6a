"""Names of Kafka brokers: `host`, `host:port`, `[v6 address]:port`."""

DEFAULT_PORT = 9092


def split_host(address: str) -> tuple[str, int | None]:
    """Return the comparable form of the host, and the port, None when not given.

    Case does not matter in names, nor does the spelling of an IPv6 address.

    Raises:
        ValueError: `address` does not have one of the forms above.
    """
    text = address.strip()
    bracketed = text.startswith("[")
    if bracketed:
        host, closing, rest = text[1:].partition("]")
        if not closing or (rest and not rest.startswith(":")):
            raise ValueError(address)
        colon, port = rest[:1], rest[1:]
    elif text.count(":") > 1:
        host, colon, port = text, "", ""
    else:
        host, colon, port = text.partition(":")
    if not host or not host.isprintable() or any(char in " /@,?#[]" for char in host):
        raise ValueError(address)
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ValueError(address)
    if ":" in host or bracketed:
        from ipaddress import IPv6Address

        host = str(IPv6Address(host))
    return host.casefold().rstrip(".") or host, int(port) if colon else None
