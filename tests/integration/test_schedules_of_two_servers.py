"""Schedules where several servers look at them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.definition import Definition
from lineshaft.ports.clock import ManualClock
from planes import temporary_plane

HOUR = timedelta(hours=1)


def hourly(*crons: str, name: str = "hourly") -> Definition:
    document = {"name": name, "on": {"schedule": crons}, "steps": [{"name": "a", "run": "x"}]}
    return read_native(json.dumps(document).encode())


async def test_a_time_that_two_servers_see_at_once_begins_one_run(postgres_url: str, tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
    async with (
        temporary_plane(tmp_path, clock, url=postgres_url) as first,
        temporary_plane(tmp_path, clock, url=postgres_url) as second,
    ):
        definitions = [hourly("0 * * * *", "*/30 * * * *", name=f"p{number}") for number in range(4)]
        pipelines = [await first.pipelines.create(each) for each in definitions]
        for _ in range(3):
            clock.advance(HOUR)

            await asyncio.gather(first.schedules.fire_due(), second.schedules.fire_due())

        for pipeline in pipelines:
            made = await second.runs.page(pipeline.id, before=None, limit=100)
            assert [run.number for run in made] == [6, 5, 4, 3, 2, 1]


async def test_a_time_begins_one_run_while_the_pipeline_is_saved_elsewhere(
    postgres_url: str, tmp_path: Path
) -> None:
    clock = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
    async with (
        temporary_plane(tmp_path, clock, url=postgres_url) as first,
        temporary_plane(tmp_path, clock, url=postgres_url) as second,
    ):
        pipeline = await first.pipelines.create(hourly("0 * * * *"))
        for _ in range(5):
            clock.advance(HOUR)

            await asyncio.gather(
                first.schedules.fire_due(),
                second.pipelines.replace(pipeline.id, hourly("0 * * * *")),
                second.schedules.fire_due(),
            )
            # What was worked out anew while it was being saved may be due still.
            await first.schedules.fire_due()

        assert len(await first.runs.page(pipeline.id, before=None, limit=100)) == 5


async def test_a_server_that_is_back_catches_up_with_one_run(database_url: str, tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
    async with temporary_plane(tmp_path, clock, url=database_url) as plane:
        pipeline = await plane.pipelines.create(hourly("0 * * * *"))
    clock.advance(7 * HOUR + timedelta(minutes=5))

    async with temporary_plane(tmp_path, clock, url=database_url) as plane:
        await plane.schedules.fire_due()
        await plane.schedules.fire_due()

        (schedule,) = await plane.schedules.of_pipeline(pipeline.id)
        (run,) = await plane.runs.page(pipeline.id, before=None, limit=100)
        assert schedule.last_run == run.id
        assert schedule.last_at == datetime(2026, 6, 1, 7, tzinfo=UTC)
        assert schedule.next_at == datetime(2026, 6, 1, 8, tzinfo=UTC)
