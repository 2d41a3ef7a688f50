from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from lineshaft.model.role import Role, Scope
from lineshaft.model.token import Token
from scene import Scene


def token(scene: Scene, user: str, name: str) -> Token:
    scope = Scope(Role.RUNNER)
    return Token(scene.ids.new_id(), user, name, f"hash of {user}'s {name}", scope, scene.clock.now())


async def test_a_token_is_found_as_it_was_added(scene: Scene) -> None:
    plain = token(scene, "ann", "plain")
    narrow = replace(
        token(scene, "ann", "narrow"),
        scope=Scope(Role.VIEWER, frozenset({scene.ids.new_id(), scene.ids.new_id()})),
        expires_at=scene.clock.now() + timedelta(days=1),
        certificate="ab" * 32,
    )
    useless = replace(token(scene, "ann", "useless"), scope=Scope(Role.VIEWER, frozenset()))

    for each in (plain, narrow, useless):
        assert await add(scene, each)

    assert await find(scene, plain.id) == plain
    assert await find_by_hash(scene, narrow.hash) == narrow
    assert await find(scene, useless.id) == useless
    assert await find(scene, scene.ids.new_id()) is None
    assert await find_by_hash(scene, "hash of another") is None


async def test_a_name_is_taken_for_its_user_only(scene: Scene) -> None:
    anns, bobs = token(scene, "ann", "one"), token(scene, "bob", "one")
    await add(scene, anns)

    assert not await add(scene, replace(token(scene, "ann", "one"), hash="another"))
    assert await add(scene, bobs)

    assert await of_user(scene, "ann") == [anns]
    assert await of_user(scene, "bob") == [bobs]


async def test_tokens_are_listed_by_name(scene: Scene) -> None:
    for name in ("b", "a", "B", "é"):
        await add(scene, token(scene, "ann", name))

    assert [each.name for each in await of_user(scene, "ann")] == ["B", "a", "b", "é"]


async def test_a_token_tells_when_it_was_last_used(scene: Scene) -> None:
    now = scene.clock.now()
    shown = token(scene, "ann", "shown")
    await add(scene, shown)

    for at in (now, now + timedelta(minutes=1), now):
        await used(scene, shown.id, at)
    await used(scene, scene.ids.new_id(), now)

    assert await of_user(scene, "ann") == [replace(shown, last_used_at=now + timedelta(minutes=1))]


async def test_a_removed_token_is_gone_and_its_name_free(scene: Scene) -> None:
    first = token(scene, "ann", "one")
    await add(scene, first)

    assert await remove(scene, first.id)
    assert not await remove(scene, first.id)

    assert await find_by_hash(scene, first.hash) is None
    assert await add(scene, token(scene, "ann", "one"))


async def test_all_tokens_of_a_user_are_removed_and_no_other(scene: Scene) -> None:
    bobs = token(scene, "bob", "one")
    for each in (token(scene, "ann", "one"), token(scene, "ann", "two"), bobs):
        await add(scene, each)

    await scene.store.write(lambda transaction: transaction.tokens.remove_user("ann"))

    assert await of_user(scene, "ann") == []
    assert await of_user(scene, "bob") == [bobs]


async def test_expired_tokens_are_removed_some_at_a_time(scene: Scene) -> None:
    now = scene.clock.now()
    moment = timedelta(microseconds=1)
    kept = [token(scene, "ann", "for ever"), replace(token(scene, "ann", "later"), expires_at=now + moment)]
    expired = [replace(token(scene, "bob", str(number)), expires_at=now) for number in range(3)]
    for each in (*kept, *expired):
        await add(scene, each)

    assert [await remove_expired(scene, now, 2) for _ in range(3)] == [2, 1, 0]

    assert await of_user(scene, "ann") == kept
    assert await of_user(scene, "bob") == []


async def add(scene: Scene, each: Token) -> bool:
    return await scene.store.write(lambda transaction: transaction.tokens.add(each))


async def used(scene: Scene, token_id: UUID, at: datetime) -> None:
    await scene.store.write(lambda transaction: transaction.tokens.used(token_id, at))


async def remove(scene: Scene, token_id: UUID) -> bool:
    return await scene.store.write(lambda transaction: transaction.tokens.remove(token_id))


async def find(scene: Scene, token_id: UUID) -> Token | None:
    return await scene.look(lambda transaction: transaction.tokens.get(token_id))


async def find_by_hash(scene: Scene, token_hash: str) -> Token | None:
    return await scene.look(lambda transaction: transaction.tokens.of_hash(token_hash))


async def of_user(scene: Scene, user: str) -> Sequence[Token]:
    return await scene.look(lambda transaction: transaction.tokens.of_user(user))


async def remove_expired(scene: Scene, at: datetime, limit: int) -> int:
    return await scene.store.write(lambda transaction: transaction.tokens.remove_expired(at, limit))
