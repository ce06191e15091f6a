"""A port of the user's choice in front of the memory broker, which can only listen where the system says."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hop.sandbox._errors import SandboxError, reason

_CHUNK = 1 << 16


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # either end may go at any time; the other is closed below
    finally:
        writer.close()


async def forward(host: str, port: int, target: str) -> asyncio.Server:
    """Listen on `host:port` and pass every connection on to `target` (`host:port`).

    Raises:
        SandboxError: the port can't be listened on.
    """
    target_host, _, target_port = target.rpartition(":")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection(target_host, int(target_port))
        except OSError:
            writer.close()
            return
        # At the end the event loop cancels what is still connected, and would print that as an error.
        with suppress(asyncio.CancelledError):
            await asyncio.gather(_pipe(reader, there[1]), _pipe(there[0], writer))

    try:
        return await asyncio.start_server(connected, host, port)
    except OSError as exc:
        raise SandboxError(
            f"cannot listen on {host}:{port}: {reason(exc)}; choose another --port or none"
        ) from exc
