"""Schedules: which are due, and what is kept of them."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from lineshaft.model.schedule import KeptSchedule
from lineshaft.ports.wakeups import SCHEDULES
from scene import Scene

HOUR = timedelta(hours=1)


def schedule(scene: Scene, pipeline_id: UUID, position: int = 0, *, after: timedelta = HOUR) -> KeptSchedule:
    now = scene.clock.now()
    return KeptSchedule(pipeline_id, position, "0 3 * * *", "UTC", now + after, now)


async def put(scene: Scene, pipeline_id: UUID, *schedules: KeptSchedule) -> None:
    await scene.store.write(lambda transaction: transaction.schedules.put(pipeline_id, schedules))


async def kept(scene: Scene, pipeline_id: UUID) -> list[KeptSchedule]:
    return list(await scene.look(lambda transaction: transaction.schedules.of_pipeline(pipeline_id)))


async def due(scene: Scene, most: int = 100) -> list[KeptSchedule]:
    now = scene.clock.now()
    return list(await scene.look(lambda transaction: transaction.schedules.due(now, now + HOUR, most)))


async def test_there_is_no_schedule_at_first(scene: Scene) -> None:
    assert await due(scene) == []
    assert await kept(scene, scene.ids.new_id()) == []
    assert await scene.look(lambda transaction: transaction.schedules.next_due()) is None


async def test_schedules_are_kept_as_they_were_given_by_position(scene: Scene) -> None:
    pipeline, run = scene.ids.new_id(), scene.ids.new_id()
    first = replace(schedule(scene, pipeline), last_at=scene.clock.now(), last_run=run)
    second = replace(schedule(scene, pipeline, 1), next_at=None, last_refusal="No.", timezone="Asia/Tokyo")

    await put(scene, pipeline, second, first)

    assert await kept(scene, pipeline) == [first, second]


async def test_new_schedules_take_the_place_of_those_of_the_same_pipeline_only(scene: Scene) -> None:
    one, other = scene.ids.new_id(), scene.ids.new_id()
    await put(scene, one, schedule(scene, one), schedule(scene, one, 1))
    await put(scene, other, schedule(scene, other))

    await put(scene, one, schedule(scene, one, after=2 * HOUR))

    assert await kept(scene, one) == [schedule(scene, one, after=2 * HOUR)]
    assert await kept(scene, other) == [schedule(scene, other)]
    await put(scene, other)
    assert await kept(scene, other) == []


async def test_a_schedule_is_due_from_its_time_on(scene: Scene) -> None:
    pipeline = scene.ids.new_id()
    expected = schedule(scene, pipeline)
    await put(scene, pipeline, expected)
    scene.clock.advance(HOUR - timedelta(microseconds=1))
    assert await due(scene) == []

    scene.clock.advance(timedelta(microseconds=1))

    assert await due(scene) == [expected]
    assert await scene.look(lambda transaction: transaction.schedules.next_due()) == expected.next_at


async def test_what_is_due_longest_comes_first_and_no_more_than_asked_for(scene: Scene) -> None:
    pipelines = [scene.ids.new_id() for _ in range(3)]
    for pipeline, hours in zip(pipelines, (3, 1, 2), strict=True):
        await put(scene, pipeline, schedule(scene, pipeline, after=hours * HOUR))
    scene.clock.advance(9 * HOUR)

    assert [each.pipeline_id for each in await due(scene, 2)] == [pipelines[1], pipelines[2]]


async def test_what_a_clock_that_was_ahead_has_worked_out_is_listed_too(scene: Scene) -> None:
    pipeline = scene.ids.new_id()
    ahead = replace(schedule(scene, pipeline), next_at=None, worked_out_at=scene.clock.now() + 2 * HOUR)
    await put(scene, pipeline, ahead)
    assert await due(scene) == [ahead]

    await put(scene, pipeline, replace(ahead, worked_out_at=scene.clock.now() + HOUR))

    assert await due(scene) == []


async def test_a_schedule_is_moved_where_it_is(scene: Scene) -> None:
    pipeline = scene.ids.new_id()
    first, second = schedule(scene, pipeline), schedule(scene, pipeline, 1)
    await put(scene, pipeline, first, second)
    moved = replace(second, next_at=None, last_at=scene.clock.now(), last_refusal="No.")

    await scene.store.write(lambda transaction: transaction.schedules.move(moved))

    assert await kept(scene, pipeline) == [first, moved]


async def test_moving_a_schedule_that_is_no_more_makes_none(scene: Scene) -> None:
    pipeline = scene.ids.new_id()

    await scene.store.write(lambda transaction: transaction.schedules.move(schedule(scene, pipeline)))

    assert await kept(scene, pipeline) == []


async def test_new_schedules_wake_who_waits_for_them(scene: Scene) -> None:
    pipeline = scene.ids.new_id()
    with scene.store.wakeups.listen(SCHEDULES) as listener:
        await put(scene, pipeline, schedule(scene, pipeline))

        assert await listener.wait(HOUR)


async def test_reading_changes_no_schedule(scene: Scene) -> None:
    pipeline = scene.ids.new_id()
    with pytest.raises(TypeError):
        await scene.look(lambda transaction: transaction.schedules.move(schedule(scene, pipeline)))
