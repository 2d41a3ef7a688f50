"""HTTP from a worker to one server: how it proves itself, and what refusals mean."""

import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, Final, Self, TypeVar

import httpx2
from pydantic import ValidationError

from lineshaft.model.errors import (
    LineshaftError,
    LogOffsetError,
    ServerError,
    ServerUnreachableError,
    StaleLeaseError,
    UnavailableError,
    UnsupportedProtocolError,
    WorkerNotFoundError,
)
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.problem import error_of
from lineshaft.sdk.transport import bearer, cause_of
from lineshaft.wire.message import PROTOCOL_HEADER, PROTOCOL_VERSION, Message

MessageT = TypeVar("MessageT", bound=Message)

_CONNECT_SECONDS: Final = 5.0
_PATIENCE: Final = timedelta(seconds=20)
"""How long an answer may take beyond the time for which the server was asked to hold the call."""

_ROOT: Final = "/v1/worker"
_JSON: Final = {"Content-Type": "application/json"}
_CHUNK_BYTES: Final = 1024 * 1024


class WorkerConnection:
    """Calls of the worker protocol to a server elsewhere; it connects at the first.

    Nothing is tried again here: that is up to whoever knows what the call was for. Every call may raise
    `BadCredentialsError`, `BadWorkerKeyError`, `InvalidInputError`, `UnsupportedProtocolError`,
    `UnavailableError`, and `ServerError` where the answer makes no sense.
    """

    def __init__(self, config: ClientConfig, key: str | None = None) -> None:
        """Speak to a server.

        Args:
            config: its address, and a user's credentials.
            key: the worker's key, which is sent in place of the user's credentials.
        """
        self._url = config.url
        shown = config.token if key is None else key
        headers = {PROTOCOL_HEADER: str(PROTOCOL_VERSION), **bearer(shown)}
        self._http = httpx2.AsyncClient(
            base_url=config.url,
            auth=(config.username, config.password) if shown is None else None,
            headers=headers,
            # Every slot may be sending a log while a claim and a heartbeat wait.
            limits=httpx2.Limits(max_connections=None),
            verify=config.tls.verification(config.url),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.aclose()

    async def post(
        self, path: str, message: Message, answer: type[MessageT], *, wait_seconds: float = 0
    ) -> MessageT:
        """Send a message, and read the one that answers it."""
        response = await self.tell(path, message, wait_seconds=wait_seconds)
        return read_message(response, answer)

    async def tell(self, path: str, message: Message, *, wait_seconds: float = 0) -> httpx2.Response:
        """Send a message."""
        return await self.request(
            "POST", path, wait_seconds=wait_seconds, headers=_JSON, content=message.model_dump_json()
        )

    async def request(
        self, method: str, path: str, *, wait_seconds: float = 0, **options: Any
    ) -> httpx2.Response:
        """Make a call, and return its answer once that has come in whole.

        Args:
            method: the HTTP method.
            path: below that of the worker protocol.
            wait_seconds: how long the server was asked to hold the call.
            options: of httpx2's `request`.
        """
        with self._reachable():
            response = await self._http.request(
                method, _ROOT + path, timeout=_timeout(wait_seconds), **options
            )
        if not response.is_success:
            raise _refusal(response)
        return response

    @asynccontextmanager
    async def bytes_of(
        self, path: str, message: Message
    ) -> AsyncGenerator[AsyncGenerator[bytes, None], None]:
        """Send a message, and read the answer's bytes while they come in."""

        async def chunks(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
            with self._reachable():
                async for chunk in response.aiter_bytes(_CHUNK_BYTES):
                    yield chunk

        content = message.model_dump_json()
        options: Any = {"headers": _JSON, "content": content, "timeout": _timeout()}
        with self._reachable():
            async with self._http.stream("POST", _ROOT + path, **options) as response:
                if not response.is_success:
                    await response.aread()
                    raise _refusal(response)
                async with aclosing(chunks(response)) as reading:
                    yield reading

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except httpx2.RequestError as error:
            raise ServerUnreachableError(
                f"The server at {self._url} does not answer: {cause_of(error)}.",
                advice="Check its address, and that it is running.",
            ) from error


def _timeout(wait_seconds: float = 0) -> httpx2.Timeout:
    return httpx2.Timeout(_PATIENCE.total_seconds() + wait_seconds, connect=_CONNECT_SECONDS)


def _retry_after(response: httpx2.Response) -> timedelta | None:
    """Read how many seconds to wait at least (RFC 9110, 10.2.3); a date is passed over, for clocks differ."""
    said = response.headers.get("Retry-After", "")
    return timedelta(seconds=int(said)) if re.fullmatch(r"[0-9]{1,6}", said) else None


def read_message(response: httpx2.Response, kind: type[MessageT]) -> MessageT:
    """Read an answer that is a message.

    Raises:
        ServerError: it is none of that kind.
    """
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise ServerError(
            f"The server's answer is no {kind.__name__}.",
            status=response.status_code,
            advice="Check the address: what answers there may be no Lineshaft server.",
        ) from error


def _refusal(response: httpx2.Response) -> LineshaftError:
    """Tell which error an answer stands for, and when to try again where the server says so."""
    refusal = refusal_of(response.status_code, response.content)
    if isinstance(refusal, UnavailableError):
        refusal.retry_after = _retry_after(response)
    return refusal


def refusal_of(status: int, content: bytes) -> LineshaftError:
    """Tell which error of the protocol an answer stands for; all others are those of the API."""
    document = _document(content)
    code = str(document.get("type", "")).rpartition(":")[2]
    message, advice = str(document.get("detail", "")), str(document.get("advice", ""))
    match code, document:
        case StaleLeaseError.code, _:
            return StaleLeaseError(message, advice=advice)
        case WorkerNotFoundError.code, _:
            return WorkerNotFoundError(message, advice=advice)
        case LogOffsetError.code, {"expected_offset": int(offset)}:
            return LogOffsetError(offset)
        case UnsupportedProtocolError.code, {"served": [*versions]}:
            served = [version for version in versions if isinstance(version, int)]
            return UnsupportedProtocolError(str(PROTOCOL_VERSION), served)
        case _:
            return error_of(status, content)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
