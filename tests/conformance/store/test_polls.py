"""Polls: taken by one, and written by who has taken them."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from lineshaft.model.poll import KeptPoll
from lineshaft.ports.wakeups import POLLS
from scene import Scene

MINUTE = timedelta(minutes=1)
SEEN = {"refs/heads/main": "a" * 40, "refs/tags/v1": "b" * 40}


async def put(scene: Scene, after: timedelta = timedelta()) -> KeptPoll:
    poll = KeptPoll(scene.ids.new_id(), scene.clock.now() + after)
    await scene.store.write(lambda transaction: transaction.polls.put(poll))
    return poll


async def get(scene: Scene, pipeline_id: UUID) -> KeptPoll | None:
    return await scene.look(lambda transaction: transaction.polls.get(pipeline_id))


async def take(scene: Scene, limit: int = 10) -> list[KeptPoll]:
    now = scene.clock.now()
    return list(await scene.store.write(lambda transaction: transaction.polls.take(now, now + MINUTE, limit)))


async def note(scene: Scene, taken: KeptPoll, poll: KeptPoll) -> bool:
    return await scene.store.write(lambda transaction: transaction.polls.note(taken, poll))


async def next_due(scene: Scene) -> datetime | None:
    return await scene.look(lambda transaction: transaction.polls.next_due())


async def test_there_is_no_poll_at_first(scene: Scene) -> None:
    assert await take(scene) == []
    assert await next_due(scene) is None
    assert await get(scene, scene.ids.new_id()) is None


async def test_a_poll_is_kept_as_it_was_given(scene: Scene) -> None:
    poll = await put(scene)
    assert await get(scene, poll.pipeline_id) == poll
    other = replace(poll, seen=SEEN, failures=3, last_at=scene.clock.now(), last_error="No answer.")

    await scene.store.write(lambda transaction: transaction.polls.put(other))

    assert await get(scene, poll.pipeline_id) == other


async def test_nothing_seen_is_something_else_than_never_looked(scene: Scene) -> None:
    poll = replace(await put(scene), seen={})
    await scene.store.write(lambda transaction: transaction.polls.put(poll))

    found = await get(scene, poll.pipeline_id)

    assert found is not None
    assert found.seen == {}


async def test_a_poll_that_is_due_is_taken_once(scene: Scene) -> None:
    poll = await put(scene, MINUTE)
    assert await take(scene) == []
    assert await next_due(scene) == poll.next_at
    scene.clock.advance(MINUTE)

    assert await take(scene) == [replace(poll, next_at=scene.clock.now() + MINUTE)]

    assert await take(scene) == []


async def test_no_more_are_taken_than_asked_for_and_those_that_are_due_longest(scene: Scene) -> None:
    polls = [await put(scene, minutes * MINUTE) for minutes in (3, 1, 2)]
    scene.clock.advance(9 * MINUTE)

    taken = await take(scene, 2)

    assert {each.pipeline_id for each in taken} == {polls[1].pipeline_id, polls[2].pipeline_id}


async def test_who_has_taken_a_poll_writes_what_came_of_it(scene: Scene) -> None:
    await put(scene)
    (taken,) = await take(scene)
    after = replace(taken, next_at=taken.next_at + MINUTE, seen=SEEN, last_at=scene.clock.now())

    assert await note(scene, taken, after)

    assert await get(scene, taken.pipeline_id) == after


async def test_who_was_too_slow_writes_nothing(scene: Scene) -> None:
    await put(scene)
    (first,) = await take(scene)
    scene.clock.advance(MINUTE)
    (second,) = await take(scene)

    assert not await note(scene, first, replace(first, seen=SEEN))

    assert await get(scene, first.pipeline_id) == second


async def test_what_was_removed_or_replaced_is_not_written_over(scene: Scene) -> None:
    removed, replaced = await put(scene), await put(scene)
    taken = {each.pipeline_id: each for each in await take(scene)}
    await scene.store.write(lambda transaction: transaction.polls.remove(removed.pipeline_id))
    await scene.store.write(lambda transaction: transaction.polls.put(replaced))

    for each in taken.values():
        assert not await note(scene, each, replace(each, seen=SEEN))

    assert await get(scene, removed.pipeline_id) is None
    assert await get(scene, replaced.pipeline_id) == replaced


async def test_a_poll_that_was_put_or_noted_wakes_those_who_wait(scene: Scene) -> None:
    with scene.store.wakeups.listen(POLLS) as listener:
        await put(scene)
        assert await listener.wait(MINUTE)
        (taken,) = await take(scene)
        await note(scene, taken, replace(taken, next_at=scene.clock.now()))
        assert await listener.wait(MINUTE)
