"""The worker protocol over NATS: drivers call by requests, and the desk answers as it does over HTTP."""

import asyncio
import gzip
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import (
    ForbiddenError,
    InputTooLargeError,
    InvalidInputError,
    LineshaftError,
    UnavailableError,
    UnsupportedProtocolError,
)
from lineshaft.model.known_driver import is_driver_name
from lineshaft.model.principal import Actor, Means
from lineshaft.model.worker_key import WorkerCaller, driver_caller
from lineshaft.sdk.nats.connection import NatsConnection
from lineshaft.sdk.nats.streams import Streams
from lineshaft.sdk.nats.subjects import (
    ATTEMPT_HEADER,
    DESK,
    DESK_GROUP,
    ENCODING_HEADER,
    OFFSET_HEADER,
    STATUS_HEADER,
    name_of,
)
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.server.bodies import BODY_LIMIT_BYTES, REPORT_LIMIT_BYTES, message
from lineshaft.server.problems import problem_response
from lineshaft.services.fleet.desk import WorkerDesk
from lineshaft.services.secrets.delivery import Visit
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER, SERVED_VERSIONS, Message
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    Hello,
    LogAnswer,
    Report,
    SourceReport,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

CallerOf = Callable[[str], Awaitable[WorkerCaller]]
"""Tells who calls on the subjects of a driver."""

MessageT = TypeVar("MessageT", bound=Message)

_LOG: Final = logging.getLogger("lineshaft.nats")
_MOST_AT_ONCE: Final = 4096
_LAST_CALLS_SECONDS: Final = 10.0
_HEADERS_BYTES: Final = 4096
_LARGEST_NUMBER: Final = 2**31 - 1
_LARGEST_OFFSET: Final = 2**53 - 1
_PLACE: Final = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9]{1,10})/([1-9][0-9]{0,9})/([0-9]{1,16})"
)


async def caller_of(driver: str) -> WorkerCaller:
    """Tell who calls on the subjects of a driver: that driver, since NATS lets nobody else.

    Raises:
        ForbiddenError: it is no driver's name.
    """
    if not is_driver_name(driver):
        raise ForbiddenError(
            f"No driver is called {driver[:100]!r}.", advice="Call on the subjects of your own driver."
        )
    return driver_caller(driver)


class NatsDesk:
    """Answers requests on `lineshaft.desk.DRIVER.METHOD`; each is served by one server process.

    Calls that wait hold up no others. A call beyond the most that are served at once is refused at once, to
    be made again.
    """

    def __init__(
        self,
        connection: NatsConnection,
        desk: WorkerDesk,
        *,
        caller_of: CallerOf = caller_of,
        streams: Streams | None = None,
    ) -> None:
        """Make one.

        Args:
            connection: to NATS.
            desk: who serves the calls.
            caller_of: tells who calls.
            streams: makes the consumers from which drivers hear of work; None makes none.
        """
        self._connection = connection
        self._desk = desk
        self._caller_of = caller_of
        self._streams = streams
        self._calls: set[asyncio.Task[None]] = set()
        self._served = True

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None, None]:
        """Answer while the context is open; calls that are being served then are answered before it ends."""
        await self._connection.prepare(self._subscribe)
        try:
            yield
        finally:
            self._served = False
            self._desk.stop_waiting()
            if self._calls:
                await asyncio.wait(self._calls, timeout=_LAST_CALLS_SECONDS)
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def _subscribe(self, client: "Client") -> None:
        await client.subscribe(f"{DESK}.*.*", queue=DESK_GROUP, cb=self._on_request)

    async def _on_request(self, request: "Msg") -> None:
        if not request.reply:
            return
        call = asyncio.create_task(self._serve(request))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _serve(self, request: "Msg") -> None:
        headers: dict[str, str] = {}
        try:
            body = (await self._answer(request)).model_dump_json().encode()
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told that it has failed.
            body = _refusal(error, headers)
        client = await self._connection.client()
        if len(body) + _HEADERS_BYTES > client.max_payload:
            body = await asyncio.to_thread(gzip.compress, body, 6)
            headers[ENCODING_HEADER] = "gzip"
        if len(body) + _HEADERS_BYTES > client.max_payload:
            headers.clear()
            too_large = InputTooLargeError(
                "The answer is more than NATS takes.", advice="Raise max_payload of the NATS server."
            )
            body = _refusal(too_large, headers)
        with suppress(Exception):
            await client.publish(request.reply, body, headers=headers or None)

    async def _answer(self, request: "Msg") -> Message:
        if len(self._calls) > _MOST_AT_ONCE or not self._served:
            raise UnavailableError("The server serves no more calls now.", advice="Try again in a moment.")
        *_, word, method = request.subject.split(".")
        headers: Mapping[str, Any] = request.headers or {}
        version = _version(headers)
        try:
            driver = name_of(word)
        except ValueError:
            raise ForbiddenError("No driver is spelt so.", advice="See docs/events.md.") from None
        caller = await self._caller_of(driver)
        desk = self._desk.of(caller, Visit(version, Actor("", Means.WORKER_KEY, "nats")))
        if len(request.data) > (REPORT_LIMIT_BYTES if method == "report" else BODY_LIMIT_BYTES):
            raise InputTooLargeError("The request is too long.", advice="Send less at a time.")
        if method == "register":
            await self._make_consumer(driver)
        return await _call(desk, method, request.data, headers)

    async def _make_consumer(self, driver: str) -> None:
        if self._streams is None:
            return
        from nats.errors import Error

        try:
            await self._streams.make_consumer(driver)
        except (Error, UnavailableError, TimeoutError) as error:
            _LOG.warning("The work queue of driver %r cannot be made: %s", driver, error)


async def _call(desk: WorkerProtocol, method: str, data: bytes, headers: Mapping[str, Any]) -> Message:
    match method:
        case "register":
            return await desk.register(message(data, Hello))
        case "claim":
            return await desk.claim(message(data, ClaimRequest))
        case "heartbeat":
            return await desk.heartbeat(message(data, Heartbeat))
        case "source":
            return await desk.resolve_source(message(data, SourceReport))
        case "report":
            return await desk.report(message(data, Report))
        case "log":
            address, offset = _place(headers)
            token = str(headers.get(LEASE_HEADER, ""))
            return LogAnswer(size_bytes=await desk.append_log(address, token, offset, data))
        case _:
            raise InvalidInputError(f"There is no call {method[:50]!r}.", advice="See docs/events.md.")


def _version(headers: Mapping[str, Any]) -> int:
    said = str(headers.get(PROTOCOL_HEADER, ""))
    if said not in {str(each) for each in SERVED_VERSIONS}:
        raise UnsupportedProtocolError(said[:20] or "(none)", SERVED_VERSIONS)
    return int(said)


def _place(headers: Mapping[str, Any]) -> tuple[AttemptAddress, int]:
    """Read where bytes of a log belong."""
    found = _PLACE.fullmatch(f"{headers.get(ATTEMPT_HEADER, '')}/{headers.get(OFFSET_HEADER, '')}")
    node, attempt, offset = (0, 0, 0) if found is None else (int(found[at]) for at in (2, 3, 4))
    if found is None or max(node, attempt) > _LARGEST_NUMBER or offset > _LARGEST_OFFSET:
        raise InvalidInputError(
            f"{ATTEMPT_HEADER} and {OFFSET_HEADER} do not say where the bytes belong.",
            advice="They are RUN/NODE/ATTEMPT and a number of bytes.",
        )
    return AttemptAddress(UUID(found[1]), node, attempt), offset


def _refusal(error: Exception, headers: dict[str, str]) -> bytes:
    """Say an error as HTTP would."""
    if not isinstance(error, LineshaftError):
        _LOG.error("A call over NATS failed.", exc_info=error)
        error = LineshaftError("Something went wrong inside the server.")
    response = problem_response(error)
    headers[STATUS_HEADER] = str(response.status_code)
    return bytes(response.body)
