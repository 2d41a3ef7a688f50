"""The worker protocol over NATS: the adapter for drivers that take their work from JetStream."""

import asyncio
import gzip
import io
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import ValidationError

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import ServerError, ServerUnreachableError
from lineshaft.sdk.nats.access import NatsAccess
from lineshaft.sdk.nats.connection import NatsConnection
from lineshaft.sdk.nats.subjects import (
    ATTEMPT_HEADER,
    ENCODING_HEADER,
    OFFSET_HEADER,
    STATUS_HEADER,
    WORK_STREAM,
    desk_subject,
    inbox_prefix,
    word_of,
)
from lineshaft.sdk.worker_connection import refusal_of
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION, Message
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    Hello,
    LeasesAnswer,
    LogAnswer,
    Report,
    SourceAnswer,
    SourceReport,
    Welcome,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

MessageT = TypeVar("MessageT", bound=Message)

_LOG: Final = logging.getLogger("lineshaft.nats")
_PATIENCE_SECONDS: Final = 20.0
_QUEUE_SECONDS: Final = 5.0
_UNPROMPTED_SECONDS: Final = 30.0
"""How often it claims without having heard of work: a message may have been lost."""
_MOST_AT_ONCE: Final = 8
_HEADERS_BYTES: Final = 4096
_LONGEST_ANSWER_BYTES: Final = 64 * 1024 * 1024
_FIRST_PIECE_BYTES: Final = 512 * 1024


class NatsWorker:
    """Speaks `sdk.worker_protocol.WorkerProtocol` to whichever server answers for one driver.

    A claim that may wait waits for a message of the work queue and claims then: so nothing is given to a
    program that has died while it waited. Where there is no queue, the server holds the claim. A few attempts
    are claimed at a time, lest an answer be more than NATS takes.

    Besides what the protocol names, every method may raise `ServerUnreachableError`, `InvalidInputError`,
    `UnsupportedProtocolError`, and `ServerError` where the answer makes no sense.
    """

    def __init__(
        self, connection: NatsConnection, driver: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._clock = clock
        self._claimed_at: float | None = None
        self._draining = asyncio.Event()
        self._hears_of_work = False

    @classmethod
    @asynccontextmanager
    async def open(cls, access: NatsAccess, driver: str) -> "AsyncGenerator[NatsWorker, None]":
        """Speak for a driver while the context is open."""
        name = f"lineshaft driver {driver}"
        connection = NatsConnection(access, name, _LOG, inbox=inbox_prefix(driver))
        async with connection.open():
            yield cls(connection, driver)

    async def register(self, hello: Hello) -> Welcome:
        """Begin a session; one of the same name is ended, and what it held is lost."""
        self._claimed_at = None
        self._draining.clear()
        return await self._ask("register", hello, Welcome)

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        """Ask for attempts, waiting up to `wait_seconds` for the first."""
        now = request.model_copy(update={"wait_seconds": 0.0, "slots": min(request.slots, _MOST_AT_ONCE)})
        if not request.slots or not request.wait_seconds or self._is_to_look():
            answer = await self._claim(now)
            if answer.leases or not request.slots or not request.wait_seconds:
                return answer
            self._hears_of_work = await self._has_queue()
        if self._draining.is_set() or not self._hears_of_work:
            return await self._claim(request.model_copy(update={"slots": now.slots}))
        message = await self._work(request.wait_seconds)
        if message is None:
            return LeasesAnswer()
        try:
            answer = await self._claim(now)
        except BaseException:
            with suppress(Exception):
                await message.nak()
            raise
        with suppress(Exception):
            # One that comes again is answered by nothing, once.
            await message.ack()
        return answer

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Prolong leases and hear what is to be stopped, waiting up to `wait_seconds` for news of that."""
        if heartbeat.draining:
            self._draining.set()
        answer = await self._ask("heartbeat", heartbeat, HeartbeatAnswer, wait_seconds=heartbeat.wait_seconds)
        if answer.drain:
            self._draining.set()
        return answer

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        """Say which commit the source is at, and hear which one the run works on."""
        return await self._ask("source", report, SourceAnswer)

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append bytes to the attempt's log; when this returns they are durable."""
        headers = {LEASE_HEADER: token, ATTEMPT_HEADER: f"{address.run_id}/{address.node}/{address.attempt}"}
        client = await self._client()
        longest = max(min(client.max_payload - _HEADERS_BYTES, _FIRST_PIECE_BYTES), 1)
        size, at = offset, 0
        while True:
            piece = data[at : at + longest]
            at_offset = {**headers, OFFSET_HEADER: str(offset + at)}
            size = _read(await self._send("log", piece, at_offset, 0), LogAnswer).size_bytes
            at += len(piece)
            if at >= len(data):
                return size

    async def report(self, report: Report) -> LeasesAnswer:
        """Tell how an attempt ended, and get new leases where there is room."""
        fewer = report.model_copy(update={"slots": min(report.slots, _MOST_AT_ONCE)})
        return self._noted(await self._ask("report", fewer, LeasesAnswer))

    async def _claim(self, request: ClaimRequest) -> LeasesAnswer:
        self._claimed_at = self._clock()
        answer = await self._ask("claim", request, LeasesAnswer, wait_seconds=request.wait_seconds)
        return self._noted(answer)

    def _noted(self, answer: LeasesAnswer) -> LeasesAnswer:
        if answer.leases:
            self._claimed_at = None  # There may be more.
        return answer

    def _is_to_look(self) -> bool:
        return self._claimed_at is None or self._clock() - self._claimed_at >= _UNPROMPTED_SECONDS

    async def _work(self, seconds: float) -> "Msg | None":
        """Wait for a message of the work queue, or until this program is to take no more."""
        fetching = asyncio.create_task(self._fetch(seconds))
        told = asyncio.create_task(self._draining.wait())
        try:
            await asyncio.wait({fetching, told}, return_when=asyncio.FIRST_COMPLETED)
            return fetching.result() if fetching.done() else None
        finally:
            fetching.cancel()
            told.cancel()
            await asyncio.gather(fetching, told, return_exceptions=True)

    async def _fetch(self, seconds: float) -> "Msg | None":
        """Ask the queue once; each time anew, since what is asked for is lost with a connection.

        A message for a program that has given up comes to another one when it was not acknowledged.
        """
        from nats.errors import Error
        from nats.js.api import Header

        client = await self._client()
        wanted = {"batch": 1, "expires": int(seconds * 1e9)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{WORK_STREAM}.{word_of(self._driver)}"
        try:
            inbox = client.new_inbox()
            told = await client.subscribe(inbox, max_msgs=1)
            try:
                await client.publish(subject, json.dumps(wanted).encode(), reply=inbox)
                message = await self._connection.while_up(told.next_msg(seconds + 1))
            finally:
                with suppress(Error):
                    await told.unsubscribe()
        except TimeoutError:
            return None
        except (Error, OSError) as error:
            raise ServerUnreachableError(
                f"NATS does not answer: {error}.", advice="Check that it is running."
            ) from error
        return message if (message.headers or {}).get(Header.STATUS) is None else None

    async def _has_queue(self) -> bool:
        """Tell whether there is a work queue to hear from; one that is missing answers nobody."""
        from nats.errors import Error

        client = await self._client()
        subject = f"$JS.API.CONSUMER.INFO.{WORK_STREAM}.{word_of(self._driver)}"
        try:
            answer = json.loads((await client.request(subject, timeout=_QUEUE_SECONDS)).data)
        except (Error, OSError, TimeoutError, ValueError):
            return False
        return isinstance(answer, dict) and "error" not in answer

    async def _ask(
        self, method: str, message: Message, kind: type[MessageT], *, wait_seconds: float = 0
    ) -> MessageT:
        body = message.model_dump_json().encode()
        return _read(await self._send(method, body, {}, wait_seconds), kind)

    async def _send(self, method: str, body: bytes, headers: Mapping[str, str], wait_seconds: float) -> bytes:
        from nats.errors import Error

        client = await self._client()
        try:
            answer = await self._connection.while_up(
                client.request(
                    desk_subject(self._driver, method),
                    body,
                    timeout=_PATIENCE_SECONDS + wait_seconds,
                    headers={PROTOCOL_HEADER: str(PROTOCOL_VERSION), **headers},
                )
            )
        except (Error, OSError, TimeoutError) as error:
            raise ServerUnreachableError(
                f"No server answers over NATS: {str(error) or repr(error)}.",
                advice="Check that one runs with --events, and that this user may call it.",
            ) from error
        said = answer.headers or {}
        data = _unpacked(answer.data) if said.get(ENCODING_HEADER) == "gzip" else answer.data
        status = said.get(STATUS_HEADER)
        if status is not None:
            raise refusal_of(int(status) if status.isdigit() else 500, data)
        return data

    async def _client(self) -> "Client":
        return await self._connection.client(timedelta(seconds=5))


def _read(data: bytes, kind: type[MessageT]) -> MessageT:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise ServerError(
            f"The answer over NATS is no {kind.__name__}.",
            status=200,
            advice="Check that what answers there is a Lineshaft server.",
        ) from error


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            unpacked = packed.read(_LONGEST_ANSWER_BYTES + 1)
    except (OSError, EOFError):
        unpacked = b""
    return unpacked if len(unpacked) <= _LONGEST_ANSWER_BYTES else b""
