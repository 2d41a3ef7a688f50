"""Signing keys as the stores keep them."""

from dataclasses import replace
from datetime import timedelta

from lineshaft.model.secret import SealedValue
from lineshaft.model.signing_key import SigningKey
from lineshaft.ports.store import Transaction
from scene import Scene


def key(scene: Scene, name: str, age: timedelta = timedelta()) -> SigningKey:
    public = {"kty": "RSA", "kid": name, "n": "AQAB", "e": "AQAB"}
    return SigningKey(name, public, SealedValue("k1", b"\x00sealed\xff"), scene.clock.now() - age)


async def add(scene: Scene, *keys: SigningKey) -> None:
    def work(transaction: Transaction) -> None:
        for each in keys:
            transaction.signing_keys.add(each)

    await scene.store.write(work)


async def test_signing_keys_are_listed_as_they_were_added_oldest_first(scene: Scene) -> None:
    new, old, of_same_age = key(scene, "b"), key(scene, "c", timedelta(days=1)), key(scene, "a")
    await add(scene, new, old, of_same_age)

    assert await scene.look(lambda transaction: transaction.signing_keys.all()) == [old, of_same_age, new]


async def test_a_removed_signing_key_is_gone(scene: Scene) -> None:
    kept, gone = key(scene, "kept"), key(scene, "gone")
    await add(scene, kept, gone)

    assert await scene.store.write(lambda transaction: transaction.signing_keys.remove("gone"))
    assert not await scene.store.write(lambda transaction: transaction.signing_keys.remove("gone"))

    assert await scene.look(lambda transaction: transaction.signing_keys.all()) == [kept]


async def test_a_signing_key_is_resealed_only_as_it_was_read(scene: Scene) -> None:
    first, other = key(scene, "first"), key(scene, "other", timedelta(days=1))
    await add(scene, first, other)
    anew = SealedValue("k2", b"sealed anew")

    assert await scene.store.write(lambda transaction: transaction.signing_keys.reseal(first, anew))
    assert not await scene.store.write(lambda transaction: transaction.signing_keys.reseal(first, anew))

    keys = await scene.look(lambda transaction: transaction.signing_keys.all())
    assert keys == [other, replace(first, private=anew)]
