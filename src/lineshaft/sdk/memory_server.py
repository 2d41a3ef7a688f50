"""A server in memory that gives one attempt to a worker: for tests of those who do work, without a server."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import LogOffsetError, StaleLeaseError
from lineshaft.model.outcome import Outcome
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    Hello,
    LeaseMessage,
    LeasesAnswer,
    Report,
    SourceAnswer,
    SourceReport,
    Welcome,
)

_LEASE_SECONDS: Final = 3600.0
_SESSION: Final = UUID(int=(0x7 << 76) | (0x2 << 62) | 1)


class MemoryServer:
    """Speaks `sdk.worker_protocol.WorkerProtocol` over one attempt, by the rules of a server.

    Messages pass through their JSON, so that what arrives is what would have arrived elsewhere.

    Attributes:
        log: what the attempt has written.
        outcome: how it ended; None as long as it has not.
        ended: is set when it has.
    """

    def __init__(self, lease: LeaseMessage, on_log: Callable[[bytes], None] = lambda _: None) -> None:
        """Give out a lease.

        Args:
            lease: on the attempt.
            on_log: hears of the whole log, each time it has grown.
        """
        self.log = b""
        self.outcome: Outcome | None = None
        self.ended = asyncio.Event()
        self._lease = lease
        self._on_log = on_log
        self._given = False
        self._stopping = False
        self._draining = False
        self._worker_drains = False
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """Have the worker told to stop the attempt."""
        self._stopping = True
        self._change()

    def drain(self) -> None:
        """Have the worker told to take no more."""
        self._draining = True
        self._change()

    async def register(self, hello: Hello) -> Welcome:
        """Begin the session."""
        Hello.model_validate_json(hello.model_dump_json())
        return Welcome(worker_id=_SESSION, lease_seconds=_LEASE_SECONDS)

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        """Give the attempt, once; then there is nothing, which takes until the worker says that it drains."""
        if request.slots and not self._given:
            self._given = True
            lease = self._lease.model_copy(update={"token": request.token or self._lease.token})
            self._lease = LeaseMessage.model_validate_json(lease.model_dump_json())
            self._change()
            return LeasesAnswer(leases=(self._lease,))
        while request.slots and not self._worker_drains:
            await self._changed.wait()
        return LeasesAnswer()

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Wait until there is something to tell that the worker does not know."""
        if heartbeat.draining:
            self._worker_drains = True
            self._change()
        with suppress(TimeoutError):
            async with asyncio.timeout(heartbeat.wait_seconds):
                while not self._has_news_for(heartbeat):
                    await self._changed.wait()
        living = frozenset({self._lease.address}) if self._lives() else frozenset[AttemptAddress]()
        stop = living if self._stopping else frozenset[AttemptAddress]()
        return HeartbeatAnswer(living=living, stop=stop, drain=self._draining)

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        """Take the first commit that is said."""
        self._check(report.address, report.token)
        return SourceAnswer(commit=report.commit)

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append to the log."""
        self._check(address, token)
        if self.log[offset : offset + len(data)] == data and offset + len(data) <= len(self.log):
            return len(self.log)
        if offset != len(self.log):
            raise LogOffsetError(len(self.log))
        self.log += data
        self._on_log(self.log)
        return len(self.log)

    async def report(self, report: Report) -> LeasesAnswer:
        """Take how the attempt ended."""
        self._check(report.address, report.token)
        self.outcome = Report.model_validate_json(report.model_dump_json()).outcome
        self.ended.set()
        self._change()
        return LeasesAnswer()

    def _check(self, address: AttemptAddress, token: str) -> None:
        if self.outcome is not None or (address, token) != (self._lease.address, self._lease.token):
            raise StaleLeaseError("The lease is dead.")

    def _has_news_for(self, heartbeat: Heartbeat) -> bool:
        told = self._lease.address in heartbeat.stopping
        return (self._lives() and self._stopping and not told) or (self._draining and not heartbeat.draining)

    def _lives(self) -> bool:
        return self._given and self.outcome is None

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
