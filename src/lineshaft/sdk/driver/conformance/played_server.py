"""A server that is played for one driver: strict, with the faults that a case asks for."""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import ValidationError

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.outcome import Outcome
from lineshaft.ports.ids import RandomIds
from lineshaft.sdk.driver.conformance.listener import Request, Response
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER, SERVED_VERSIONS, Message
from lineshaft.wire.worker import ClaimRequest, Heartbeat, Hello, LeaseMessage, Report

M = TypeVar("M", bound=Message)

_ROOT: Final = "/v1/worker"
_LOG_PATH: Final = re.compile(_ROOT + r"/runs/([0-9a-f-]{36})/nodes/(\d+)/attempts/(\d+)/log")
_MOST_OF_A_LOG_BYTES: Final = 1 << 20
_LONGEST_HEARTBEAT_SECONDS: Final = 1.0
_NEW: Final = {"a_field_of_later_versions": {"to be": "passed over"}}
"""Stands in every answer: messages may hold fields that their reader does not know."""


@dataclass(slots=True)
class Attempt:
    """An attempt that the driver is to be given, or has been.

    Attributes:
        lease: as the driver gets it, with the token of its claim.
        given: whether an answer has brought it.
        stop: whether the driver is to stop it.
        dead: whether the lease is dead.
        log: what has been appended.
        outcome: as it was reported; None as long as it was not.
        heartbeats: how many have named its token.
    """

    lease: LeaseMessage
    given: bool = False
    stop: bool = False
    dead: bool = False
    log: bytes = b""
    outcome: Outcome | None = None
    heartbeats: int = 0

    @property
    def lives(self) -> bool:
        """Whether the driver holds it."""
        return self.given and not self.dead and self.outcome is None


@dataclass(slots=True)
class Calls:
    """What the driver has called, by kind: register, claim, heartbeat, report, log.

    Attributes:
        count: how often.
        faults: how many of the next ones are answered 503 without being heeded.
        lost: how many of the next ones are heeded, and answered 503 all the same.
    """

    count: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


class _RefusalError(Exception):
    """A call is refused."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.response = Response(
            status, {"type": f"urn:lineshaft:problem:{code}", "detail": detail, "status": status, **facts}
        )


class PlayedServer:
    """Answers a driver's calls, and notes what it must not do.

    Attributes:
        key: the worker key that the driver is given.
        hellos: what it has registered with.
        claims: what it has asked for.
        heartbeats: what it has told.
        attempts: all that it is to be given, in order.
        calls: what came, and what is to go wrong.
        violations: sentences about what it must not do, and did.
        drain: whether it is told to take no more.
        session: the id of the session that lives; None where none does.
    """

    def __init__(self, lease_seconds: float) -> None:
        """Play a server whose leases live for so long."""
        self._ids = RandomIds()
        self._lease_seconds = lease_seconds
        self._changed = asyncio.Event()
        self._queue: deque[Attempt] = deque()
        self._used_tokens: set[str] = set()
        self.key = f"lsw_{self._ids.new_token()}"
        self.hellos: list[Hello] = []
        self.claims: list[ClaimRequest] = []
        self.heartbeats: list[Heartbeat] = []
        self.attempts: list[Attempt] = []
        self.calls = Calls()
        self.violations: list[str] = []
        self.drain = False
        self.session: UUID | None = None

    def give(self, lease: LeaseMessage) -> Attempt:
        """Have an attempt wait for the driver."""
        attempt = Attempt(lease)
        self.attempts.append(attempt)
        self._queue.append(attempt)
        self.change()
        return attempt

    def change(self) -> None:
        """Let those look again who wait for something."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, and tell whether it came to be in so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    await self._changed.wait()
        except TimeoutError:
            return is_so()
        return True

    async def handle(self, request: Request) -> Response:
        """Answer a call."""
        try:
            self._check_headers(request)
            kind = self._kind(request)
            self.calls.count[kind] += 1
            self._fail(self.calls.faults, kind)
            document = await self._answer(kind, request)
            self._fail(self.calls.lost, kind)
        except _RefusalError as refusal:
            return refusal.response
        finally:
            self.change()
        return Response(HTTPStatus.OK, {**document, **_NEW})

    async def _answer(self, kind: str, request: Request) -> dict[str, Any]:
        match kind:
            case "register":
                return self._register(self._read(request, Hello))
            case "claim":
                return await self._claim(self._read(request, ClaimRequest))
            case "heartbeat":
                return await self._heartbeat(self._read(request, Heartbeat))
            case "report":
                return self._report(self._read(request, Report))
            case _:
                return self._append(request)

    def _fail(self, which: Counter[str], kind: str) -> None:
        if which[kind]:
            which[kind] -= 1
            raise _RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Try again later.")

    def _check_headers(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            self._note(f"It called {request.path} without its key in `Authorization: Bearer`.")
            raise _RefusalError(HTTPStatus.UNAUTHORIZED, "bad-worker-key", "The worker key is wrong.")
        version = request.headers.get(PROTOCOL_HEADER.lower(), "")
        if version not in map(str, SERVED_VERSIONS):
            self._note(f"It called {request.path} with {PROTOCOL_HEADER} {version!r}.")
            raise _RefusalError(
                HTTPStatus.UPGRADE_REQUIRED,
                "unsupported-protocol",
                f"Say a version in {PROTOCOL_HEADER}.",
                served=list(SERVED_VERSIONS),
            )

    def _kind(self, request: Request) -> str:
        name = request.path.removeprefix(f"{_ROOT}/")
        if request.method == "POST" and name in {"register", "claim", "heartbeat", "report"}:
            return name
        if request.method == "PUT" and _LOG_PATH.fullmatch(request.path):
            return "log"
        self._note(f"It called {request.method} {request.path}, of which this suite knows nothing.")
        raise _RefusalError(HTTPStatus.NOT_FOUND, "not-found", "There is nothing.")

    def _read(self, request: Request, kind: type[M]) -> M:
        try:
            return kind.model_validate_json(request.body)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "the whole of it"
            self._note(f"Its {kind.__name__} is none: {place}: {first['msg']}.")
            raise _RefusalError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input", f"{place}: {first['msg']}"
            ) from error

    def _register(self, hello: Hello) -> dict[str, Any]:
        self.hellos.append(hello)
        self.session = hello.session or self._ids.new_id()
        return {"worker_id": str(self.session), "lease_seconds": self._lease_seconds}

    async def _claim(self, claim: ClaimRequest) -> dict[str, Any]:
        self._check_session(claim.worker_id)
        self.claims.append(claim)
        self.change()
        token = claim.token or self._ids.new_token()
        if claim.slots and not self._again(token):
            await self.until(lambda: bool(self._queue) or self._ends(claim.worker_id), claim.wait_seconds)
            self._check_session(claim.worker_id)
            self._take(token, claim.slots)
        return {"leases": self._again(token)}

    def _ends(self, session: UUID) -> bool:
        drains = bool(self.heartbeats) and self.heartbeats[-1].draining
        return drains or self.session != session

    def _take(self, token: str, slots: int) -> None:
        if self._queue and token in self._used_tokens:
            self._note("It claimed anew with the token of leases that it has had.")
        for _ in range(min(slots, len(self._queue))):
            attempt = self._queue.popleft()
            attempt.given = True
            attempt.lease = attempt.lease.model_copy(update={"token": token})
            self._used_tokens.add(token)

    def _again(self, token: str) -> list[Any]:
        return [
            each.lease.model_dump(mode="json")
            for each in self.attempts
            if each.lives and each.lease.token == token
        ]

    async def _heartbeat(self, heartbeat: Heartbeat) -> dict[str, Any]:
        self._check_session(heartbeat.worker_id)
        self.heartbeats.append(heartbeat)
        for attempt in self.attempts:
            attempt.heartbeats += attempt.lease.token in heartbeat.tokens
        self.change()
        await self.until(
            lambda: self._has_news_for(heartbeat), min(heartbeat.wait_seconds, _LONGEST_HEARTBEAT_SECONDS)
        )
        self._check_session(heartbeat.worker_id)
        living = [each for each in self.attempts if each.lives and each.lease.token in heartbeat.tokens]
        return {
            "living": [_address(each.lease.address) for each in living],
            "stop": [_address(each.lease.address) for each in living if each.stop],
            "drain": self.drain,
        }

    def _has_news_for(self, heartbeat: Heartbeat) -> bool:
        named = [each for each in self.attempts if each.given and each.lease.token in heartbeat.tokens]
        return (
            self.session != heartbeat.worker_id
            or (self.drain and not heartbeat.draining)
            or any(each.dead for each in named)
            or any(each.stop and each.lease.address not in heartbeat.stopping for each in named)
        )

    def _report(self, report: Report) -> dict[str, Any]:
        self._check_session(report.worker_id)
        attempt = self._leased(report.address, report.token)
        attempt.outcome = report.outcome
        token = report.next_token or self._ids.new_token()
        if report.slots:
            self._take(token, report.slots)
        return {"leases": self._again(token) if report.slots else []}

    def _append(self, request: Request) -> dict[str, Any]:
        found = _LOG_PATH.fullmatch(request.path)
        if found is None:
            raise AssertionError("only paths of logs come here")
        address = AttemptAddress(UUID(found[1]), int(found[2]), int(found[3]))
        attempt = self._leased(address, request.headers.get(LEASE_HEADER.lower(), ""))
        data, size = request.body, len(attempt.log)
        said = request.query.get("offset", "")
        offset = int(said) if re.fullmatch(r"[0-9]{1,18}", said) else -1
        if not 0 < len(data) <= _MOST_OF_A_LOG_BYTES:
            self._note(f"It appended {len(data):,} bytes to a log at once; 1 to 1,048,576 are allowed.")
        if offset >= 0 and offset + len(data) <= size and attempt.log[offset : offset + len(data)] == data:
            return {"size_bytes": size}
        if offset != size:
            self._note(f"It appended to a log of {size:,} bytes at the offset {said!r}.")
            raise _RefusalError(HTTPStatus.CONFLICT, "log-offset", "Elsewhere.", expected_offset=size)
        attempt.log += data
        return {"size_bytes": size + len(data)}

    def _leased(self, address: AttemptAddress, token: str) -> Attempt:
        attempt = next((each for each in self.attempts if each.lease.address == address), None)
        if attempt is None or not attempt.given or attempt.lease.token != token:
            self._note("It wrote for an attempt without the token of its lease.")
        if attempt is None or not attempt.lives or attempt.lease.token != token:
            raise _RefusalError(HTTPStatus.CONFLICT, "stale-lease", "The lease is dead.")
        return attempt

    def _check_session(self, session: UUID) -> None:
        if session != self.session:
            raise _RefusalError(HTTPStatus.NOT_FOUND, "worker-not-found", "There is no such session.")

    def _note(self, sentence: str) -> None:
        if sentence not in self.violations:
            self.violations.append(sentence)


def _address(address: AttemptAddress) -> dict[str, Any]:
    return {"run_id": str(address.run_id), "node": address.node, "attempt": address.attempt}
