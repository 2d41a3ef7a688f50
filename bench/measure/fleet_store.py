"""What a queue and a history cost, in one process with a database: no HTTP, no worker."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

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

_ROUNDS: Final = 100
_AT_ONCE: Final = 200
_WIDE: Final = 1_000
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
    """Measure a claim of one attempt, at growing lengths of the queue."""
    measured = {}
    async with _plane(folder, database_url) as plane:
        welcome = await plane.desk.register(_hello(slots=10_000))
        request = ClaimRequest(worker_id=welcome.worker_id, slots=1)
        queued = 0
        for length in lengths:
            while queued < length:
                wide = min(_WIDE, length - queued)
                await _queue(plane, wide)
                queued += wide
            spent = []
            for _ in range(min(_ROUNDS, length // 2)):
                begin = time.perf_counter()
                answer = await plane.desk.claim(request)
                spent.append(time.perf_counter() - begin)
                queued -= len(answer.leases)
            measured[length] = median(spent)
    return measured


async def _queue(plane: ControlPlane, wide: int) -> None:
    steps = "".join(f"  - {{name: t{number}, run: 'true'}}\n" for number in range(wide))
    text = f"name: wide\n{_ALLOW}parallel: true\nsteps:\n{steps}"
    pipeline = await plane.pipelines.create(read_native(text.encode()))
    await plane.runs.trigger(pipeline.id)


async def run_seconds(folder: Path, database_url: str, histories: Iterable[int]) -> dict[int, float]:
    """Measure a run of one task from trigger to end, with growing numbers of runs in the history."""
    measured = {}
    async with _plane(folder, database_url) as plane:
        text = f"name: short\n{_ALLOW}steps: [{{name: a, run: 'true'}}]\n"
        pipeline = await plane.pipelines.create(read_native(text.encode()))
        welcome = await plane.desk.register(_hello(slots=10_000))
        request = ClaimRequest(worker_id=welcome.worker_id, slots=_AT_ONCE)

        async def through(count: int) -> None:
            await asyncio.gather(*(plane.runs.trigger(pipeline.id) for _ in range(count)))
            leases = (await plane.desk.claim(request)).leases
            reports = [
                Report(
                    worker_id=welcome.worker_id, address=each.address, token=each.token, outcome=_SUCCEEDED
                )
                for each in leases
            ]
            await asyncio.gather(*(plane.desk.report(report) for report in reports))

        ended = 0
        for history in histories:
            while ended < history:
                count = min(_AT_ONCE, history - ended)
                await through(count)
                ended += count
            await plane.settle()
            spent = []
            for _ in range(_ROUNDS):
                begin = time.perf_counter()
                await through(1)
                spent.append(time.perf_counter() - begin)
            ended += _ROUNDS
            measured[history] = median(spent)
    return measured


def _hello(*, slots: int) -> Hello:
    return Hello(name="bench", kinds=frozenset({WorkKind.RUN}), slots=slots)
