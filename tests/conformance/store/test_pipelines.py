from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from definitions import definition
from lineshaft.model.errors import PipelineNotFoundError
from lineshaft.model.pipeline import Pipeline
from lineshaft.ports.store import Transaction
from scene import Scene
from trees import sequence, task

SHOP = definition(sequence(task("test"), name="shop"))


async def test_a_pipeline_that_was_added_is_found_as_it_was(scene: Scene) -> None:
    pipeline = await scene.pipeline(SHOP)

    assert await scene.look(lambda transaction: transaction.pipelines.get(pipeline.id)) == pipeline


async def test_an_unknown_id_finds_no_pipeline(scene: Scene) -> None:
    assert await scene.look(lambda transaction: transaction.pipelines.get(scene.ids.new_id())) is None


async def test_two_pipelines_may_share_a_definition(scene: Scene) -> None:
    first, second = await scene.pipeline(SHOP), await scene.pipeline(SHOP)

    assert await names(scene) == [(first.id, "shop"), (second.id, "shop")]


async def test_replacing_keeps_the_id_and_changes_name_and_definition(scene: Scene) -> None:
    pipeline = await scene.pipeline(SHOP)
    scene.clock.advance(timedelta(hours=1))
    changed = replace(
        pipeline, definition=definition(sequence(task("build"), name="store")), updated_at=scene.clock.now()
    )

    assert await scene.store.write(lambda transaction: transaction.pipelines.replace(changed))

    assert await scene.look(lambda transaction: transaction.pipelines.get(pipeline.id)) == changed


async def test_a_replaced_definition_stays_for_the_runs_that_began_with_it(scene: Scene) -> None:
    pipeline = await scene.pipeline(SHOP)
    changed = replace(pipeline, definition=definition(sequence(task("other"), name="shop")))
    await scene.store.write(lambda transaction: transaction.pipelines.replace(changed))

    found = await scene.look(lambda transaction: transaction.definition(SHOP.hash))

    assert found is not None
    assert found.text == SHOP.text


async def test_only_the_pipelines_that_may_be_seen_are_listed_page_by_page(scene: Scene) -> None:
    made = [await scene.pipeline(definition(sequence(task("a"), name=name))) for name in ("b", "a", "c", "a")]
    visible = frozenset(pipeline.id for pipeline in made[1:])

    first = await scene.look(
        lambda transaction: transaction.pipelines.page(name=None, after=None, limit=2, visible=visible)
    )
    second = await scene.look(
        lambda transaction: transaction.pipelines.page(
            name=None, after=("a", made[3].id), limit=2, visible=visible
        )
    )
    named = await scene.look(
        lambda transaction: transaction.pipelines.page(name="a", after=None, limit=9, visible={made[3].id})
    )
    none = await scene.look(
        lambda transaction: transaction.pipelines.page(name=None, after=None, limit=9, visible=frozenset())
    )

    found = [[pipeline.id for pipeline in page] for page in (first, second, named, none)]
    a, c, other_a = (pipeline.id for pipeline in made[1:])
    assert found == [[a, other_a], [c], [other_a], []]


async def test_more_pipelines_may_be_seen_than_fit_into_a_statement(scene: Scene) -> None:
    made = [await scene.pipeline(definition(sequence(task("a"), name=name))) for name in ("b", "a")]
    visible = [scene.ids.new_id() for _ in range(2_500)]
    visible[700:700] = [pipeline.id for pipeline in made]

    found = await scene.look(
        lambda transaction: transaction.pipelines.page(name=None, after=None, limit=1, visible=visible)
    )

    assert [pipeline.id for pipeline in found] == [made[1].id]


async def test_an_unknown_hash_finds_no_definition(scene: Scene) -> None:
    assert await scene.look(lambda transaction: transaction.definition("0" * 64)) is None


async def test_what_does_not_exist_cannot_be_replaced(scene: Scene) -> None:
    now = scene.clock.now()
    stranger = Pipeline(scene.ids.new_id(), SHOP, now, now)

    assert not await scene.store.write(lambda transaction: transaction.pipelines.replace(stranger))

    assert await names(scene) == []


async def test_a_removed_pipeline_is_seen_no_more(scene: Scene) -> None:
    pipeline = await scene.pipeline(SHOP)

    assert await scene.store.write(
        lambda transaction: transaction.pipelines.remove(pipeline.id, scene.clock.now())
    )

    assert await scene.look(lambda transaction: transaction.pipelines.get(pipeline.id)) is None
    assert await names(scene) == []
    assert not await scene.store.write(lambda transaction: transaction.pipelines.replace(pipeline))
    assert not await scene.store.write(
        lambda transaction: transaction.pipelines.remove(pipeline.id, scene.clock.now())
    )


async def test_a_removed_pipelines_runs_are_kept(scene: Scene) -> None:
    run = await scene.run(SHOP)

    await scene.store.write(
        lambda transaction: transaction.pipelines.remove(run.pipeline_id, scene.clock.now())
    )

    assert await scene.look(lambda transaction: transaction.runs.get(run.id)) == run


async def test_pages_go_through_all_pipelines_by_name_then_id(scene: Scene) -> None:
    # Upper case sorts before lower case, and accents behind both, whatever the database's language is.
    added = [
        await scene.pipeline(definition(sequence(task("t"), name=name))) for name in ("b", "é", "a", "B", "a")
    ]
    expected = sorted((pipeline.name, pipeline.id) for pipeline in added)
    seen: list[tuple[str, UUID]] = []

    while page := await scene.look(page_behind(seen[-1] if seen else None)):
        seen += page

    assert seen == expected


async def test_a_page_can_keep_to_one_name(scene: Scene) -> None:
    first, second = await scene.pipeline(SHOP), await scene.pipeline(SHOP)
    await scene.pipeline(definition(sequence(task("t"), name="other")))

    of_name = await scene.look(
        lambda transaction: transaction.pipelines.page(name="shop", after=None, limit=10)
    )
    behind = await scene.look(
        lambda transaction: transaction.pipelines.page(name="shop", after=("shop", first.id), limit=10)
    )

    assert list(of_name) == [first, second]
    assert list(behind) == [second]


async def test_a_deleted_pipeline_has_its_name_no_more(scene: Scene) -> None:
    first, second = await scene.pipeline(SHOP), await scene.pipeline(SHOP)

    await scene.store.write(lambda transaction: transaction.pipelines.remove(second.id, scene.clock.now()))

    left = await scene.look(lambda transaction: transaction.pipelines.page(name="shop", after=None, limit=10))
    assert list(left) == [first]


async def test_run_numbers_count_each_pipelines_runs_from_one(scene: Scene) -> None:
    shop, other = await scene.pipeline(SHOP), await scene.pipeline(SHOP)

    numbers = [(await scene.waiting_run(pipeline)).number for pipeline in (shop, shop, other, shop)]

    assert numbers == [1, 2, 1, 3]


async def test_the_number_of_a_run_that_was_not_committed_is_taken_again(scene: Scene) -> None:
    pipeline = await scene.pipeline(SHOP)

    def fail(transaction: Transaction) -> None:
        scene.create(transaction, pipeline)
        raise KeyError

    with pytest.raises(KeyError):
        await scene.store.write(fail)

    assert (await scene.waiting_run(pipeline)).number == 1


async def test_a_pipeline_that_does_not_exist_has_no_next_run(scene: Scene) -> None:
    with pytest.raises(PipelineNotFoundError):
        await scene.store.write(lambda transaction: transaction.pipelines.next_run_number(scene.ids.new_id()))


def page_behind(after: tuple[str, UUID] | None) -> Callable[[Transaction], list[tuple[str, UUID]]]:
    def work(transaction: Transaction) -> list[tuple[str, UUID]]:
        found = transaction.pipelines.page(name=None, after=after, limit=2)
        return [(pipeline.name, pipeline.id) for pipeline in found]

    return work


async def names(scene: Scene) -> list[tuple[UUID, str]]:
    found = await scene.look(lambda transaction: transaction.pipelines.page(name=None, after=None, limit=10))
    return [(pipeline.id, pipeline.name) for pipeline in found]


async def test_the_server_s_own_pipelines_are_found_by_what_they_relay_and_not_listed(scene: Scene) -> None:
    ordinary = await scene.pipeline(SHOP)
    now = scene.clock.now()
    relay = Pipeline(scene.ids.new_id(), SHOP, now, now, relays="app")
    broadcasts = Pipeline(scene.ids.new_id(), SHOP, now, now, relays="")
    for each in (relay, broadcasts):
        await scene.store.write(partial(_add, each))

    assert await names(scene) == [(ordinary.id, "shop")]
    assert await scene.look(lambda transaction: transaction.pipelines.relay("app")) == relay
    assert await scene.look(lambda transaction: transaction.pipelines.relay("")) == broadcasts
    assert await scene.look(lambda transaction: transaction.pipelines.relay("other")) is None
    assert await scene.look(lambda transaction: transaction.pipelines.get(relay.id)) == relay


async def test_a_relay_that_was_deleted_makes_room_for_another(scene: Scene) -> None:
    now = scene.clock.now()
    first, second = (Pipeline(scene.ids.new_id(), SHOP, now, now, relays="app") for _ in range(2))
    await scene.store.write(partial(_add, first))
    await scene.store.write(lambda transaction: transaction.pipelines.remove(first.id, now))
    await scene.store.write(partial(_add, second))

    assert await scene.look(lambda transaction: transaction.pipelines.relay("app")) == second


def _add(pipeline: Pipeline, transaction: Transaction) -> None:
    transaction.pipelines.add(pipeline)
