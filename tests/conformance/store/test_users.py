from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from lineshaft.model.role import Role
from lineshaft.model.user import User
from lineshaft.ports.store import Transaction
from scene import Scene


async def test_a_user_is_found_by_name(scene: Scene) -> None:
    ann = User("ann", "$argon2id$1")
    await put(scene, ann)

    assert await find(scene, "ann") == ann
    assert await find(scene, "Ann") is None


async def test_a_user_is_kept_with_all_that_is_known_of_them(scene: Scene) -> None:
    now = scene.clock.now()
    ann = User(
        "ann",
        role=Role.RUNNER,
        issuer="https://id.example",
        subject="17",
        from_settings=True,
        created_at=now,
        disabled_at=now + timedelta(days=1),
        last_seen_at=now + timedelta(hours=1),
    )
    await put(scene, ann)

    assert await find(scene, "ann") == ann


async def test_putting_a_user_again_replaces_the_password(scene: Scene) -> None:
    await put(scene, User("ann", "$argon2id$1"))
    await put(scene, User("ann", "$argon2id$2"))

    assert await find(scene, "ann") == User("ann", "$argon2id$2")


async def test_a_second_user_of_a_name_is_not_added(scene: Scene) -> None:
    first = User("ann", "$argon2id$1", Role.VIEWER)

    assert await scene.store.write(lambda transaction: transaction.users.add(first))
    assert not await scene.store.write(
        lambda transaction: transaction.users.add(User("ann", role=Role.ADMIN))
    )

    assert await find(scene, "ann") == first


async def test_a_user_is_held_while_something_depends_on_them(scene: Scene) -> None:
    ann = User("ann", "$argon2id$1")
    await put(scene, ann)

    assert await scene.store.write(lambda transaction: transaction.users.hold("ann")) == ann
    assert await scene.store.write(lambda transaction: transaction.users.hold("bob")) is None


async def test_a_user_is_found_by_what_the_provider_calls_them(scene: Scene) -> None:
    now = scene.clock.now()
    ann = User("ann", issuer="https://id.example", subject="17", created_at=now)
    await put(scene, ann, replace(ann, name="also ann", created_at=now + timedelta(days=1)), User("bob"))

    assert await of_subject(scene, "https://id.example", "17") == ann
    assert await of_subject(scene, "https://other.example", "17") is None
    assert await of_subject(scene, "https://id.example", "18") is None


async def test_users_are_listed_by_name_page_by_page(scene: Scene) -> None:
    await put(scene, *(User(name) for name in ("b", "a", "B", "é")))

    assert [user.name for user in await page(scene, None, 3)] == ["B", "a", "b"]
    assert [user.name for user in await page(scene, "b", 3)] == ["é"]


async def test_users_of_the_settings_are_found(scene: Scene) -> None:
    named = User("named", "$argon2id$1", Role.ADMIN, from_settings=True)
    await put(scene, named, User("other", "$argon2id$1", Role.ADMIN))

    assert await scene.look(lambda transaction: list(transaction.users.from_settings())) == [named]


async def test_only_admins_who_may_sign_in_count(scene: Scene) -> None:
    now = scene.clock.now()
    await put(
        scene,
        User("by password", "$argon2id$1", Role.ADMIN),
        User("elsewhere", "", Role.ADMIN, issuer="https://id.example", subject="17"),
        User("not at all", "", Role.ADMIN),
        User("disabled", "$argon2id$1", Role.ADMIN, disabled_at=now),
        User("maintainer", "$argon2id$1", Role.MAINTAINER),
    )

    assert await scene.look(lambda transaction: transaction.users.admins()) == 2
    assert await scene.store.write(lambda transaction: transaction.users.admins()) == 2


async def test_a_user_tells_when_they_were_last_seen(scene: Scene) -> None:
    now = scene.clock.now()
    await put(scene, User("ann"))

    for at in (now, now + timedelta(minutes=1), now):
        await seen(scene, "ann", at)
    await seen(scene, "nobody", now)

    assert await page(scene, None, 9) == [User("ann", last_seen_at=now + timedelta(minutes=1))]


async def test_a_removed_user_is_gone(scene: Scene) -> None:
    await put(scene, User("ann"), User("bob"))

    assert await remove(scene, "ann")
    assert not await remove(scene, "ann")

    assert await page(scene, None, 9) == [User("bob")]


async def put(scene: Scene, *users: User) -> None:
    def put_all(transaction: Transaction) -> None:
        for user in users:
            transaction.users.put(user)

    await scene.store.write(put_all)


async def find(scene: Scene, name: str) -> User | None:
    return await scene.look(lambda transaction: transaction.users.get(name))


async def of_subject(scene: Scene, issuer: str, subject: str) -> User | None:
    return await scene.look(lambda transaction: transaction.users.of_subject(issuer, subject))


async def page(scene: Scene, after: str | None, limit: int) -> Sequence[User]:
    return await scene.look(lambda transaction: transaction.users.page(after=after, limit=limit))


async def seen(scene: Scene, name: str, at: datetime) -> None:
    await scene.store.write(lambda transaction: transaction.users.seen(name, at))


async def remove(scene: Scene, name: str) -> bool:
    return await scene.store.write(lambda transaction: transaction.users.remove(name))
