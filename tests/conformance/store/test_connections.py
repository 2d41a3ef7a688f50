from dataclasses import replace
from datetime import timedelta

from lineshaft.model.connection import Connection, ForgeKind
from scene import Scene


def connection(scene: Scene, name: str, kind: ForgeKind = ForgeKind.GITHUB) -> Connection:
    now = scene.clock.now()
    return Connection(
        id=scene.ids.new_id(),
        name=name,
        kind=kind,
        url="https://git.example",
        api_url="https://git.example/api/v3",
        webhook_secret="HOOK",
        token=None,
        username="x",
        statuses=False,
        trusts_forks=True,
        created_at=now,
        updated_at=now,
    )


async def test_a_connection_of_each_kind_is_found_as_it_was_put(scene: Scene) -> None:
    for kind in ForgeKind:
        made = connection(scene, kind.value, kind)
        await put(scene, made)

        assert await find(scene, kind.value) == made

    assert await find(scene, "another") is None


async def test_a_second_one_of_a_name_changes_all_but_its_id_and_its_beginning(scene: Scene) -> None:
    first = connection(scene, "hub")
    await put(scene, first)
    later = scene.clock.now() + timedelta(hours=1)
    second = replace(
        connection(scene, "hub", ForgeKind.GITEA),
        url="https://other.example",
        token="TOKEN",
        webhook_secret=None,
        created_at=later,
        updated_at=later,
    )

    await put(scene, second)

    kept = replace(second, id=first.id, created_at=first.created_at)
    assert await everyone(scene) == [kept]


async def test_connections_are_listed_by_name(scene: Scene) -> None:
    for name in ("b", "a", "B"):
        await put(scene, connection(scene, name))

    assert [each.name for each in await everyone(scene)] == ["B", "a", "b"]


async def test_a_removed_connection_is_gone_and_its_name_free(scene: Scene) -> None:
    await put(scene, connection(scene, "hub"))

    assert await remove(scene, "hub")
    assert not await remove(scene, "hub")

    again = connection(scene, "hub")
    await put(scene, again)
    assert await everyone(scene) == [again]


async def put(scene: Scene, each: Connection) -> None:
    await scene.store.write(lambda transaction: transaction.connections.put(each))


async def remove(scene: Scene, name: str) -> bool:
    return await scene.store.write(lambda transaction: transaction.connections.remove(name))


async def find(scene: Scene, name: str) -> Connection | None:
    return await scene.look(lambda transaction: transaction.connections.get(name))


async def everyone(scene: Scene) -> list[Connection]:
    return list(await scene.look(lambda transaction: transaction.connections.all()))
