"""Drivers as people see them, and broadcasts to them."""

from datetime import timedelta

import pytest

from driver_program import DeskDriver
from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.errors import ConflictError, DriverNotFoundError, ForbiddenError, InvalidInputError
from lineshaft.model.resource import Broadcast
from lineshaft.model.work import DriverWork
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.store import AuditFilter
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.driver import DriverMessage
from lineshaft.wire.worker import Hello
from planes import LEASE_TIME

DAY = timedelta(days=1)
COMPILE = DriverMessage(name="compile", resources=("app",), timeout_seconds=90.5, retries=3)
TEST = DriverMessage(name="test", events=("flush",), retries=2, idempotent=False)


async def test_a_driver_is_listed_with_what_it_said_and_how_many_of_it_are_connected(
    plane: ControlPlane, clock: ManualClock
) -> None:
    first, second = DeskDriver(plane, COMPILE, TEST), DeskDriver(plane, COMPILE, name="second")
    await first.register()
    await second.register()
    await plane.resources.broadcasts.send("flush", drivers=["compile"])
    await first.claim()

    found = await plane.fleet.drivers.all()

    assert [(each.declaration.name, each.connected, each.in_flight) for each in found] == [
        ("compile", 2, 1),
        ("test", 1, 0),
    ]
    assert found[0].declaration.resources == ("app",)
    assert found[0].declaration.timeout == timedelta(seconds=90.5)
    assert found[1] == await plane.fleet.drivers.get("test")
    assert found[0].registered_at == found[0].seen_at == clock.now()


async def test_a_driver_that_is_away_was_last_seen_when_it_was(
    plane: ControlPlane, clock: ManualClock
) -> None:
    await DeskDriver(plane, COMPILE).register()
    seen = clock.now()
    clock.advance(2 * LEASE_TIME)

    away = await plane.fleet.drivers.get("compile")

    assert (away.connected, away.seen_at) == (0, seen)
    await plane.fleet.workers.forget("program-compile")
    assert await plane.fleet.drivers.get("compile") == away


async def test_a_driver_that_says_nothing_of_itself_is_known_by_its_name(plane: ControlPlane) -> None:
    await DeskDriver(plane, COMPILE).register()
    silent = Hello(name="silent", kinds=frozenset({"compile", "other", "run"}), slots=1)

    await plane.fleet.desk.register(silent)

    found = {each.declaration.name: each for each in await plane.fleet.drivers.all()}
    assert found.keys() == {"compile", "other"}
    assert found["compile"].declaration.resources == ("app",)
    assert found["other"].declaration.resources == ()


async def test_a_driver_is_forgotten_that_is_not_connected(plane: ControlPlane, clock: ManualClock) -> None:
    await DeskDriver(plane, COMPILE).register()
    with pytest.raises(ConflictError):
        await plane.fleet.drivers.forget("compile")
    clock.advance(2 * LEASE_TIME)

    await plane.fleet.drivers.forget("compile")

    assert await plane.fleet.drivers.all() == []
    with pytest.raises(DriverNotFoundError):
        await plane.fleet.drivers.forget("compile")
    with pytest.raises(DriverNotFoundError):
        await plane.fleet.drivers.get("compile")
    (entry,) = await plane.audit.page(AuditFilter(), before=None, limit=10)
    assert (entry.action, entry.target) == (Action.DRIVER_FORGOTTEN, "compile")


async def test_a_broadcast_goes_to_all_drivers_that_hear_it(plane: ControlPlane) -> None:
    deaf = DriverMessage(name="deaf", events=("created",))
    driver = DeskDriver(plane, COMPILE, TEST, deaf)
    await driver.register()

    run = await plane.resources.broadcasts.send("flush", {"all": [True]})

    assert run is not None
    assert (run.cause, run.subject) == (Cause.BROADCAST, Broadcast("flush", {"all": [True]}))
    leases = await driver.claim(9)
    assert sorted(leases) == ["compile", "test"]
    context = leases["test"].driver
    assert context is not None
    assert (context.event, context.payload, context.resource) == ("flush", {"all": [True]}, None)


async def test_a_broadcast_goes_to_the_drivers_that_it_names_and_to_none_unknown(
    plane: ControlPlane,
) -> None:
    await DeskDriver(plane, COMPILE, TEST).register()

    run = await plane.resources.broadcasts.send("sweep", drivers=["test", "test"])

    assert run is not None
    assert [place.path for place in run.tree.below_root()] == ["test"]
    with pytest.raises(DriverNotFoundError, match="other"):
        await plane.resources.broadcasts.send("sweep", drivers=["test", "other"])


async def test_a_broadcast_that_nobody_hears_starts_nothing(plane: ControlPlane) -> None:
    assert await plane.resources.broadcasts.send("flush") is None
    await DeskDriver(plane, TEST).register()

    assert await plane.resources.broadcasts.send("sweep") is None


async def test_broadcasts_do_not_wait_for_each_other(plane: ControlPlane) -> None:
    driver = DeskDriver(plane, TEST)
    await driver.register()
    for _ in range(2):
        await plane.resources.broadcasts.send("flush")

    assert [len(await driver.claim()) for _ in range(3)] == [1, 1, 0]


async def test_a_broadcast_is_refused_that_is_none_or_not_allowed(plane: ControlPlane) -> None:
    await DeskDriver(plane, COMPILE).register()
    for event in ("", "a b", "created", "x" * 101):
        with pytest.raises(InvalidInputError):
            await plane.resources.broadcasts.send(event)
    with pytest.raises(ForbiddenError):
        await plane.resources.broadcasts.send("flush", may_run=lambda _: False)


async def test_a_relay_holds_drivers_to_what_they_have_said(plane: ControlPlane) -> None:
    await DeskDriver(plane, COMPILE, TEST).register()

    run = await plane.resources.broadcasts.send("flush")

    assert run is not None
    tasks = {place.path: place.node for place in run.tree.below_root()}
    assert {
        path: (node.work, node.retry.count if node.retry else 0, node.timeout)  # type: ignore[union-attr] # Tasks all.
        for path, node in tasks.items()
    } == {
        "compile": (DriverWork("compile"), 3, timedelta(seconds=91)),
        "test": (DriverWork("test"), 0, timedelta(hours=1)),
    }
