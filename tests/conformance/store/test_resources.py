"""Resources: versions of them, their definitions, and how far they have come."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from definitions import definition
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.event import CancelRequested
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.resource import Observed, Resource, ResourceDefinition, ResourceEvent
from lineshaft.model.state import State
from lineshaft.ports.store import VERSIONS_KEPT, ResourceFilter
from scene import Scene
from trees import sequence, task

MINUTE = timedelta(minutes=1)
ALL = ResourceFilter()


def app_definition(scene: Scene, name: str = "app") -> ResourceDefinition:
    now = scene.clock.now()
    return ResourceDefinition(name, "An application.", 1, {"type": "object"}, timedelta(hours=12), now, now)


async def define(scene: Scene, wanted: ResourceDefinition) -> None:
    await scene.store.write(lambda transaction: transaction.resources.define(wanted))


async def definition_of(scene: Scene, name: str) -> ResourceDefinition | None:
    return await scene.look(lambda transaction: transaction.resources.definition(name))


async def write(scene: Scene, resource: Resource, event: ResourceEvent) -> Resource:
    await scene.store.write(lambda transaction: transaction.resources.write(resource, event))
    return resource


async def create(
    scene: Scene,
    name: str = "shop",
    type_name: str = "app",
    pipeline: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Resource:
    now = scene.clock.now()
    made = Resource(
        scene.ids.new_id(), type_name, name, 1, {"image": name}, metadata or {}, pipeline, now, now
    )
    return await write(scene, made, ResourceEvent.CREATED)


async def change(scene: Scene, resource: Resource, **values: object) -> Resource:
    changed = replace(resource, version=resource.version + 1, updated_at=scene.clock.now(), **values)  # type: ignore[arg-type] # Any of its values.
    return await write(scene, changed, ResourceEvent.UPDATED)


async def delete(scene: Scene, resource: Resource) -> Resource:
    gone = replace(resource, version=resource.version + 1, updated_at=scene.clock.now(), deleted=True)
    return await write(scene, gone, ResourceEvent.DELETED)


async def observe(scene: Scene, resource: Resource, observed: Observed) -> None:
    await scene.store.write(lambda transaction: transaction.resources.observe(resource.id, observed))


async def get(scene: Scene, name: str, type_name: str = "app") -> tuple[Resource, Observed] | None:
    return await scene.look(lambda transaction: transaction.resources.get(type_name, name))


async def names(
    scene: Scene, wanted: ResourceFilter = ALL, after: tuple[str, str] | None = None, limit: int = 10
) -> list[str]:
    found = await scene.look(lambda transaction: transaction.resources.page(wanted, after, limit))
    return [resource.name for resource, _ in found]


async def left_behind(scene: Scene, *types: str, before: datetime | None = None) -> list[UUID]:
    until = before or scene.clock.now() + MINUTE
    return list(await scene.look(lambda transaction: transaction.resources.left_behind(until, types, 10)))


async def test_a_definition_is_kept_as_it_was_given(scene: Scene) -> None:
    wanted = app_definition(scene)

    await define(scene, wanted)

    assert await definition_of(scene, "app") == wanted
    assert await definition_of(scene, "other") is None


async def test_a_definition_is_replaced_but_for_the_time_at_which_it_was_made(scene: Scene) -> None:
    first = app_definition(scene)
    await define(scene, first)
    scene.clock.advance(MINUTE)
    now = scene.clock.now()

    await define(scene, ResourceDefinition("app", "", 2, {}, None, now, now))

    expected = ResourceDefinition("app", "", 2, {}, None, first.created_at, now)
    assert await definition_of(scene, "app") == expected


async def test_definitions_are_listed_by_their_names(scene: Scene) -> None:
    for name in ("b", "Z", "a"):
        await define(scene, app_definition(scene, name))

    found = await scene.look(lambda transaction: transaction.resources.definitions())

    assert [each.name for each in found] == ["Z", "a", "b"]


async def test_a_definition_goes_only_when_its_resources_are_deleted(scene: Scene) -> None:
    await define(scene, app_definition(scene))
    shop = await create(scene)
    assert not await scene.store.write(lambda transaction: transaction.resources.undefine("app"))
    assert await definition_of(scene, "app") is not None
    await delete(scene, shop)

    assert await scene.store.write(lambda transaction: transaction.resources.undefine("app"))

    assert await definition_of(scene, "app") is None


async def test_a_new_resource_is_kept_as_it_was_given_and_has_come_nowhere(scene: Scene) -> None:
    shop = await create(scene, pipeline="conveyor", metadata={"team": "blue"})

    assert await get(scene, "shop") == (shop, Observed())
    assert await scene.look(lambda transaction: transaction.resources.of_id(shop.id)) == (shop, Observed())
    assert await get(scene, "shop", "dataset") is None


async def test_a_name_is_free_when_its_resource_was_deleted(scene: Scene) -> None:
    former = await create(scene)
    gone = await delete(scene, former)
    assert await get(scene, "shop") is None

    other = await create(scene)

    assert await get(scene, "shop") == (other, Observed())
    assert await scene.look(lambda transaction: transaction.resources.of_id(former.id)) == (gone, Observed())


async def test_each_version_can_be_read_with_the_event_that_made_it(scene: Scene) -> None:
    first = await create(scene)
    scene.clock.advance(MINUTE)
    second = await change(scene, first, spec={"image": "other"}, pipeline="conveyor")
    scene.clock.advance(MINUTE)
    third = await delete(scene, second)

    async def version(number: int) -> tuple[Resource, ResourceEvent] | None:
        return await scene.look(lambda transaction: transaction.resources.version(first.id, number))

    assert await version(1) == (first, ResourceEvent.CREATED)
    assert await version(2) == (second, ResourceEvent.UPDATED)
    assert await version(3) == (third, ResourceEvent.DELETED)
    assert await version(4) is None


async def test_the_newest_versions_are_kept(scene: Scene) -> None:
    resource = await create(scene)
    for _ in range(VERSIONS_KEPT):
        resource = await change(scene, resource)

    async def is_there(number: int) -> bool:
        found = await scene.look(lambda transaction: transaction.resources.version(resource.id, number))
        return found is not None

    assert [await is_there(number) for number in (1, 2, resource.version)] == [False, True, True]


async def test_resources_are_listed_by_type_and_name_in_pages(scene: Scene) -> None:
    for type_name, name in (("b", "x"), ("a", "z"), ("a", "Y"), ("b", "w")):
        await create(scene, name, type_name)
    await delete(scene, await create(scene, "gone"))

    assert await names(scene) == ["Y", "z", "w", "x"]
    assert await names(scene, limit=2) == ["Y", "z"]
    assert await names(scene, after=("a", "z")) == ["w", "x"]
    assert await names(scene, ResourceFilter(type="b"), after=("b", "w")) == ["x"]


async def test_resources_are_listed_by_pipeline_state_and_metadata(scene: Scene) -> None:
    await create(scene, "one", pipeline="conveyor", metadata={"team": "blue", "a.b/c-d": "1"})
    two = await create(scene, "two", metadata={"team": "red"})
    await observe(scene, two, Observed(state=State.FAILED, run_id=scene.ids.new_id(), run_version=1))

    assert await names(scene, ResourceFilter(pipeline="conveyor")) == ["one"]
    assert await names(scene, ResourceFilter(states=[State.FAILED, State.LOST])) == ["two"]
    assert await names(scene, ResourceFilter(states=[])) == []
    assert await names(scene, ResourceFilter(metadata={"team": "blue"})) == ["one"]
    assert await names(scene, ResourceFilter(metadata={"team": "blue", "a.b/c-d": "1"})) == ["one"]
    assert await names(scene, ResourceFilter(metadata={"team": "blue", "a.b/c-d": "2"})) == []
    assert await names(scene, ResourceFilter(metadata={"other": "blue"})) == []


async def test_how_far_a_resource_has_come_is_kept_over_its_changes(scene: Scene) -> None:
    shop = await create(scene)
    result = DriverResult(success=True, message="compiled", data={"artifact": ["shop.tar", 1, None]})
    observed = Observed(
        1, scene.ids.new_id(), 1, State.SUCCEEDED, {"compile": result}, scene.clock.now() + MINUTE
    )
    await observe(scene, shop, observed)
    assert await get(scene, "shop") == (shop, observed)

    changed = await change(scene, shop, spec={"image": "other"})

    assert await get(scene, "shop") == (changed, observed)


async def test_what_is_held_is_the_newest_version_and_how_far_it_has_come(scene: Scene) -> None:
    shop = await create(scene)

    found = await scene.store.write(lambda transaction: transaction.resources.of_id(shop.id, hold=True))

    assert found == (shop, Observed())


async def test_a_version_that_no_run_carries_is_left_behind_where_somebody_would_take_it(
    scene: Scene,
) -> None:
    alone, piped = await create(scene, "alone"), await create(scene, "piped", pipeline="conveyor")

    assert await left_behind(scene) == [piped.id]
    assert await left_behind(scene, "dataset") == [piped.id]
    assert await left_behind(scene, "app") == [alone.id, piped.id]
    assert await left_behind(scene, "app", before=scene.clock.now()) == []


async def test_a_version_that_a_run_has_carried_is_not_left_behind(scene: Scene) -> None:
    shop = await create(scene)
    await observe(scene, shop, Observed(0, scene.ids.new_id(), 1, State.FAILED))
    assert await left_behind(scene, "app") == []

    gone = await delete(scene, shop)

    assert await left_behind(scene, "app") == [gone.id]


async def test_a_resource_whose_run_is_not_there_any_more_is_left_behind(scene: Scene) -> None:
    shop, other = await create(scene, "shop"), await create(scene, "other")
    run = await scene.run(definition(sequence(task("only"), name="p")))
    await observe(scene, shop, Observed(0, run.id, 1, State.RUNNING))
    await observe(scene, other, Observed(0, scene.ids.new_id(), 1, State.WAITING))

    assert await left_behind(scene) == [other.id]

    await scene.apply(
        run.id, CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run."))
    )

    assert set(await left_behind(scene)) == {shop.id, other.id}


async def test_resources_are_due_for_resync_in_the_order_of_their_times(scene: Scene) -> None:
    now = scene.clock.now()
    times = {"late": now + MINUTE, "second": now, "first": now - MINUTE, "gone": now, "never": None}
    made = {name: await create(scene, name) for name in times}
    for name, at in times.items():
        await observe(scene, made[name], Observed(resync_at=at))
    await delete(scene, made["gone"])

    due = await scene.look(lambda transaction: transaction.resources.due_for_resync(now, 10))

    assert list(due) == [made["first"].id, made["second"].id]


async def test_all_resources_of_a_type_are_resynced_but_those_whose_run_goes_on(scene: Scene) -> None:
    now = scene.clock.now()
    idle, going, other = (
        await create(scene, "idle"),
        await create(scene, "going"),
        await create(scene, "other", "dataset"),
    )
    await delete(scene, await create(scene, "gone"))
    await observe(scene, going, Observed(0, scene.ids.new_id(), 1, State.RUNNING))

    assert await scene.store.write(lambda transaction: transaction.resources.resync("app", now)) == 1

    assert await get(scene, "idle") == (idle, Observed(resync_at=now))
    assert await get(scene, "other", "dataset") == (other, Observed())
    await scene.store.write(lambda transaction: transaction.resources.resync("app", None))
    assert await get(scene, "idle") == (idle, Observed())


async def test_what_was_deleted_long_ago_goes_when_its_run_has_ended(scene: Scene) -> None:
    old, busy = await create(scene, "old"), await create(scene, "busy")
    stays = await create(scene, "stays")
    for each in (old, busy):
        await delete(scene, each)
    await observe(scene, busy, Observed(0, scene.ids.new_id(), 2, State.RUNNING))
    before = scene.clock.now() + MINUTE

    assert await scene.store.write(lambda transaction: transaction.resources.remove_deleted(before, 10)) == 1

    async def is_there(resource: Resource) -> bool:
        found = await scene.look(lambda transaction: transaction.resources.of_id(resource.id))
        version = await scene.look(lambda transaction: transaction.resources.version(resource.id, 1))
        assert (found is None) == (version is None)
        return found is not None

    assert [await is_there(each) for each in (old, busy, stays)] == [False, True, True]
