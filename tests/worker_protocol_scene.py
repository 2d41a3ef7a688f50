"""What workers are told to do and say, for tests of the worker protocol."""

from typing import Any
from uuid import UUID

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.outcome import Outcome
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.worker import ClaimRequest, Heartbeat, Hello, LeaseMessage, Report

SUCCEEDED = Outcome(State.SUCCEEDED, exit_code=0)

ONE = "name: one\nsteps: [{name: a, run: make}]\n"


async def start(plane: ControlPlane, text: str = ONE) -> Run:
    """Start a run of a pipeline that is made for it."""
    pipeline = await plane.pipelines.create(read_native(text.encode()))
    return await plane.runs.trigger(pipeline.id)


async def register(protocol: WorkerProtocol, name: str = "w", **offer: Any) -> UUID:
    """Begin a session."""
    hello = Hello(name=name, **{"kinds": frozenset(WorkKind), "slots": 4, **offer})
    return (await protocol.register(hello)).worker_id


async def claim(
    protocol: WorkerProtocol,
    worker_id: UUID,
    slots: int = 4,
    wait_seconds: float = 0,
    *,
    token: str | None = None,
) -> tuple[LeaseMessage, ...]:
    """Ask for attempts."""
    request = ClaimRequest(worker_id=worker_id, slots=slots, wait_seconds=wait_seconds, token=token)
    return (await protocol.claim(request)).leases


def report_on(worker_id: UUID, lease: LeaseMessage, outcome: Outcome = SUCCEEDED, slots: int = 0) -> Report:
    """Say that an attempt has ended."""
    return Report(worker_id=worker_id, address=lease.address, token=lease.token, outcome=outcome, slots=slots)


def beat(worker_id: UUID, *leases: LeaseMessage, **members: Any) -> Heartbeat:
    """Say that a worker lives and holds leases."""
    return Heartbeat(worker_id=worker_id, tokens=frozenset(lease.token for lease in leases), **members)
