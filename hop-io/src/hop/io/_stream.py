"""`Stream`: the defaults with which streams are opened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, overload

from hop.auth import Auth
from hop.io._connection import DEFAULT_TIMEOUT
from hop.io._consumer import Consumer
from hop.io._credentials import AuthLike, credential_for, credentials
from hop.io._options import librdkafka_options
from hop.io._producer import Producer
from hop.io._start import StartAt, StartPosition, check_start
from hop.io._transfer import DEFAULT_FETCH_LIMIT, DEFAULT_TRANSFER_TIMEOUT
from hop.io._url import KafkaURL, parse_url

if TYPE_CHECKING:
    from hop.io._aio import AsyncConsumer, AsyncProducer, Opening


class Stream:
    """Defines an event stream: the defaults with which streams are opened.

    Args:
        auth: True, the default, for the stored credentials (see `hop.auth.load_auth`), which are read
            when a stream is first opened; False for no authentication; or one `Auth` or several, of which
            the one that matches the URL is used.
        start_at: where reading starts. By default (`StartPosition.LATEST`) with what is written after the stream
            was opened; `StartPosition.EARLIEST` is the oldest message that there is. A `datetime` with a time zone,
            or a `timedelta` back from now, starts with the first message written then or later; a negative number
            with the last so many messages of each partition; a mapping from (topic, partition) to offset at those
            offsets. A consumer group goes on where it left off, whatever this says.
        until_eos: whether reading ends when there are no more messages (True), or goes on for ever
            (False, the default).
    """

    def __init__(
        self,
        auth: bool | Auth | Iterable[Auth] | None = True,
        start_at: StartAt = StartPosition.LATEST,
        until_eos: bool = False,
    ) -> None:
        self._auth: AuthLike = (
            auth if auth is None or isinstance(auth, (bool, Auth)) else list(auth)
        )
        self.start_at = check_start(start_at)
        self.until_eos = until_eos

    @property
    def auth(self) -> list[Auth]:
        """The credentials to choose from; empty without authentication.

        Raises:
            FileNotFoundError: the stored credentials are to be used, and there are none.
            RuntimeError: their file has unsafe permissions.
            KeyError: their file is malformed.
        """
        return credentials(self._known())

    @overload
    def open(
        self,
        url: str,
        mode: Literal["r"] = "r",
        group_id: str | None = None,
        ignoretest: bool = True,
        **kwargs: Any,
    ) -> Consumer: ...

    @overload
    def open(
        self,
        url: str,
        mode: Literal["w"],
        group_id: str | None = None,
        ignoretest: bool = True,
        **kwargs: Any,
    ) -> Producer: ...

    def open(
        self,
        url: str,
        mode: Literal["r", "w"] = "r",
        group_id: str | None = None,
        ignoretest: bool = True,
        *,
        start_at: StartAt | None = None,
        until_eos: bool | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        produce_timeout: timedelta | None = None,
        idempotent: bool = True,
        automatic_offload: bool | None = None,
        fetch_external: bool | None = None,
        transfer_timeout: float = DEFAULT_TRANSFER_TIMEOUT,
        fetch_limit: int = DEFAULT_FETCH_LIMIT,
        **kwargs: Any,
    ) -> Consumer | Producer:
        """Open a connection to an event stream.

        Args:
            url: `kafka://[user@]host[:port]/topic[,topic…]`; the port is 9092 unless given. A URL to write to may
                name no topic, and then each `write` names one.
            mode: read ("r") or write ("w").
            group_id: the consumer group to read in; by default in none.
            ignoretest: whether reading passes over test messages.
            start_at: where reading starts, instead of the stream's default.
            until_eos: whether reading ends at the end, instead of the stream's default.
            timeout: how long to wait for the broker, in seconds. None, in write mode, does not wait for it.
            produce_timeout: in write mode, how long to go on trying to deliver a message; by default five minutes.
            idempotent: in write mode, whether a message that has to be sent again arrives once and in order.
            automatic_offload: in write mode, whether messages that are larger than their topic takes are uploaded to
                the service that the broker announces. None, the default, is what the environment variable
                `HOP_AUTOMATIC_OFFLOAD` says, else `hop configure`, else True.
            fetch_external: in read mode, whether such messages are fetched; None as before, with `HOP_FETCH_EXTERNAL`.
            transfer_timeout: how long one such message may take to be uploaded or fetched, in seconds; by default 60.
            fetch_limit: how many bytes one that is fetched may have; by default 256 MiB.
            kwargs: options of librdkafka (see `librdkafka_options`), as in `**{"compression.type": "lz4"}`; others are
                ignored, as they always were. Of a stream that is read faster than it is worked on, up to 64 MiB wait
                in memory: the option `queued.max.messages.kbytes`. With an `error_cb`, it is called with what happens
                to the connection, in place of lines in the log.

        Raises:
            ValueError: the mode is neither "r" nor "w", the URL is malformed, names more than one broker, no
                topic to read, or more than one to write.
            StreamError: the broker does not answer, refuses, or has no such topic.
            FileNotFoundError, KeyError, RuntimeError: there is no credential to use, see `hop.auth`.
        """
        target = _target(url, mode)
        auth = credential_for(self._known(), target)
        options = librdkafka_options(kwargs)
        if mode == "w":
            return Producer(
                target.broker,
                target.topics[0] if target.topics else None,
                auth=auth,
                timeout=timeout,
                produce_timeout=produce_timeout,
                idempotent=idempotent,
                automatic_offload=automatic_offload,
                transfer_timeout=transfer_timeout,
                **options,
            )
        return Consumer(
            group_id,
            target.broker,
            target.topics,
            ignoretest,
            auth=auth,
            start_at=self.start_at if start_at is None else start_at,
            until_eos=self.until_eos if until_eos is None else until_eos,
            timeout=DEFAULT_TIMEOUT if timeout is None else timeout,
            fetch_external=fetch_external,
            transfer_timeout=transfer_timeout,
            fetch_limit=fetch_limit,
            **options,
        )

    @overload
    def open_async(
        self, url: str, mode: Literal["r"] = "r", *args: Any, **kwargs: Any
    ) -> Opening[AsyncConsumer]: ...

    @overload
    def open_async(
        self, url: str, mode: Literal["w"], *args: Any, **kwargs: Any
    ) -> Opening[AsyncProducer]: ...

    def open_async(
        self, url: str, mode: Literal["r", "w"] = "r", *args: Any, **kwargs: Any
    ) -> Opening[Any]:
        """Open a connection for asyncio, as in `async with stream.open_async(url) as s:`.

        The arguments are those of `open`, and so are the errors, which are raised where the block is entered.
        """
        # Who does not use asyncio does not pay for it.
        from hop.io._aio import Opening

        return Opening(partial(self.open, url, mode, *args, **kwargs))

    def _known(self) -> AuthLike:
        """What to choose a credential from; the stored ones are read once."""
        if self._auth is True:
            self._auth = credentials(True)
        return self._auth


def _target(url: str, mode: str) -> KafkaURL:
    if mode not in ("r", "w"):
        raise ValueError(f"mode is {mode!r}; it has to be 'r' (read) or 'w' (write)")
    target = parse_url(url)
    if mode == "w" and len(target.topics) > 1:
        raise ValueError(
            f"cannot open {url} for writing: it names more than one topic; name one,"
            " or none and then one with each write"
        )
    if mode == "r" and not target.topics:
        raise ValueError(f"cannot open {url} for reading: it names no topic")
    return target
