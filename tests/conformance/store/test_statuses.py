from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from lineshaft.model.commit_status import CommitStatus, StatusState, StatusTarget, WantedStatus
from lineshaft.ports.store import Transaction
from lineshaft.ports.wakeups import STATUSES
from scene import Scene

LATER = timedelta(minutes=1)


def wanted(
    scene: Scene, node: int = 0, *, connection: str = "hub", run_id: UUID | None = None
) -> WantedStatus:
    return WantedStatus(
        run_id=run_id or scene.ids.new_id(),
        node=node,
        target=StatusTarget(connection, "https://git.example/a/b", "c0ffee"),
        status=CommitStatus(f"lineshaft/shop/{node}", StatusState.PENDING, "Has not begun"),
        version=1,
        due_at=scene.clock.now(),
    )


def changed(status: WantedStatus, *, by: int = 1) -> WantedStatus:
    shown = replace(status.status, state=StatusState.RUNNING, text="Is running")
    return replace(status, status=shown, version=status.version + by)


async def want(scene: Scene, *many: WantedStatus) -> None:
    def work(transaction: Transaction) -> None:
        for each in many:
            transaction.statuses.want(each)

    await scene.store.write(work)


async def take(
    scene: Scene, until: datetime, *, limit: int = 10, passing_over: frozenset[str] = frozenset()
) -> list[WantedStatus]:
    now = scene.clock.now()
    taken = await scene.store.write(
        lambda transaction: transaction.statuses.take(now, until, limit=limit, passing_over=passing_over)
    )
    return list(taken)


async def next_due(scene: Scene, *passing_over: str) -> datetime | None:
    return await scene.look(lambda transaction: transaction.statuses.next_due(passing_over=passing_over))


async def of_run(scene: Scene, run_id: UUID) -> list[WantedStatus]:
    return list(await scene.look(lambda transaction: transaction.statuses.of_run(run_id)))


async def told(scene: Scene, taken: WantedStatus, until: datetime) -> None:
    await scene.store.write(lambda transaction: transaction.statuses.told(taken, until))


async def failed(scene: Scene, taken: WantedStatus, until: datetime, due_at: datetime | None) -> None:
    await scene.store.write(
        lambda transaction: transaction.statuses.failed(taken, until, error="No.", due_at=due_at)
    )


async def test_what_is_wanted_is_taken_as_it_was_wanted(scene: Scene) -> None:
    first = wanted(scene)
    second = wanted(scene, 3, run_id=first.run_id)
    await want(scene, second, first)

    assert await next_due(scene) == scene.clock.now()
    assert await take(scene, scene.clock.now() + LATER) == [first, second]
    assert await of_run(scene, first.run_id) == [first, second]


async def test_a_status_is_wanted_within_its_transaction_already(scene: Scene) -> None:
    first = wanted(scene)

    def work(transaction: Transaction) -> list[WantedStatus]:
        transaction.statuses.want(first)
        return list(transaction.statuses.of_run(first.run_id))

    assert await scene.store.write(work) == [first]


async def test_wanting_wakes_those_who_tell(scene: Scene) -> None:
    with scene.store.wakeups.listen(STATUSES) as listener:
        await want(scene, wanted(scene))

        assert await listener.wait(timedelta(minutes=1))


async def test_nobody_else_takes_what_is_held_before_its_time_is_over(scene: Scene) -> None:
    await want(scene, status := wanted(scene))
    until = scene.clock.now() + LATER
    await take(scene, until)

    assert await take(scene, until) == []
    assert await next_due(scene) == until

    scene.clock.advance(LATER)
    assert await take(scene, scene.clock.now() + LATER) == [status]


async def test_what_was_told_is_due_no_more(scene: Scene) -> None:
    await want(scene, status := wanted(scene))
    until = scene.clock.now() + LATER
    await take(scene, until)

    await told(scene, status, until)

    assert await next_due(scene) is None
    (kept,) = await of_run(scene, status.run_id)
    assert (kept.is_told, kept.told_version, kept.due_at) == (True, 1, None)


async def test_what_has_changed_while_it_was_told_is_due_again_and_not_before(scene: Scene) -> None:
    await want(scene, status := wanted(scene))
    until = scene.clock.now() + LATER
    await take(scene, until)
    newer = changed(status)
    await want(scene, newer)
    assert await take(scene, until) == []

    await told(scene, status, until)

    assert await take(scene, until) == [replace(newer, told_version=1)]


async def test_a_try_in_vain_is_counted_and_due_later(scene: Scene) -> None:
    await want(scene, status := wanted(scene))
    until = scene.clock.now() + LATER
    await take(scene, until)
    due_at = scene.clock.now() + timedelta(seconds=5)

    await failed(scene, status, until, due_at)

    assert await take(scene, until) == []
    assert await next_due(scene) == due_at
    scene.clock.advance(timedelta(seconds=5))
    (again,) = await take(scene, until)
    assert (again.tries, again.last_error, again.is_told) == (1, "No.", False)


async def test_what_is_given_up_is_due_no_more_until_it_changes(scene: Scene) -> None:
    await want(scene, status := wanted(scene))
    until = scene.clock.now() + LATER
    await take(scene, until)
    await failed(scene, status, until, None)
    assert await next_due(scene) is None

    await want(scene, newer := changed(status))

    assert await take(scene, until) == [newer]


async def test_who_holds_it_no_more_has_nothing_to_say(scene: Scene) -> None:
    await want(scene, status := wanted(scene))
    first_until = scene.clock.now() + LATER
    await take(scene, first_until)
    scene.clock.advance(LATER)
    second_until = scene.clock.now() + LATER
    await take(scene, second_until)

    await told(scene, status, first_until)
    await failed(scene, status, first_until, None)

    (kept,) = await of_run(scene, status.run_id)
    assert (kept.told_version, kept.tries, kept.due_at) == (0, 0, status.due_at)
    assert await take(scene, second_until) == []


async def test_what_is_put_back_is_due_at_once(scene: Scene) -> None:
    await want(scene, status := wanted(scene))
    until = scene.clock.now() + LATER
    await take(scene, until)

    await scene.store.write(lambda transaction: transaction.statuses.put_back(status, until))

    assert await take(scene, until) == [status]


async def test_a_connection_that_is_put_off_is_due_later_and_others_are_not(scene: Scene) -> None:
    await want(scene, wanted(scene), other := wanted(scene, connection="lab"))
    pause_ends = scene.clock.now() + timedelta(seconds=90)

    await scene.store.write(lambda transaction: transaction.statuses.put_off("hub", pause_ends))

    assert await take(scene, scene.clock.now() + LATER) == [other]
    assert await next_due(scene, "lab") == pause_ends


async def test_connections_that_are_passed_over_are_neither_taken_nor_waited_for(scene: Scene) -> None:
    await want(scene, wanted(scene), other := wanted(scene, connection="lab"))
    until = scene.clock.now() + LATER

    assert await take(scene, until, passing_over=frozenset({"hub"})) == [other]
    assert await next_due(scene, "hub", "lab") is None


async def test_the_oldest_are_taken_first(scene: Scene) -> None:
    await want(scene, first := wanted(scene))
    scene.clock.advance(timedelta(seconds=1))
    await want(scene, second := wanted(scene, 1))
    until = scene.clock.now() + LATER

    assert await take(scene, until, limit=1) == [first]
    assert await take(scene, until, limit=1) == [second]


async def want_first(scene: Scene, *many: WantedStatus) -> None:
    def work(transaction: Transaction) -> None:
        for each in many:
            transaction.statuses.want_first(each)

    await scene.store.write(work)


async def test_an_older_run_is_told_no_more_in_the_place_of_a_newer_one(scene: Scene) -> None:
    await want_first(scene, old := wanted(scene))
    await want_first(scene, new := wanted(scene))
    await want(scene, changed(old))
    until = scene.clock.now() + LATER

    assert await take(scene, until) == [new]
    await told(scene, new, until)

    assert await next_due(scene) is None
    (kept,) = await of_run(scene, old.run_id)
    assert (kept.is_told, kept.due_at) == (False, None)
    assert f"{new.run_id}, which is newer" in (kept.last_error or "")


async def test_of_two_that_are_made_in_one_transaction_the_later_counts(scene: Scene) -> None:
    later_id, earlier_id = (scene.ids.new_id() for _ in range(2))
    first, second = wanted(scene, run_id=earlier_id), wanted(scene, run_id=later_id)

    await want_first(scene, first, second)

    assert await take(scene, scene.clock.now() + LATER) == [second]


async def test_what_the_newer_one_does_not_show_is_still_told_of_the_older(scene: Scene) -> None:
    old = wanted(scene)
    await want_first(scene, old, other_node := wanted(scene, 3, run_id=old.run_id))
    elsewhere = [
        replace(wanted(scene), target=replace(old.target, commit="beef")),
        replace(wanted(scene), target=replace(old.target, repository="https://git.example/a/c")),
        wanted(scene, connection="lab"),
    ]
    await want_first(scene, *elsewhere)
    await want_first(scene, new := wanted(scene))

    taken = await take(scene, scene.clock.now() + LATER)

    assert {each.run_id for each in taken} == {each.run_id for each in (*elsewhere, new, other_node)}
    assert [each.node for each in taken if each.run_id == old.run_id] == [3]


async def test_the_newer_one_waits_while_the_older_is_being_told(scene: Scene) -> None:
    await want_first(scene, old := wanted(scene))
    until = scene.clock.now() + LATER
    assert await take(scene, until) == [old]
    await want_first(scene, new := wanted(scene))

    assert await take(scene, until) == []
    await told(scene, old, until)

    assert await take(scene, until) == [new]


async def test_the_newer_one_waits_no_longer_than_whoever_tells_the_older_may(scene: Scene) -> None:
    await want_first(scene, wanted(scene))
    await take(scene, scene.clock.now() + LATER)
    await want_first(scene, new := wanted(scene))

    scene.clock.advance(LATER)

    assert await take(scene, scene.clock.now() + LATER) == [new]
    assert await take(scene, scene.clock.now() + LATER) == []


async def test_an_older_one_that_fails_while_a_newer_waits_is_not_tried_again(scene: Scene) -> None:
    await want_first(scene, old := wanted(scene))
    until = scene.clock.now() + LATER
    await take(scene, until)
    await want_first(scene, new := wanted(scene))
    await failed(scene, old, until, scene.clock.now())

    assert await take(scene, until) == [new]
    await told(scene, new, until)
    assert await next_due(scene) is None
