"""Schedules of pipelines that are kept in repositories."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from integration.kept.conftest import ADDRESS
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.model.schedule import KeptSchedule
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.memory_repositories import MemoryRepository
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.schedules import READ_AGAIN

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MIDNIGHT)


def nightly(step: str, cron: str = "0 1 * * *") -> str:
    return json.dumps({"on": {"schedule": [cron]}, "steps": [{"name": step, "run": "true"}]})


async def make(plane: ControlPlane, repository: MemoryRepository, cron: str = "0 1 * * *") -> Pipeline:
    repository.commit({"lineshaft.yml": nightly("old", cron)})
    return await plane.sources.kept.create("nightly", ConfigFile(ADDRESS))


async def fire(plane: ControlPlane) -> None:
    await plane.schedules.fire_due()
    await plane.schedules.read_all()


async def runs(plane: ControlPlane, pipeline: Pipeline) -> Sequence[Run]:
    return await plane.runs.page(pipeline.id, before=None, limit=100)


async def only(plane: ControlPlane, pipeline: Pipeline) -> KeptSchedule:
    (schedule,) = await plane.schedules.of_pipeline(pipeline.id)
    return schedule


async def test_a_run_does_what_the_file_says_when_its_time_has_come(
    plane: ControlPlane, clock: ManualClock, repository: MemoryRepository
) -> None:
    pipeline = await make(plane, repository)
    newest = repository.commit({"lineshaft.yml": nightly("new")})
    clock.advance(HOUR)

    await fire(plane)

    (run,) = await runs(plane, pipeline)
    assert [place.path for place in run.tree.below_root()] == ["new"]
    assert run.source is not None
    assert (run.source.commit, run.source.branch) == (newest, "main")
    schedule = await only(plane, pipeline)
    assert (schedule.last_at, schedule.last_run) == (MIDNIGHT + HOUR, run.id)
    assert (schedule.next_at, schedule.owed_at) == (MIDNIGHT + DAY + HOUR, None)


async def test_a_repository_that_does_not_answer_is_asked_again_and_the_time_is_not_lost(
    plane: ControlPlane, clock: ManualClock, repository: MemoryRepository
) -> None:
    pipeline = await make(plane, repository)
    repository.answers = False
    clock.advance(HOUR)

    await fire(plane)

    assert await runs(plane, pipeline) == []
    schedule = await only(plane, pipeline)
    assert schedule.last_refusal is not None
    assert (schedule.next_at, schedule.owed_at) == (clock.now() + READ_AGAIN, MIDNIGHT + HOUR)
    repository.answers = True
    clock.advance(READ_AGAIN)
    await fire(plane)
    (run,) = await runs(plane, pipeline)
    schedule = await only(plane, pipeline)
    assert (schedule.last_at, schedule.last_run) == (MIDNIGHT + HOUR, run.id)
    assert (schedule.next_at, schedule.last_refusal) == (MIDNIGHT + DAY + HOUR, None)


async def test_times_that_come_meanwhile_begin_one_run(
    plane: ControlPlane, clock: ManualClock, repository: MemoryRepository
) -> None:
    pipeline = await make(plane, repository, "* * * * *")
    repository.answers = False
    for _ in range(3):
        clock.advance(READ_AGAIN)
        await fire(plane)
    repository.answers = True
    clock.advance(READ_AGAIN)

    await fire(plane)

    assert len(await runs(plane, pipeline)) == 1
    assert (await only(plane, pipeline)).last_at == clock.now()


async def test_a_file_that_cannot_be_read_is_the_schedule_s_refusal(
    plane: ControlPlane, clock: ManualClock, repository: MemoryRepository
) -> None:
    pipeline = await make(plane, repository)
    repository.commit({"lineshaft.yml": "steps: nothing"})
    clock.advance(HOUR)

    await fire(plane)

    assert await runs(plane, pipeline) == []
    schedule = await only(plane, pipeline)
    assert "lineshaft.yml at commit" in str(schedule.last_refusal)
    assert (schedule.next_at, schedule.owed_at) == (MIDNIGHT + DAY + HOUR, None)


async def test_a_run_is_owed_no_more_once_the_schedule_is_gone(
    plane: ControlPlane, clock: ManualClock, repository: MemoryRepository
) -> None:
    pipeline = await make(plane, repository)
    repository.answers = False
    clock.advance(HOUR)
    await fire(plane)
    repository.answers = True
    repository.commit({"lineshaft.yml": json.dumps({"steps": [{"name": "a", "run": "true"}]})})
    await plane.sources.kept.refresh(pipeline.id)
    clock.advance(READ_AGAIN)

    await fire(plane)

    assert await runs(plane, pipeline) == []
