"""What a queue and a history cost, in one process with a database: no HTTP, no worker."""

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

from lineshaft.definition import read_definition, read_native
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store import open_store
from lineshaft.wire.worker import ClaimRequest, Hello, Report
from measure.history import lengthen_history

_ROUNDS: Final = 100
_COLD_ROUNDS: Final = 10
_WARM_UP: Final = 10
_WIDE: Final = 100
_SUCCEEDED: Final = Outcome(State.SUCCEEDED, exit_code=0)
_ALLOW: Final = "concurrency: {policy: allow}\n"


@asynccontextmanager
async def _plane(folder: Path, database_url: str) -> AsyncIterator[ControlPlane]:
    ids = RandomIds()
    store = await open_store(database_url, ids=ids, read_definition=read_definition)
    try:
        yield ControlPlane(
            store,
            BlobFolder(folder),
            SystemClock(),
            ids,
            check=lambda _: None,
            lease_time=timedelta(hours=1),
        )
    finally:
        await store.close()


async def claim_seconds(folder: Path, database_url: str, lengths: Iterable[int]) -> dict[int, float]:
    """Measure a claim of one attempt, at growing lengths of the queue.

    The runs in the queue are alike at every length, and the worker holds nothing when it claims.
    """
    measured = {}
    async with _plane(folder, database_url) as plane:
        worker = await _Worker.register(plane)
        queued = 0
        for length in lengths:
            while queued < length:
                wide = min(_WIDE, length - queued)
                await _queue(plane, wide)
                queued += wide
            spent = [await worker.claim_and_report() for _ in range(min(_ROUNDS, length // 2))]
            queued -= len(spent)
            measured[length] = median(spent)
    return measured


async def cold_claim_seconds(folder: Path, database_url: str, widths: Iterable[int]) -> dict[int, float]:
    """Measure a claim that meets a run which the process has not in memory, by the run's number of nodes.

    Every claim meets another run. Their definition, which they share, is in memory.
    """
    measured = {}
    for width in widths:
        label = f"wide-{width}"
        async with _plane(folder, database_url) as plane:
            for _ in range(_COLD_ROUNDS + 1):
                await _queue(plane, width, label=label)
        async with _plane(folder, database_url) as plane:
            worker = await _Worker.register(plane, label)
            await worker.claim_and_report()
            measured[width] = median([await worker.claim_and_report() for _ in range(_COLD_ROUNDS)])
    return measured


async def run_seconds(folder: Path, database_url: str, histories: Iterable[int]) -> dict[int, float]:
    """Measure a run of one task from trigger to end, with growing numbers of runs in the history.

    Each number is measured by a process that has just opened the database.
    """
    measured = {}
    pipeline_id: UUID | None = None
    for history in histories:
        if pipeline_id is not None:
            await lengthen_history(database_url, history - _WARM_UP)
        async with _plane(folder, database_url) as plane:
            if pipeline_id is None:
                pipeline_id = await _pipeline(plane, "name: short\n", "  - {name: a, run: 'true'}\n")
            worker = await _Worker.register(plane)
            spent = []
            for _ in range(_WARM_UP + _ROUNDS):
                begin = time.perf_counter()
                await plane.runs.trigger(pipeline_id)
                await worker.claim_and_report()
                spent.append(time.perf_counter() - begin)
            measured[history] = median(spent[_WARM_UP:])
            await plane.settle()
    return measured


async def _queue(plane: ControlPlane, wide: int, *, label: str | None = None) -> None:
    labels = "" if label is None else f", labels: [{label}]"
    steps = "".join(f"  - {{name: t{number}, run: 'true'{labels}}}\n" for number in range(wide))
    await plane.runs.trigger(await _pipeline(plane, "name: wide\nparallel: true\n", steps))


async def _pipeline(plane: ControlPlane, head: str, steps: str) -> UUID:
    pipeline = await plane.pipelines.create(read_native(f"{head}{_ALLOW}steps:\n{steps}".encode()))
    return pipeline.id


@dataclass(frozen=True, slots=True)
class _Worker:
    """A worker that takes one attempt at a time."""

    plane: ControlPlane
    request: ClaimRequest

    @classmethod
    async def register(cls, plane: ControlPlane, *labels: str) -> "_Worker":
        hello = Hello(name="bench", kinds=frozenset({WorkKind.RUN}), slots=1, labels=frozenset(labels))
        welcome = await plane.fleet.desk.register(hello)
        return cls(plane, ClaimRequest(worker_id=welcome.worker_id, slots=1))

    async def claim_and_report(self) -> float:
        """Take an attempt and end it, and tell how many seconds the claim has taken."""
        begin = time.perf_counter()
        answer = await self.plane.fleet.desk.claim(self.request)
        spent = time.perf_counter() - begin
        (lease,) = answer.leases
        report = Report(
            worker_id=self.request.worker_id, address=lease.address, token=lease.token, outcome=_SUCCEEDED
        )
        await self.plane.fleet.desk.report(report)
        return spent
