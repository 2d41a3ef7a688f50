"""What is published, where its sink is in memory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from lineshaft.model.errors import UnavailableError
from lineshaft.model.resource import ResourceEvent
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.events import KeptEvents
from lineshaft.ports.store import PUBLISH, Transaction
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.publishing.publisher import LEAD_TIME, Publisher
from lineshaft.services.resources.definitions import NewDefinition
from lineshaft.services.resources.standing import Wanted
from planes import temporary_plane
from worker_protocol_scene import claim, register, report_on, start

DRIVEN = "name: s\nsteps: [{name: a, driver: compile}]\n"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sink() -> KeptEvents:
    return KeptEvents()


@pytest_asyncio.fixture
async def plane(tmp_path: Path, clock: ManualClock, sink: KeptEvents) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock, events=sink) as opened:
        yield opened


def waiting(transaction: Transaction) -> list[Any]:
    return list(transaction.outbox.due(ManualClock().now() + LEAD_TIME * 10_000, 100, [PUBLISH]))


async def test_the_events_of_a_run_are_published_in_order_and_its_work_announced(
    plane: ControlPlane, clock: ManualClock, sink: KeptEvents
) -> None:
    run = await start(plane, DRIVEN)
    worker_id = await register(plane.fleet.desk, kinds=frozenset({"compile"}))
    (lease,) = await claim(plane.fleet.desk, worker_id)
    await plane.fleet.desk.report(report_on(worker_id, lease))

    await Publisher(plane.store, clock, sink).publish_due()

    last = (await plane.runs.get(run.id)).event_count
    assert [event.data["number"] for event in sink.events] == list(range(1, last + 1))
    assert [(each.driver, each.address) for each in sink.work] == [("compile", lease.address)]
    assert await plane.store.read(waiting) == []


async def test_what_could_not_be_published_stays_and_goes_out_later(
    plane: ControlPlane, clock: ManualClock, sink: KeptEvents
) -> None:
    await start(plane)
    publisher = Publisher(plane.store, clock, sink)
    sink.away = True
    with pytest.raises(UnavailableError):
        await publisher.publish_due()
    assert len(await plane.store.read(waiting)) == 1
    sink.away = False

    assert await publisher.publish_due() == 1

    assert sink.events


async def test_of_two_publishers_one_publishes_until_it_is_silent_for_too_long(
    plane: ControlPlane, clock: ManualClock, sink: KeptEvents
) -> None:
    first, second = (Publisher(plane.store, clock, sink) for _ in range(2))
    await start(plane)
    await first.publish_due()
    await start(plane, DRIVEN)

    assert await second.publish_due() == 0
    clock.advance(LEAD_TIME)

    assert await second.publish_due() == 1


async def test_a_transaction_has_one_entry_a_run(plane: ControlPlane) -> None:
    run = await start(plane)

    (entry,) = await plane.store.read(waiting)

    assert entry.payload == {"run_id": str(run.id), "first": 1, "last": run.event_count, "work": []}


async def test_nothing_is_noted_where_nothing_is_published(tmp_path: Path, clock: ManualClock) -> None:
    async with temporary_plane(tmp_path, clock) as plane:
        await start(plane)

        assert await plane.store.read(waiting) == []


async def test_the_event_of_a_resource_tells_what_it_is_now(
    plane: ControlPlane, clock: ManualClock, sink: KeptEvents
) -> None:
    await plane.resources.definitions.define("app", NewDefinition(schema={"type": "object"}))
    await plane.resources.resources.create("app", "shop", Wanted(spec={"image": "i"}))

    await Publisher(plane.store, clock, sink).publish_due()

    (event,) = (each for each in sink.events if each.kind == "resource")
    assert (event.subject, event.pipeline, event.data["event"]) == ("app/shop", None, ResourceEvent.CREATED)
    assert event.data["spec"] == {"image": "i"}
