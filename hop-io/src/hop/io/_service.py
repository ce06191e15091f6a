"""The service for large messages that a broker announces, and whom one is there."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException

from hop.auth import Auth
from hop.io._errors import AuthorizationError, UnknownTopicError
from hop.io._transfer import MISSING, TransferError

if TYPE_CHECKING:
    from hop.io._http import Address, Exchange

logger = logging.getLogger("hop.io")

_TOPIC = "sys.metadata"
_KEY = "LargeMessageUploadEndpoint"
# How long to wait for the broker to tell, in seconds, and how long not to ask it again when it did not.
_PATIENCE = 10.0
_PAUSE = 60.0
# What a service has to say where no message is asked for.
_SHORT = 1 << 20
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_BSON = "application/bson"
# What of a stream's options is about the connection to the broker.
_CONNECTION = ("broker.", "client.", "enable.ssl.", "sasl.", "security.", "socket.", "ssl.")


def connection_options(options: dict[str, Any]) -> dict[str, Any]:
    """Those of librdkafka's options with which another client reaches the same broker."""
    return {name: value for name, value in options.items() if name.startswith(_CONNECTION)}


class Service:
    """Where large messages are, as far as one broker knows. It is asked when somebody needs to know, and once.

    Args:
        broker: `host:port` of the broker.
        auth: the credential, None for none.
        options: librdkafka's options of the stream.
        timeout: how long a large message may take, in seconds.
        limit: how many bytes an answer may have.

    Attributes:
        broker: `host:port` of the broker.
    """

    def __init__(
        self,
        broker: str,
        auth: Auth | None,
        options: dict[str, Any],
        timeout: float,
        limit: int = _SHORT,
    ) -> None:
        self.broker = broker
        self._auth = auth
        self._options = connection_options(options)
        self._timeout = timeout
        self._limit = limit
        self._lock = threading.Lock()
        self._endpoint: str | None = None
        self._known = False
        self._ask_at = 0.0

    def endpoint(self) -> str | None:
        """The address that the broker announces, without a slash at its end, or None where it announces none.

        Raises:
            TransferError: the broker does not tell.
        """
        _check_installed()
        with self._lock:
            if not self._known:
                if time.monotonic() < self._ask_at:
                    raise self._silent()
                self._ask_at = time.monotonic() + _PAUSE
                self._endpoint = _endpoint(self._announcement(), self.broker)
                self._known = True
            return self._endpoint

    def get(self, url: str) -> bytearray:
        """What is at an address. Nobody but the service itself is told who asks.

        Raises:
            TransferError: it is not to be had.
        """
        _check_installed()
        from hop.io._authorize import send_as
        from hop.io._http import Address

        address = Address.parse(url)
        credential = self._auth if self._auth is not None and self._is_service(address) else None
        with self._exchange() as exchange:
            if credential is not None:
                answer = send_as(exchange, credential, "GET", address, None, _BSON)
            else:
                answer = exchange.send("GET", address, {})
            for _ in range(_MOST_REDIRECTS):
                location = answer.headers.get("Location")
                if answer.status not in _REDIRECTS or not location:
                    break
                # Wherever it leads, there nobody is told who asks.
                url = _join(url, location)
                answer = exchange.send("GET", Address.parse(url), {})
            answer.check()
            return answer.body

    def post(self, url: str, body: bytes) -> None:
        """Give the service something.

        Raises:
            TransferError: it did not take it.
        """
        _check_installed()
        from hop.io._authorize import send_as
        from hop.io._http import Address

        address = Address.parse(url)
        with self._exchange() as exchange:
            if self._auth is not None:
                answer = send_as(exchange, self._auth, "POST", address, body, _BSON)
            else:
                answer = exchange.send("POST", address, {"Content-Type": _BSON}, body)
            answer.check()

    def _silent(self) -> TransferError:
        return TransferError(
            f"the broker at {self.broker} does not tell where the service is", passing=True
        )

    def _exchange(self) -> Exchange:
        from hop.io._http import Exchange

        # The authority that the credential names speaks for the broker, and for what belongs to it.
        location = None if self._auth is None else self._auth.ssl_ca_location
        return Exchange(self._timeout, self._limit, location)

    def _is_service(self, address: Address) -> bool:
        from hop.io._http import Address

        try:
            endpoint = self.endpoint()
        except TransferError as exc:
            logger.debug("%s", exc)
            return False
        return endpoint is not None and Address.parse(endpoint).origin == address.origin

    def _announcement(self) -> bytes | None:
        """The newest message of the topic, None where there is none to read."""
        from hop.io._consumer import Consumer

        newest: tuple[int, int, bytes] | None = None
        try:
            with Consumer(
                None,
                self.broker,
                _TOPIC,
                auth=self._auth,
                start_at=-10,
                until_eos=True,
                timeout=_PATIENCE,
                fetch_external=False,
                **self._options,
            ) as consumer:
                late = threading.Timer(_PATIENCE, consumer.stop)
                late.daemon = True
                late.start()
                found: Any
                for found in consumer.read_raw(metadata=True):
                    body, metadata = found
                    one = (metadata.timestamp, metadata.offset, body)
                    newest = max(one, newest or one)
                in_time = late.is_alive()
                late.cancel()
        except (UnknownTopicError, AuthorizationError) as exc:
            logger.debug("no service for large messages is announced: %s", exc)
            return None
        except KafkaException as exc:
            raise self._silent() from exc
        if newest is None and not in_time:
            raise self._silent()
        return None if newest is None else newest[2]


def _endpoint(announcement: bytes | None, broker: str) -> str | None:
    if announcement is None:
        return None
    from hop.io._http import Address

    try:
        endpoint = json.loads(announcement).get(_KEY)
        if endpoint is None:
            return None
        Address.parse(endpoint)
    except (ValueError, AttributeError, TypeError, RecursionError, TransferError) as exc:
        logger.warning("the broker at %s announces no usable %s: %s", broker, _KEY, exc)
        return None
    return str(endpoint).rstrip("/")


def _join(url: str, location: str) -> str:
    from urllib.parse import urljoin

    try:
        return urljoin(url, location)
    except ValueError:
        raise TransferError("it is redirected to a malformed address") from None


def _check_installed() -> None:
    try:
        import scramp
        import urllib3
    except ImportError as exc:
        logger.debug("%s", exc)
        raise TransferError(MISSING) from exc
    del scramp, urllib3
