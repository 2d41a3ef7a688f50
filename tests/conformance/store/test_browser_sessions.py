from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from lineshaft.model.browser_session import BrowserSession
from lineshaft.ports.store import Transaction
from scene import Scene


def session(scene: Scene, user: str, *, hours: int = 12) -> BrowserSession:
    session_id, now = scene.ids.new_id(), scene.clock.now()
    return BrowserSession(session_id, user, f"hash of {session_id}", now, now + timedelta(hours=hours), now)


async def test_a_session_is_found_as_it_was_added(scene: Scene) -> None:
    added = session(scene, "ann")
    await add(scene, added)

    assert await find(scene, added.hash) == added
    assert await find(scene, "hash of another") is None


async def test_a_session_tells_when_it_was_last_used(scene: Scene) -> None:
    now = scene.clock.now()
    used = session(scene, "ann")
    await add(scene, used)

    for at in (now + timedelta(minutes=1), now):
        await seen(scene, used.id, at)
    await seen(scene, scene.ids.new_id(), now)

    assert await find(scene, used.hash) == replace(used, seen_at=now + timedelta(minutes=1))


async def test_a_removed_session_is_gone(scene: Scene) -> None:
    first, second = session(scene, "ann"), session(scene, "ann")
    await add(scene, first, second)

    assert await remove(scene, first.id)
    assert not await remove(scene, first.id)

    assert await find(scene, first.hash) is None
    assert await find(scene, second.hash) == second


async def test_all_sessions_of_a_user_are_removed_and_no_other(scene: Scene) -> None:
    first, second, bobs = session(scene, "ann"), session(scene, "ann"), session(scene, "bob")
    await add(scene, first, second, bobs)

    await scene.store.write(lambda transaction: transaction.browser_sessions.remove_user("ann"))

    assert [await find(scene, each.hash) for each in (first, second, bobs)] == [None, None, bobs]


async def test_all_sessions_of_a_user_but_one_are_removed(scene: Scene) -> None:
    first, second = session(scene, "ann"), session(scene, "ann")
    await add(scene, first, second)

    await scene.store.write(
        lambda transaction: transaction.browser_sessions.remove_user("ann", but=second.id)
    )

    assert [await find(scene, each.hash) for each in (first, second)] == [None, second]


async def test_expired_sessions_are_removed_some_at_once(scene: Scene) -> None:
    lasting = session(scene, "ann", hours=3)
    expired = [session(scene, "ann", hours=hours) for hours in (1, 1, 2)]
    await add(scene, lasting, *expired)
    now = scene.clock.now() + timedelta(hours=2)

    assert [await remove_expired(scene, now, 2) for _ in range(3)] == [2, 1, 0]

    assert [await find(scene, each.hash) for each in (*expired, lasting)] == [None, None, None, lasting]


async def add(scene: Scene, *sessions: BrowserSession) -> None:
    def add_all(transaction: Transaction) -> None:
        for each in sessions:
            transaction.browser_sessions.add(each)

    await scene.store.write(add_all)


async def find(scene: Scene, session_hash: str) -> BrowserSession | None:
    return await scene.look(lambda transaction: transaction.browser_sessions.of_hash(session_hash))


async def seen(scene: Scene, session_id: UUID, at: datetime) -> None:
    await scene.store.write(lambda transaction: transaction.browser_sessions.seen(session_id, at))


async def remove(scene: Scene, session_id: UUID) -> bool:
    return await scene.store.write(lambda transaction: transaction.browser_sessions.remove(session_id))


async def remove_expired(scene: Scene, at: datetime, limit: int) -> int:
    return await scene.store.write(lambda transaction: transaction.browser_sessions.remove_expired(at, limit))
