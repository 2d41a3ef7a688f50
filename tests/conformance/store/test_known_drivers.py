"""Drivers: what they have said of themselves, and when they were heard of."""

from datetime import timedelta

from lineshaft.model.known_driver import DriverDeclaration, KnownDriver
from scene import Scene

MINUTE = timedelta(minutes=1)
COMPILE = DriverDeclaration(
    "compile",
    ("app", "dataset"),
    ("created", "flush"),
    "It compiles.",
    timedelta(seconds=90),
    2,
    idempotent=False,
)


async def declare(scene: Scene, *declarations: DriverDeclaration) -> None:
    now = scene.clock.now()
    await scene.store.write(lambda transaction: transaction.drivers.declare(declarations, now))


async def get(scene: Scene, name: str) -> KnownDriver | None:
    return await scene.look(lambda transaction: transaction.drivers.get(name))


async def test_what_a_driver_says_of_itself_is_kept(scene: Scene) -> None:
    now = scene.clock.now()

    await declare(scene, COMPILE)

    assert await get(scene, "compile") == KnownDriver(COMPILE, now, now)
    assert await get(scene, "test") is None


async def test_a_driver_that_says_something_else_registered_when_it_first_did(scene: Scene) -> None:
    first = scene.clock.now()
    await declare(scene, COMPILE)
    scene.clock.advance(MINUTE)

    await declare(scene, DriverDeclaration("compile"))

    assert await get(scene, "compile") == KnownDriver(DriverDeclaration("compile"), first, first + MINUTE)


async def test_drivers_are_listed_by_their_names(scene: Scene) -> None:
    await declare(scene, *map(DriverDeclaration, ("b", "Z", "a")))

    found = await scene.look(lambda transaction: transaction.drivers.all())

    assert [each.declaration.name for each in found] == ["Z", "a", "b"]


async def test_a_driver_was_seen_when_it_was_last_heard_of(scene: Scene) -> None:
    now = scene.clock.now()
    await declare(scene, COMPILE)
    names = ["compile", "unknown"]

    await scene.store.write(lambda transaction: transaction.drivers.seen(names, now + MINUTE))
    await scene.store.write(lambda transaction: transaction.drivers.seen(names, now - MINUTE))

    assert await get(scene, "compile") == KnownDriver(COMPILE, now, now + MINUTE)
    assert await get(scene, "unknown") is None


async def test_a_driver_can_be_forgotten(scene: Scene) -> None:
    await declare(scene, COMPILE)

    assert await scene.store.write(lambda transaction: transaction.drivers.forget("compile"))

    assert await get(scene, "compile") is None
    assert not await scene.store.write(lambda transaction: transaction.drivers.forget("compile"))
