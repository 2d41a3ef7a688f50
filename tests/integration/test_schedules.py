"""Schedules: what begins when, and that it begins once."""

import json
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.cause import Cause
from lineshaft.model.definition import Definition
from lineshaft.model.errors import PipelineNotFoundError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.model.schedule import KeptSchedule
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.wakeups import QUEUE
from lineshaft.services.control_plane import ControlPlane
from planes import temporary_plane

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def nightly(*schedules: str | dict[str, Any], name: str = "nightly", **more: Any) -> Definition:
    """A pipeline with schedules, and with more keys of the language."""
    document = {"name": name, "on": {"schedule": schedules}, "steps": [{"name": "a", "run": "x"}], **more}
    return read_native(json.dumps(document).encode())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MIDNIGHT)


@pytest.fixture
async def plane(database_url: str, tmp_path: Path, clock: ManualClock) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock, url=database_url) as opened:
        yield opened


async def runs(plane: ControlPlane, pipeline: Pipeline) -> Sequence[Run]:
    """List a pipeline's runs, the oldest first."""
    return list(reversed(await plane.runs.page(pipeline.id, before=None, limit=100)))


async def only(plane: ControlPlane, pipeline: Pipeline) -> KeptSchedule:
    (schedule,) = await plane.schedules.of_pipeline(pipeline.id)
    return schedule


async def test_a_pipeline_starts_at_its_time_and_no_sooner(plane: ControlPlane, clock: ManualClock) -> None:
    pipeline = await plane.pipelines.create(nightly("0 3 * * *"))
    clock.advance(3 * HOUR - timedelta(seconds=1))
    assert await plane.schedules.fire_due() == 0
    clock.advance(timedelta(seconds=1))

    assert await plane.schedules.fire_due() == 1

    (run,) = await runs(plane, pipeline)
    assert run.cause is Cause.SCHEDULE
    assert await only(plane, pipeline) == KeptSchedule(
        pipeline_id=pipeline.id,
        position=0,
        cron="0 3 * * *",
        timezone="UTC",
        next_at=MIDNIGHT + DAY + 3 * HOUR,
        worked_out_at=clock.now(),
        last_at=MIDNIGHT + 3 * HOUR,
        last_run=run.id,
    )
    assert await plane.schedules.fire_due() == 0


async def test_a_schedule_goes_by_the_clock_of_its_zone(plane: ControlPlane) -> None:
    pipeline = await plane.pipelines.create(nightly({"cron": "0 3 * * *", "timezone": "Europe/Berlin"}))

    assert (await only(plane, pipeline)).next_at == MIDNIGHT + HOUR


async def test_each_schedule_gives_its_own_inputs(plane: ControlPlane, clock: ManualClock) -> None:
    definition = nightly(
        "0 1 * * *",
        {"cron": "0 2 * * *", "inputs": {"level": "full"}},
        inputs={"level": {"default": "fast"}},
    )
    pipeline = await plane.pipelines.create(definition)
    for _ in range(2):
        clock.advance(HOUR)
        await plane.schedules.fire_due()

    assert [run.inputs for run in await runs(plane, pipeline)] == [{"level": "fast"}, {"level": "full"}]


async def test_schedules_of_one_time_begin_a_run_each(plane: ControlPlane, clock: ManualClock) -> None:
    pipeline = await plane.pipelines.create(nightly("0 1 * * *", "0 1 * * *", "*/30 1 * * *"))
    clock.advance(HOUR)

    assert await plane.schedules.fire_due() == 3

    assert len(await runs(plane, pipeline)) == 3


async def test_many_pipelines_start_at_one_time(plane: ControlPlane, clock: ManualClock) -> None:
    pipelines = [await plane.pipelines.create(nightly("0 1 * * *", name=f"p{number}")) for number in range(9)]
    clock.advance(HOUR)

    await plane.schedules.fire_due()

    assert [len(await runs(plane, pipeline)) for pipeline in pipelines] == [1] * 9


async def test_missed_times_are_caught_up_with_one_run_for_the_newest(
    plane: ControlPlane, clock: ManualClock
) -> None:
    pipeline = await plane.pipelines.create(nightly("0 * * * *"))
    clock.advance(5 * DAY + timedelta(minutes=30))

    assert await plane.schedules.fire_due() == 1

    assert len(await runs(plane, pipeline)) == 1
    schedule = await only(plane, pipeline)
    assert (schedule.last_at, schedule.next_at) == (MIDNIGHT + 5 * DAY, MIDNIGHT + 5 * DAY + HOUR)
    assert await plane.schedules.fire_due() == 0


async def test_a_time_that_was_missed_a_day_ago_is_caught_up(plane: ControlPlane, clock: ManualClock) -> None:
    pipeline = await plane.pipelines.create(nightly("0 3 1 6 *"))
    clock.advance(DAY + 3 * HOUR)

    await plane.schedules.fire_due()

    assert (await only(plane, pipeline)).last_at == MIDNIGHT + 3 * HOUR


async def test_a_time_that_was_missed_longer_ago_is_passed_over(
    plane: ControlPlane, clock: ManualClock
) -> None:
    pipeline = await plane.pipelines.create(nightly("0 3 1 6 *"))
    clock.advance(DAY + 3 * HOUR + timedelta(seconds=1))

    await plane.schedules.fire_due()

    assert await runs(plane, pipeline) == []
    schedule = await only(plane, pipeline)
    assert (schedule.last_at, schedule.next_at) == (None, datetime(2027, 6, 1, 3, tzinfo=UTC))


async def test_replacing_a_pipeline_replaces_its_schedules(plane: ControlPlane, clock: ManualClock) -> None:
    pipeline = await plane.pipelines.create(nightly("0 1 * * *", "0 5 * * *"))
    await plane.pipelines.replace(pipeline.id, nightly("0 2 * * *"))
    clock.advance(HOUR)
    await plane.schedules.fire_due()
    assert await runs(plane, pipeline) == []
    clock.advance(HOUR)

    await plane.schedules.fire_due()

    assert len(await runs(plane, pipeline)) == 1


async def test_a_schedule_that_stays_goes_on_as_it_stands(plane: ControlPlane, clock: ManualClock) -> None:
    pipeline = await plane.pipelines.create(nightly("0 1 * * *", "0 2 * * *"))
    clock.advance(HOUR)
    await plane.schedules.fire_due()
    _, due = await plane.schedules.of_pipeline(pipeline.id)
    clock.advance(HOUR)

    await plane.pipelines.replace(pipeline.id, nightly("0 2 * * *", "0 4 * * *"))

    first, second = await plane.schedules.of_pipeline(pipeline.id)
    assert (first.cron, first.next_at, first.position) == (due.cron, due.next_at, 0)
    assert second.next_at == MIDNIGHT + 4 * HOUR
    assert await plane.schedules.fire_due() == 1
    assert len(await runs(plane, pipeline)) == 2


async def test_a_pipeline_without_schedules_keeps_none(plane: ControlPlane, clock: ManualClock) -> None:
    pipeline = await plane.pipelines.create(nightly("0 1 * * *"))
    await plane.pipelines.replace(pipeline.id, nightly())

    clock.advance(HOUR)

    assert await plane.schedules.fire_due() == 0
    assert await plane.schedules.of_pipeline(pipeline.id) == []


async def test_a_deleted_pipeline_starts_no_more(plane: ControlPlane, clock: ManualClock) -> None:
    pipeline = await plane.pipelines.create(nightly("0 1 * * *"))
    await plane.pipelines.delete(pipeline.id)
    clock.advance(HOUR)

    assert await plane.schedules.fire_due() == 0
    with pytest.raises(PipelineNotFoundError):
        await plane.schedules.of_pipeline(pipeline.id)


async def test_a_run_whose_secrets_are_missing_tells_so_at_the_schedule(
    plane: ControlPlane, clock: ManualClock
) -> None:
    pipeline = await plane.pipelines.create(nightly("0 1 * * *", secrets=["TOKEN"]))
    clock.advance(HOUR)

    await plane.schedules.fire_due()

    (run,) = await runs(plane, pipeline)
    schedule = await only(plane, pipeline)
    assert run.state is State.FAILED
    assert schedule.last_run == run.id
    assert "TOKEN" in (schedule.last_refusal or "")


async def test_a_run_that_cannot_begin_tells_why_and_the_next_one_may(
    plane: ControlPlane, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    group = {"policy": "queue", "group": "${{ inputs.a }}"}
    refused = nightly("0 1 * * *", inputs={"a": {"required": False}}, concurrency=group)
    pipeline = await plane.pipelines.create(refused)
    clock.advance(HOUR)

    with caplog.at_level(logging.WARNING, "lineshaft.schedules"):
        await plane.schedules.fire_due()

    assert await runs(plane, pipeline) == []
    schedule = await only(plane, pipeline)
    assert (schedule.last_at, schedule.last_run) == (MIDNIGHT + HOUR, None)
    assert schedule.last_refusal
    assert schedule.last_refusal in caplog.text
    given = nightly("0 1 * * *", inputs={"a": {"default": "b"}}, concurrency=group)
    await plane.pipelines.replace(pipeline.id, given)
    clock.advance(DAY)
    await plane.schedules.fire_due()
    (run,) = await runs(plane, pipeline)
    schedule = await only(plane, pipeline)
    assert (schedule.last_run, schedule.last_refusal) == (run.id, None)


async def test_a_clock_that_is_set_back_a_little_repeats_nothing(
    plane: ControlPlane, clock: ManualClock
) -> None:
    pipeline = await plane.pipelines.create(nightly("0 1 * * *"))
    clock.advance(HOUR)
    await plane.schedules.fire_due()
    clock.advance(timedelta(minutes=-20))
    assert await plane.schedules.fire_due() == 0
    clock.advance(timedelta(minutes=30))

    assert await plane.schedules.fire_due() == 0

    assert len(await runs(plane, pipeline)) == 1


async def test_a_clock_that_was_years_ahead_holds_nothing_up(plane: ControlPlane, clock: ManualClock) -> None:
    clock.advance(2_000 * DAY)
    pipeline = await plane.pipelines.create(nightly("0 1 * * *"))
    clock.advance(-2_000 * DAY)

    assert await plane.schedules.fire_due() == 1

    assert (await only(plane, pipeline)).next_at == MIDNIGHT + HOUR
    assert await runs(plane, pipeline) == []
    clock.advance(HOUR)
    assert await plane.schedules.fire_due() == 1
    assert len(await runs(plane, pipeline)) == 1


@pytest.mark.parametrize(
    ("zone", "noon_before"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 7, 18, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 4, tzinfo=UTC)),
    ],
)
async def test_a_night_in_which_the_clock_is_set_has_one_nightly_run(
    plane: ControlPlane, clock: ManualClock, zone: str, noon_before: datetime
) -> None:
    clock.advance(noon_before - clock.now())
    pipeline = await plane.pipelines.create(nightly({"cron": "15 2 * * *", "timezone": zone}))

    for _ in range(24 * 4):
        clock.advance(timedelta(minutes=15))
        await plane.schedules.fire_due()

    assert len(await runs(plane, pipeline)) == 1


async def test_the_service_waits_for_the_time_and_hears_of_new_pipelines(
    plane: ControlPlane, clock: ManualClock
) -> None:
    async with plane.running():
        pipeline = await plane.pipelines.create(nightly("0 1 * * *"))
        clock.advance(HOUR)
        with plane.store.wakeups.listen(QUEUE) as listener:
            # Each new schedule wakes whoever waits, who then sees what is due.
            await plane.pipelines.create(nightly("0 5 * * *", name="other"))
            while not await runs(plane, pipeline):
                await listener.wait(HOUR)
