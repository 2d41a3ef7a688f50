"""Resources that were left behind, or are due: they go to their drivers, once, whoever looks after them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from desk import DeskWorker
from driver_program import DeskDriver
from lineshaft.model.resource import ResourceChange, ResourceEvent
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import ResourceFilter
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.progress import Progress
from lineshaft.services.resources.carrying import Carrying
from lineshaft.services.resources.definitions import NewDefinition
from lineshaft.services.resources.resources import ResourceService
from lineshaft.services.resources.standing import Standing, Wanted
from lineshaft.services.resources.tending import ResourceTending
from lineshaft.wire.driver import DriverMessage
from planes import temporary_plane

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SHOP = Wanted({"image": "shop"})
COMPILE = DriverMessage(name="compile", resources=("app",))
CONVEYOR = "{name: conveyor, resource: app, steps: [{name: compile, driver: compile}]}"


@pytest.fixture
async def resources(plane: ControlPlane) -> ResourceService:
    await plane.resources.definitions.define("app", NewDefinition({}, resync=HOUR))
    return plane.resources.resources


async def events(plane: ControlPlane) -> list[tuple[str, int, ResourceEvent]]:
    """List what the runs of the relay carry, the oldest first."""
    relay = await plane.store.read(lambda transaction: transaction.pipelines.relay("app"))
    assert relay is not None
    runs = await plane.runs.page(relay.id, before=None, limit=100)
    return [carried(run) for run in reversed(runs)]


def carried(run: Run) -> tuple[str, int, ResourceEvent]:
    assert isinstance(run.subject, ResourceChange)
    return run.subject.resource.name, run.subject.resource.version, run.subject.event


async def test_a_resource_without_a_driver_goes_to_the_first_that_comes(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    await resources.create("app", "shop", SHOP)
    await resources.put("app", "shop", Wanted({"image": "b"}))
    clock.advance(2 * MINUTE)
    assert await plane.resources.tending.go_round() == 0
    driver = DeskDriver(plane, COMPILE)
    await driver.register()

    assert await plane.resources.tending.go_round() == 1

    assert await events(plane) == [("shop", 2, ResourceEvent.UPDATED)]
    assert await plane.resources.tending.go_round() == 0
    assert await driver.do_all() == ["compile"]


async def test_a_resource_that_no_driver_wants_to_hear_of_is_left_alone(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    deaf = DriverMessage(name="deaf", resources=("app",), events=("deleted",))
    await DeskDriver(plane, deaf).register()
    made = await resources.create("app", "shop", SHOP)
    assert made.observed.run_version == 1
    await DeskDriver(plane, replace_events(deaf)).register()
    clock.advance(2 * MINUTE)

    assert await plane.resources.tending.go_round() == 0


def replace_events(message: DriverMessage) -> DriverMessage:
    return message.model_copy(update={"name": "curious", "events": ("*",)})


async def test_a_fresh_version_is_not_taken_for_one_that_was_left_behind(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    await resources.create("app", "shop", SHOP)
    await DeskDriver(plane, COMPILE).register()

    assert await plane.resources.tending.go_round() == 0

    clock.advance(2 * MINUTE)
    assert await plane.resources.tending.go_round() == 1


async def test_resources_are_resynced_in_the_time_after_their_run_has_ended(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    made = await resources.create("app", "shop", SHOP)
    assert made.observed.resync_at is None
    clock.advance(2 * HOUR)
    assert await plane.resources.tending.go_round() == 0
    await driver.do_all()
    due = (await resources.get("app", "shop")).observed.resync_at
    assert due is not None
    assert 0.9 * HOUR <= due - clock.now() <= HOUR
    clock.advance(HOUR)

    assert await plane.resources.tending.go_round() == 1

    assert await plane.resources.tending.go_round() == 0
    assert (await events(plane))[-1] == ("shop", 1, ResourceEvent.RESYNCED)
    await driver.do_all()
    assert (await resources.get("app", "shop")).observed.resync_at is not None


async def test_a_run_that_failed_waits_for_a_change_or_a_resync(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    await resources.create("app", "shop", SHOP)
    await driver.answer((await driver.claim())["compile"], success=False)
    clock.advance(5 * MINUTE)
    assert await plane.resources.tending.go_round() == 0
    clock.advance(HOUR)

    assert await plane.resources.tending.go_round() == 1


async def test_a_resource_whose_run_is_gone_goes_again(
    plane: ControlPlane, resources: ResourceService
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    made = await resources.create("app", "shop", SHOP)
    lost = replace(made.observed, run_id=RandomIds().new_id())
    await plane.store.write(lambda transaction: transaction.resources.observe(made.resource.id, lost))

    assert await plane.resources.tending.go_round() == 1

    assert await events(plane) == [("shop", 1, ResourceEvent.CREATED)] * 2


async def test_a_run_that_another_server_has_ended_without_a_word_is_noted(
    plane: ControlPlane, resources: ResourceService
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    made = await resources.create("app", "shop", SHOP)
    await driver.do_all()
    unaware = replace(made.observed, state=State.RUNNING)
    await plane.store.write(lambda transaction: transaction.resources.observe(made.resource.id, unaware))

    assert await plane.resources.tending.go_round() == 0

    observed = (await resources.get("app", "shop")).observed
    assert (observed.version, observed.state) == (1, State.SUCCEEDED)
    assert observed.results["compile"].data == {"path": "compile"}


async def test_a_deletion_that_nobody_has_heard_of_is_told(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    await resources.create("app", "shop", SHOP)
    await driver.do_all()
    deleted = await resources.delete("app", "shop")
    never = replace(deleted.observed, run_version=1, state=State.SUCCEEDED)
    await plane.store.write(lambda transaction: transaction.resources.observe(deleted.resource.id, never))
    clock.advance(2 * MINUTE)

    assert await plane.resources.tending.go_round() == 1

    assert (await events(plane))[-1] == ("shop", 2, ResourceEvent.DELETED)


async def test_one_that_cannot_go_anywhere_does_not_hold_up_the_others(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    pipeline = await DeskWorker(plane).pipeline(CONVEYOR)
    await resources.create("app", "stuck", Wanted({}, pipeline="conveyor"))
    await plane.pipelines.delete(pipeline.id)
    await resources.create("app", "shop", SHOP)
    await DeskDriver(plane, COMPILE).register()
    clock.advance(2 * HOUR)

    assert await plane.resources.tending.go_round() == 1

    assert await events(plane) == [("shop", 1, ResourceEvent.CREATED)]
    due = (await resources.get("app", "stuck")).observed.resync_at
    assert due is not None
    assert due > clock.now()


async def test_all_of_a_type_go_again_when_somebody_wants_it(
    plane: ControlPlane, resources: ResourceService
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    for name in ("a", "b"):
        await resources.create("app", name, SHOP)
    await driver.do_all()

    assert await resources.resync_all("app") == 2

    assert await plane.resources.tending.go_round() == 2
    assert sorted(await driver.do_all()) == ["compile", "compile"]


async def test_a_type_that_is_resynced_from_now_on_has_its_resources_resynced(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    await plane.resources.definitions.define("app", NewDefinition({}))
    await resources.create("app", "shop", SHOP)
    await driver.do_all()
    assert (await resources.get("app", "shop")).observed.resync_at is None

    await plane.resources.definitions.define("app", NewDefinition({}, resync=MINUTE))

    assert (await resources.get("app", "shop")).observed.resync_at == clock.now() + MINUTE


async def test_it_goes_round_with_pauses_until_it_is_cancelled(
    plane: ControlPlane, resources: ResourceService, clock: ManualClock
) -> None:
    await resources.create("app", "shop", SHOP)
    await DeskDriver(plane, COMPILE).register()
    clock.advance(2 * MINUTE)
    paused: list[float] = []
    done = asyncio.Event()

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) > 1:
            done.set()
            await asyncio.Event().wait()

    ids = RandomIds()
    carrying = Carrying(ids, Progress(ids, None), plane.sources.reader, lambda _: None)
    tending = ResourceTending(plane.store, clock, ids, carrying, pause=pause, chance=Random(1))
    task = asyncio.create_task(tending.run())
    await done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert all(45 <= seconds <= 75 for seconds in paused)
    assert await events(plane) == [("shop", 1, ResourceEvent.CREATED)]


async def both(
    planes: tuple[ControlPlane, ControlPlane], do: Callable[[ControlPlane], Awaitable[object]]
) -> list[object]:
    return list(await asyncio.gather(*map(do, planes), return_exceptions=True))


async def test_two_servers_start_one_run_for_each_resource(
    postgres_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        temporary_plane(tmp_path, clock, url=postgres_url) as first,
        temporary_plane(tmp_path, clock, url=postgres_url) as second,
    ):
        await first.resources.definitions.define("app", NewDefinition({}, resync=HOUR))
        for number in range(6):
            await first.resources.resources.create("app", f"app{number}", SHOP)
        await DeskDriver(first, COMPILE).register()
        clock.advance(2 * MINUTE)

        begun = await both((first, second), lambda plane: plane.resources.tending.go_round())

        assert sum(each for each in begun if isinstance(each, int)) == 6
        assert len(await events(second)) == 6


async def test_of_those_who_make_a_resource_at_two_servers_one_does(
    postgres_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        temporary_plane(tmp_path, clock, url=postgres_url) as first,
        temporary_plane(tmp_path, clock, url=postgres_url) as second,
    ):
        await first.resources.definitions.define("app", NewDefinition({}))
        await DeskDriver(first, COMPILE).register()

        made = await both(
            (first, second), lambda plane: plane.resources.resources.create("app", "shop", SHOP)
        )

        assert sum(isinstance(each, Standing) for each in made) == 1
        assert len(await events(second)) == 1
        found = await second.resources.resources.page(ResourceFilter(), limit=10)
        assert [standing.resource.version for standing in found] == [1]


async def test_changes_at_two_servers_are_versions_of_which_each_has_a_run(
    postgres_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        temporary_plane(tmp_path, clock, url=postgres_url) as first,
        temporary_plane(tmp_path, clock, url=postgres_url) as second,
    ):
        await first.resources.definitions.define("app", NewDefinition({}))
        driver = DeskDriver(first, COMPILE)
        await driver.register()
        await first.resources.resources.create("app", "shop", SHOP)

        async def change(plane: ControlPlane) -> None:
            for number in range(4):
                await plane.resources.resources.patch("app", "shop", {"spec": {f"{id(plane)}-{number}": 1}})

        await asyncio.gather(change(first), change(second), driver.do_all())

        standing = await second.resources.resources.get("app", "shop")
        assert (standing.resource.version, standing.observed.run_version) == (9, 9)
        assert sorted(version for _, version, _ in await events(second)) == list(range(1, 10))
        await driver.do_all()
        observed = (await first.resources.resources.get("app", "shop")).observed
        assert (observed.version, observed.state) == (9, State.SUCCEEDED)
