"""Deliveries: kept once, taken by one, noted when they are done with."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from lineshaft.model.change import Change, ChangeKind, PullRequest, PullRequestAction
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState, Outcome
from lineshaft.ports.store import Transaction
from lineshaft.ports.wakeups import DELIVERIES
from scene import Scene

MINUTE = timedelta(minutes=1)
PUSH = Change(ChangeKind.PUSH, ("https://git.example/team/shop",), "refs/heads/main", "a" * 40)


def delivery(
    scene: Scene, remote_id: str = "1", *, source: DeliverySource = DeliverySource.GITHUB
) -> Delivery:
    return Delivery(scene.ids.new_id(), source, "hub", remote_id, "push", scene.clock.now(), (PUSH,))


async def add(scene: Scene, *deliveries: Delivery) -> list[Delivery]:
    return [await scene.store.write(adding(each)) for each in deliveries]


def adding(delivery: Delivery) -> Callable[[Transaction], Delivery]:
    return lambda transaction: transaction.deliveries.add(delivery)


async def get(scene: Scene, delivery_id: UUID) -> Delivery | None:
    return await scene.look(lambda transaction: transaction.deliveries.get(delivery_id))


async def take(scene: Scene, limit: int = 10, lasting: timedelta = MINUTE) -> list[UUID]:
    now = scene.clock.now()
    taken = await scene.store.write(lambda it: it.deliveries.take(now, now + lasting, limit))
    return [each.id for each in taken]


async def page(
    scene: Scene,
    *,
    pipeline_id: UUID | None = None,
    visible: Collection[UUID] | None = None,
    before: UUID | None = None,
    limit: int = 10,
) -> list[Delivery]:
    return list(
        await scene.look(
            lambda it: it.deliveries.page(
                pipeline_id=pipeline_id, visible=visible, before=before, limit=limit
            )
        )
    )


async def handled(scene: Scene, *pipelines: UUID, remote_id: str = "1") -> Delivery:
    """Add a delivery of which something has come for some pipelines."""
    outcomes = tuple(Outcome(each, "shop", text="No.") for each in pipelines)
    made = replace(delivery(scene, remote_id), state=DeliveryState.HANDLED, outcomes=outcomes)
    (added,) = await add(scene, made)
    return added


async def test_a_delivery_is_kept_as_it_came(scene: Scene) -> None:
    pull_request = PullRequest(
        7,
        PullRequestAction.OPENED,
        "Add\0 a \ud800 thing",
        "main",
        "",
        "thing",
        "b" * 40,
        "https://git.example/you/shop",
        "refs/pull/7/head",
        from_fork=True,
        labels=("new", "big"),
    )
    asked = replace(PUSH, kind=ChangeKind.PULL_REQUEST, pull_request=pull_request, actor="ada")
    told = replace(
        PUSH, before="c" * 40, forced=True, paths=("a", "b"), message="Go", url="https://x.example"
    )
    outcomes = (Outcome(scene.ids.new_id(), "shop", scene.ids.new_id()), Outcome(None, "none", text="No."))
    expected = Delivery(
        scene.ids.new_id(),
        DeliverySource.WEBHOOK,
        "",
        "1",
        "x",
        scene.clock.now(),
        (asked, told, replace(told, paths=())),
        DeliveryState.HANDLED,
        "Why.",
        outcomes,
        scene.clock.now(),
        3,
        scene.ids.new_id(),
    )

    assert await add(scene, expected) == [expected]

    assert await get(scene, expected.id) == expected
    assert await get(scene, scene.ids.new_id()) is None


async def test_what_comes_again_is_what_came_first(scene: Scene) -> None:
    first = delivery(scene)
    await add(scene, first)

    assert await add(scene, delivery(scene)) == [first]

    assert await page(scene) == [first]


async def test_the_same_remote_id_of_another_sender_is_another_delivery(scene: Scene) -> None:
    one = delivery(scene)
    others = [delivery(scene, source=DeliverySource.GITLAB), replace(delivery(scene), connection="lab")]

    await add(scene, one, *others)

    assert {each.id for each in await page(scene)} == {one.id, *(each.id for each in others)}


async def test_two_that_come_at_once_are_one(scene: Scene) -> None:
    here, there = delivery(scene), delivery(scene)

    def both(transaction: Transaction) -> list[Delivery]:
        deliveries = transaction.deliveries
        return [deliveries.add(here), deliveries.add(there)]

    assert await scene.store.write(both) == [here, here]


async def test_what_is_taken_is_nobody_elses_until_its_time_is_over(scene: Scene) -> None:
    kept = delivery(scene)
    await add(scene, kept)
    assert await scene.look(lambda it: it.deliveries.next_due()) == scene.clock.now()

    assert await take(scene) == [kept.id]

    assert await take(scene) == []
    assert await scene.look(lambda it: it.deliveries.next_due()) == scene.clock.now() + MINUTE
    scene.clock.advance(MINUTE)
    assert await take(scene) == [kept.id]


async def test_those_that_are_due_longest_are_taken_first_and_no_more_than_asked_for(scene: Scene) -> None:
    kept = []
    for remote_id in "123":
        kept += await add(scene, delivery(scene, remote_id))
        scene.clock.advance(MINUTE)

    assert await take(scene, 2) == [each.id for each in kept[:2]]
    assert await take(scene, 2) == [kept[2].id]


async def test_what_was_taken_is_kept_for_longer(scene: Scene) -> None:
    kept, other = await add(scene, delivery(scene), delivery(scene, "2"))
    await take(scene)
    until = scene.clock.now() + 2 * MINUTE

    await scene.store.write(lambda it: it.deliveries.prolong([kept.id], until))

    scene.clock.advance(MINUTE)
    assert await take(scene) == [other.id]


async def test_what_is_done_with_is_not_due_again(scene: Scene) -> None:
    (kept,) = await add(scene, delivery(scene))
    await take(scene)
    outcome = Outcome(scene.ids.new_id(), "shop", scene.ids.new_id())
    done = replace(kept, state=DeliveryState.HANDLED, handled_at=scene.clock.now())

    noted = await scene.store.write(lambda it: it.deliveries.note(done, [outcome], None))
    await scene.store.write(lambda it: it.deliveries.prolong([kept.id], scene.clock.now()))

    assert noted == replace(done, outcomes=(outcome,))
    assert await get(scene, kept.id) == noted
    assert await scene.look(lambda it: it.deliveries.next_due()) is None
    scene.clock.advance(2 * MINUTE)
    assert await take(scene) == []


async def test_what_was_tried_in_vain_is_due_again_with_what_has_come_of_it(scene: Scene) -> None:
    (kept,) = await add(scene, delivery(scene))
    await take(scene)
    first, second = (Outcome(scene.ids.new_id(), name, text="No.") for name in ("a", "b"))
    later = scene.clock.now() + 5 * MINUTE

    tried = replace(kept, tries=1, text="It does not answer.")
    tried = await scene.store.write(lambda it: it.deliveries.note(tried, [first], later))
    tried = await scene.store.write(lambda it: it.deliveries.note(tried, [second], later))

    assert tried.outcomes == (first, second)
    assert await scene.store.write(lambda it: it.deliveries.hold(kept.id)) == tried
    scene.clock.advance(5 * MINUTE)
    assert await take(scene) == [kept.id]


async def test_deliveries_are_listed_newest_first_a_page_at_a_time(scene: Scene) -> None:
    kept = []
    for remote_id in "123":
        scene.clock.advance(MINUTE)
        kept += await add(scene, delivery(scene, remote_id))
    newest = sorted(kept, key=lambda each: each.id, reverse=True)

    assert await page(scene, limit=2) == newest[:2]
    assert await page(scene, before=newest[1].id) == newest[2:]


async def test_deliveries_are_listed_by_the_pipeline_for_which_something_came_of_them(scene: Scene) -> None:
    shop, other = scene.ids.new_id(), scene.ids.new_id()
    both = await handled(scene, shop, other, remote_id="1")
    await handled(scene, other, remote_id="2")
    await add(scene, delivery(scene, "3"))

    assert await page(scene, pipeline_id=shop) == [both]


async def test_only_what_came_for_pipelines_that_may_be_seen_is_shown(scene: Scene) -> None:
    seen, hidden = scene.ids.new_id(), scene.ids.new_id()
    both = await handled(scene, seen, hidden, remote_id="1")
    await handled(scene, hidden, remote_id="2")
    await add(scene, delivery(scene, "3"))
    shown = replace(both, outcomes=both.outcomes[:1])

    assert await page(scene, visible=[seen]) == [shown]
    assert await page(scene, visible=[seen], pipeline_id=seen) == [shown]
    assert await page(scene, visible=[seen], pipeline_id=hidden) == []
    assert await page(scene, visible=[]) == []


async def test_more_pipelines_may_be_seen_than_a_statement_takes(scene: Scene) -> None:
    shop = scene.ids.new_id()
    kept = await handled(scene, shop)

    assert await page(scene, visible=[scene.ids.new_id() for _ in range(2_000)] + [shop]) == [kept]


async def test_what_is_old_and_done_with_is_removed_some_at_once(scene: Scene) -> None:
    for remote_id in "123":
        await handled(scene, scene.ids.new_id(), remote_id=remote_id)
    (waits,) = await add(scene, delivery(scene, "4"))
    scene.clock.advance(MINUTE)
    recent = await handled(scene, scene.ids.new_id(), remote_id="5")
    now = scene.clock.now()

    assert await scene.store.write(lambda it: it.deliveries.remove_old(now, 2)) == 2
    assert await scene.store.write(lambda it: it.deliveries.remove_old(now, 2)) == 1
    assert await scene.store.write(lambda it: it.deliveries.remove_old(now, 2)) == 0

    assert {each.id for each in await page(scene)} == {waits.id, recent.id}


async def test_a_new_delivery_wakes_who_sees_to_them(scene: Scene) -> None:
    with scene.store.wakeups.listen(DELIVERIES) as listener:
        await add(scene, delivery(scene))

        assert await listener.wait(MINUTE)


async def test_reading_changes_no_delivery(scene: Scene) -> None:
    with pytest.raises(TypeError):
        await scene.look(lambda transaction: transaction.deliveries.add(delivery(scene)))


async def test_a_delivery_may_be_for_one_pipeline(scene: Scene) -> None:
    made = replace(delivery(scene, source=DeliverySource.POLL), pipeline_id=scene.ids.new_id())

    await add(scene, made)

    assert await get(scene, made.id) == made
