from lineshaft.model.user import User
from scene import Scene


async def test_a_user_is_found_by_name(scene: Scene) -> None:
    ann = User("ann", "$argon2id$1")
    await scene.store.write(lambda transaction: transaction.users.put(ann))

    assert await scene.look(lambda transaction: transaction.users.get("ann")) == ann
    assert await scene.look(lambda transaction: transaction.users.get("Ann")) is None


async def test_putting_a_user_again_replaces_the_password(scene: Scene) -> None:
    await scene.store.write(lambda transaction: transaction.users.put(User("ann", "$argon2id$1")))
    await scene.store.write(lambda transaction: transaction.users.put(User("ann", "$argon2id$2")))

    found = await scene.look(lambda transaction: transaction.users.get("ann"))

    assert found == User("ann", "$argon2id$2")
