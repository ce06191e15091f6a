"""Access tokens printed by a command of the user's."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress

from hop.auth._errors import TokenCommandError

TIME_LIMIT = 9.0
"""Seconds that a command may take: the Kafka client gives up after ten, without a reason."""

OUTPUT_LIMIT = 1 << 16
"""Bytes that a command may print; a token with all its claims has a few thousand."""


class TokenCommand:
    """A callback for librdkafka (`oauth_cb`) that runs a shell command to get a token.

    librdkafka keeps no reason when a callback raises. So the reason is logged, and `error` holds
    it until a later call succeeds.
    """

    def __init__(self, command: str, name: str) -> None:
        self._command = command
        self._name = name
        self.error: TokenCommandError | None = None

    def __call__(self, config: str | None = None) -> tuple[str, float]:
        """Return a token and the time when it ends, in seconds since 1970.

        Args:
            config: librdkafka's option sasl.oauthbearer.config, which has no meaning here.

        Raises:
            TokenCommandError: the command failed, took too long or printed no usable token.
        """
        try:
            token = _run(self._command)
            result = token, _expiry(token)
        except TokenCommandError as exc:
            import logging

            self.error = TokenCommandError(f"the token command of {self._name} {exc}")
            logging.getLogger("hop.auth").error("%s", self.error)
            raise self.error from None
        self.error = None
        return result

    def __repr__(self) -> str:
        return f"<TokenCommand of {self._name}>"


def _run(command: str) -> str:
    deadline = time.monotonic() + TIME_LIMIT
    try:
        # a session of its own, so that whatever the shell has started can be stopped with it
        process = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as exc:
        raise TokenCommandError(f"cannot be started: {exc.strerror}") from None
    with process:
        try:
            output, errors = _collect(process, deadline)
            process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise TokenCommandError(f"did not finish within {TIME_LIMIT:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode < 0:
        raise TokenCommandError(f"was ended by signal {-process.returncode}")
    if process.returncode:
        lines = (_printable(line) for line in reversed(errors.decode(errors="replace").split("\n")))
        last = next(filter(None, lines), "it printed no message")
        raise TokenCommandError(f"failed with exit status {process.returncode}: {last}")
    return output.decode("ascii", errors="replace").strip()


def _collect(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes]:
    output, errors = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, buffer in ((process.stdout, output), (process.stderr, errors)):
            selector.register(stream, selectors.EVENT_READ, buffer)  # type: ignore[arg-type]
        while selector.get_map():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            for key, _ in selector.select(remaining):
                data = os.read(key.fd, OUTPUT_LIMIT)
                if not data:
                    selector.unregister(key.fileobj)
                key.data.extend(data)
                if len(key.data) > OUTPUT_LIMIT:
                    raise TokenCommandError(f"printed more than {OUTPUT_LIMIT >> 10} KiB")
    return bytes(output), bytes(errors)


def _expiry(token: str) -> float:
    import base64
    import json

    try:
        header, payload, _ = (
            base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True)
            for part in token.split(".")
        )
        json.loads(header)
        expiry = json.loads(payload).get("exp")
    except (ValueError, AttributeError, RecursionError):
        # the reason is left out, because the message of a decoder may quote the token
        raise TokenCommandError("printed something else than a JSON Web Token") from None
    # a NaN is not less than anything
    number = isinstance(expiry, int | float) and not isinstance(expiry, bool)
    if not number or not expiry < 1e11:
        raise TokenCommandError(
            "printed a token without a time of expiry, in seconds since 1970, as its claim exp"
        )
    if expiry <= time.time():
        raise TokenCommandError("printed a token that has expired; is this machine's clock right?")
    return float(expiry)


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else " " for char in line).strip()[:200]
