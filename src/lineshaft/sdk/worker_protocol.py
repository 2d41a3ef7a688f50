"""The worker protocol: how whoever does work talks to a server."""

from typing import Protocol

from lineshaft.model.attempt import AttemptAddress
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    Hello,
    LeasesAnswer,
    Report,
    SourceAnswer,
    SourceReport,
    Welcome,
)


class WorkerProtocol(Protocol):
    """The server, as a worker sees it.

    Call order: `register` once; then `claim` and `heartbeat` at any time; for each leased attempt, in order,
    `resolve_source` where its lease names a repository and no commit, `append_log` with ascending offsets,
    `report` once. All methods may be called concurrently for different attempts.

    Every method may raise `UnavailableError` (try again later, with the same arguments), `ForbiddenError` (it
    speaks for what was registered with another key), and `WorkerNotFoundError` where it carries a worker id
    (register again). Repeating a call is safe: a repeated append is recognised by its offset and its bytes, a
    repeated claim by its token, and a repeated report is answered with `StaleLeaseError`, which then means
    that the first one has arrived; a claim with its `next_token` and no slots brings what its answer would
    have. A repeated `register` names no `former` session, since the first may have ended that one.

    So whoever claims keeps to one token until an answer has brought leases, and never claims again with one
    whose leases it has begun to work on.

    No time that a worker tells is asked for: how long its leases live is for the server's clock to say.
    """

    async def register(self, hello: Hello) -> Welcome:
        """Begin a session; one of the same name is ended, and what it held is lost.

        Raises:
            ForbiddenError: the key is for a worker of another name, or the name is at work under another key.
        """
        ...

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        """Ask for attempts, waiting up to `wait_seconds` for the first.

        A worker that drains gets no new ones. While leases live that this session took with the same token,
        it gets those again, with their time begun anew, and nothing else.
        """
        ...

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Prolong leases and hear what is to be stopped, or to drain, waiting up to `wait_seconds` for it."""
        ...

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        """Say which commit the source is at, and hear which one the run works on.

        Raises:
            StaleLeaseError: the lease is dead.
        """
        ...

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append bytes to the attempt's log; when this returns they are durable.

        Args:
            address: which attempt.
            token: of its lease.
            offset: where the data begins in the log, in bytes.
            data: at most 1 MiB.

        Returns:
            The log's size in bytes afterwards.

        Raises:
            StaleLeaseError: the lease is dead.
            LogOffsetError: the data does not begin where the log ends, or differs from what is there.
        """
        ...

    async def report(self, report: Report) -> LeasesAnswer:
        """Tell how an attempt ended, and get new leases for up to `slots` more.

        Raises:
            StaleLeaseError: the lease is dead; the outcome was not taken.
        """
        ...
