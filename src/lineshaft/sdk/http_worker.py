"""The worker protocol over HTTP: the adapter for workers on other machines than the server's."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Self, TypeVar

import httpx2
from pydantic import ValidationError

from lineshaft.model.attempt import AttemptAddress
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

MessageT = TypeVar("MessageT", bound=Message)

_CONNECT_SECONDS: Final = 5.0
_PATIENCE: Final = timedelta(seconds=20)
"""How long an answer may take beyond the time for which the server was asked to hold the call."""

_ROOT: Final = "/v1/worker"


class HttpWorker:
    """Speaks `sdk.worker_protocol.WorkerProtocol` to a server elsewhere.

    It connects at its first call. Nothing is tried again here: that is up to whoever knows what the call was
    for. Besides what the protocol names, every method may raise `BadCredentialsError`, `BadWorkerKeyError`,
    `InvalidInputError`, `UnsupportedProtocolError`, and `ServerError` where the answer makes no sense. Close
    it, or use it as a context manager.
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

    async def register(self, hello: Hello) -> Welcome:
        """Begin a session; one of the same name is ended, and what it held is lost."""
        return await self._post("/register", hello, Welcome)

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        """Ask for attempts, waiting up to `wait_seconds` for the first."""
        return await self._post("/claim", request, LeasesAnswer, wait_seconds=request.wait_seconds)

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Prolong leases and hear what is to be stopped, waiting up to `wait_seconds` for news of that."""
        return await self._post("/heartbeat", heartbeat, HeartbeatAnswer, wait_seconds=heartbeat.wait_seconds)

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        """Say which commit the source is at, and hear which one the run works on."""
        return await self._post("/source", report, SourceAnswer)

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append bytes to the attempt's log; when this returns they are durable."""
        answer = await self._request(
            "PUT",
            f"/runs/{address.run_id}/nodes/{address.node}/attempts/{address.attempt}/log",
            params={"offset": str(offset)},
            headers={LEASE_HEADER: token, "Content-Type": "application/octet-stream"},
            content=data,
        )
        return _read(answer, LogAnswer).size_bytes

    async def report(self, report: Report) -> LeasesAnswer:
        """Tell how an attempt ended, and get new leases for up to `slots` more."""
        return await self._post("/report", report, LeasesAnswer)

    async def _post(
        self, path: str, message: Message, answer: type[MessageT], *, wait_seconds: float = 0
    ) -> MessageT:
        response = await self._request(
            "POST",
            path,
            wait_seconds=wait_seconds,
            headers={"Content-Type": "application/json"},
            content=message.model_dump_json(),
        )
        return _read(response, answer)

    async def _request(
        self, method: str, path: str, *, wait_seconds: float = 0, **options: Any
    ) -> httpx2.Response:
        timeout = httpx2.Timeout(_PATIENCE.total_seconds() + wait_seconds, connect=_CONNECT_SECONDS)
        try:
            response = await self._http.request(method, _ROOT + path, timeout=timeout, **options)
        except httpx2.RequestError as error:
            raise ServerUnreachableError(
                f"The server at {self._url} does not answer: {cause_of(error)}.",
                advice="Check its address, and that it is running.",
            ) from error
        if not response.is_success:
            raise _refusal(response)
        return response


def _retry_after(response: httpx2.Response) -> timedelta | None:
    """Read how many seconds to wait at least (RFC 9110, 10.2.3); a date is passed over, for clocks differ."""
    said = response.headers.get("Retry-After", "")
    return timedelta(seconds=int(said)) if re.fullmatch(r"[0-9]{1,6}", said) else None


def _read(response: httpx2.Response, kind: type[MessageT]) -> MessageT:
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
    refusal = _refusal_of_the_protocol(response)
    if isinstance(refusal, UnavailableError):
        refusal.retry_after = _retry_after(response)
    return refusal


def _refusal_of_the_protocol(response: httpx2.Response) -> LineshaftError:
    """Tell which error of the protocol an answer stands for; all others are those of the API."""
    document = _document(response.content)
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
            return error_of(response.status_code, response.content)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
