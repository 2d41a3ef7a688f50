"""Timers where several processes fire them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from lineshaft.definition import read_definition
from lineshaft.definition.compiling.read import read_native
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store import open_store
from planes import LEASE_TIME


@asynccontextmanager
async def plane_over(url: str, folder: Path, clock: ManualClock) -> AsyncIterator[ControlPlane]:
    ids = RandomIds()
    store = await open_store(url, ids=ids, read_definition=read_definition)
    try:
        yield ControlPlane(store, BlobFolder(folder), clock, ids, check=lambda _: None, lease_time=LEASE_TIME)
    finally:
        await store.close()


async def test_a_timer_that_two_servers_fire_at_once_has_its_effect_once(
    postgres_url: str, tmp_path: Path
) -> None:
    clock = ManualClock()
    async with (
        plane_over(postgres_url, tmp_path, clock) as first,
        plane_over(postgres_url, tmp_path, clock) as second,
    ):
        pipeline = await first.pipelines.create(
            read_native(
                b"name: t\ntimeout: 1m\nparallel: true\nsteps: [{name: a, run: x}, {name: b, run: x}]\n"
            )
        )
        runs = [await first.runs.trigger(pipeline.id) for _ in range(5)]
        clock.advance(timedelta(minutes=1))

        await asyncio.gather(first.timers.fire_due(), second.timers.fire_due())

        for run in runs:
            ended = await second.runs.get(run.id)
            assert ended.state is State.TIMED_OUT
            numbers = [event.number async for event in second.runs.follow(run.id) if event is not None]
            assert numbers == list(range(1, ended.event_count + 1))
        assert await first.timers.fire_due() == 0
