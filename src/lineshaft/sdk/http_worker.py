"""The worker protocol over HTTP: the adapter for workers on other machines than the server's."""

from lineshaft.model.attempt import AttemptAddress
from lineshaft.sdk.worker_connection import WorkerConnection, read_message
from lineshaft.wire.message import LEASE_HEADER
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


class HttpWorker(WorkerConnection):
    """Speaks `sdk.worker_protocol.WorkerProtocol` to a server elsewhere.

    Besides what the protocol names, every method may raise what every call of a `WorkerConnection` may. Close
    it, or use it as a context manager.
    """

    async def register(self, hello: Hello) -> Welcome:
        """Begin a session; one of the same name is ended, and what it held is lost."""
        return await self.post("/register", hello, Welcome)

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        """Ask for attempts, waiting up to `wait_seconds` for the first."""
        return await self.post("/claim", request, LeasesAnswer, wait_seconds=request.wait_seconds)

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Prolong leases and hear what is to be stopped, waiting up to `wait_seconds` for news of that."""
        return await self.post("/heartbeat", heartbeat, HeartbeatAnswer, wait_seconds=heartbeat.wait_seconds)

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        """Say which commit the source is at, and hear which one the run works on."""
        return await self.post("/source", report, SourceAnswer)

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append bytes to the attempt's log; when this returns they are durable."""
        answer = await self.request(
            "PUT",
            f"/runs/{address.run_id}/nodes/{address.node}/attempts/{address.attempt}/log",
            params={"offset": str(offset)},
            headers={LEASE_HEADER: token, "Content-Type": "application/octet-stream"},
            content=data,
        )
        return read_message(answer, LogAnswer).size_bytes

    async def report(self, report: Report) -> LeasesAnswer:
        """Tell how an attempt ended, and get new leases for up to `slots` more."""
        return await self.post("/report", report, LeasesAnswer)
