"""Secrets as the stores keep them."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from lineshaft.model.secret import NO_PIPELINE, SealedValue, Secret, SecretAddress
from scene import Scene

PIPELINE = UUID(int=1)
OTHER = UUID(int=2)


def secret(scene: Scene, address: SecretAddress, key: str = "k1") -> Secret:
    now = scene.clock.now()
    value = SealedValue(key, f"sealed {address.name}".encode())
    return Secret(scene.ids.new_id(), address, value, 1, now, now, "ada")


async def add(scene: Scene, *addresses: SecretAddress, key: str = "k1") -> list[Secret]:
    made = [secret(scene, address, key) for address in addresses]
    added = await scene.store.write(lambda transaction: [transaction.secrets.add(each) for each in made])
    assert all(added)
    return made


async def get(scene: Scene, address: SecretAddress) -> Secret | None:
    return await scene.look(lambda transaction: transaction.secrets.get(address))


async def test_a_secret_is_found_at_its_whole_address_alone(scene: Scene) -> None:
    addresses = [
        SecretAddress("A"),
        SecretAddress("A", environment="prod"),
        SecretAddress("A", PIPELINE),
        SecretAddress("A", PIPELINE, "prod"),
    ]
    made = await add(scene, *addresses)

    assert [await get(scene, address) for address in addresses] == made
    assert await get(scene, SecretAddress("a")) is None
    assert await get(scene, SecretAddress("A", OTHER)) is None
    assert await get(scene, SecretAddress("A", PIPELINE, "test")) is None


async def test_a_second_secret_of_an_address_is_not_added(scene: Scene) -> None:
    (first,) = await add(scene, SecretAddress("A", PIPELINE))
    second = secret(scene, SecretAddress("A", PIPELINE))

    assert not await scene.store.write(lambda transaction: transaction.secrets.add(second))

    assert await get(scene, first.address) == first


async def test_a_value_takes_the_place_of_the_one_before_it_alone(scene: Scene) -> None:
    (first,) = await add(scene, SecretAddress("A"))
    later = scene.clock.now() + timedelta(hours=1)
    second = replace(
        first, value=SealedValue("k2", b"\x00\xff"), version=2, updated_at=later, updated_by="bob"
    )

    assert await scene.store.write(lambda transaction: transaction.secrets.replace(second))
    assert not await scene.store.write(lambda transaction: transaction.secrets.replace(second))
    stranger = replace(second, id=scene.ids.new_id(), version=3)
    assert not await scene.store.write(lambda transaction: transaction.secrets.replace(stranger))

    assert await get(scene, first.address) == second


async def test_a_value_is_resealed_only_as_it_was_read(scene: Scene) -> None:
    (first,) = await add(scene, SecretAddress("A"))
    value = SealedValue("k2", b"anew")

    assert await scene.store.write(lambda transaction: transaction.secrets.reseal(first, value))
    assert not await scene.store.write(lambda transaction: transaction.secrets.reseal(first, value))

    assert await get(scene, first.address) == replace(first, value=value)


async def test_a_removed_secret_is_gone_and_its_address_free(scene: Scene) -> None:
    (first, kept) = await add(scene, SecretAddress("A", PIPELINE), SecretAddress("A"))

    assert await scene.store.write(lambda transaction: transaction.secrets.remove(first.address))
    assert not await scene.store.write(lambda transaction: transaction.secrets.remove(first.address))

    assert await get(scene, first.address) is None
    assert await get(scene, kept.address) == kept
    await add(scene, first.address)


async def test_the_secrets_of_a_pipeline_go_with_it(scene: Scene) -> None:
    await add(scene, SecretAddress("A", PIPELINE), SecretAddress("B", PIPELINE, "prod"))
    kept = await add(scene, SecretAddress("A", OTHER), SecretAddress("A"))

    removed = await scene.store.write(lambda transaction: transaction.secrets.remove_of_pipeline(PIPELINE))

    assert removed == 2
    assert [await get(scene, each.address) for each in kept] == kept
    assert await scene.look(lambda transaction: transaction.secrets.of_pipeline(PIPELINE)) == []


async def test_secrets_are_listed_by_name_and_environment(scene: Scene) -> None:
    made = await add(
        scene,
        SecretAddress("B"),
        SecretAddress("a"),
        SecretAddress("A", environment="prod"),
        SecretAddress("A"),
    )
    await add(scene, SecretAddress("A", PIPELINE))

    found = await scene.look(lambda transaction: transaction.secrets.of_pipeline(None))

    assert found == [made[3], made[2], made[0], made[1]]


async def test_what_fits_a_pipeline_is_its_own_and_what_is_for_all(scene: Scene) -> None:
    fitting = await add(
        scene,
        SecretAddress("A"),
        SecretAddress("A", PIPELINE, "prod"),
        SecretAddress("B", environment="test"),
    )
    await add(scene, SecretAddress("A", OTHER), SecretAddress("C"))

    found = await scene.look(lambda transaction: transaction.secrets.fitting(PIPELINE, ["A", "B", "D"]))
    told = await scene.look(lambda transaction: transaction.secrets.addresses(PIPELINE, ["A", "B", "D"]))

    assert {each.id: each for each in found} == {each.id: each for each in fitting}
    assert told == {each.address for each in fitting}


async def test_any_number_of_names_may_be_asked_for(scene: Scene) -> None:
    (made,) = await add(scene, SecretAddress("N2999"))
    names = [f"N{number}" for number in range(3_000)]

    told = await scene.look(lambda transaction: transaction.secrets.addresses(PIPELINE, names))

    assert told == {made.address}


async def test_what_another_key_has_sealed_is_listed_in_portions(scene: Scene) -> None:
    old = await add(scene, *(SecretAddress(name) for name in "ABC"), key="old")
    await add(scene, SecretAddress("D"), key="new")

    first = await scene.look(
        lambda transaction: transaction.secrets.sealed_otherwise("new", after=None, limit=2)
    )
    rest = await scene.look(
        lambda transaction: transaction.secrets.sealed_otherwise("new", after=first[-1].id, limit=2)
    )

    assert [*first, *rest] == sorted(old, key=lambda each: each.id)
    counts = await scene.look(lambda transaction: transaction.secrets.count_by_key())
    assert counts == {"old": 3, "new": 1}


async def test_what_is_for_the_server_alone_fits_no_pipeline(scene: Scene) -> None:
    own, shared = SecretAddress("A", for_server=True), SecretAddress("A")
    await add(scene, own, shared, SecretAddress("A", PIPELINE))

    for_tasks = await scene.look(lambda transaction: transaction.secrets.addresses(OTHER, ["A"]))
    for_server = await scene.look(lambda transaction: transaction.secrets.addresses(NO_PIPELINE, ["A"]))
    fitting = await scene.look(lambda transaction: transaction.secrets.fitting(OTHER, ["A"]))

    assert for_tasks == {shared}
    assert for_server == {own, shared}
    assert [each.address for each in fitting] == [shared]


async def test_what_is_for_the_server_alone_is_listed_and_removed_by_itself(scene: Scene) -> None:
    made = await add(
        scene, SecretAddress("B", for_server=True), SecretAddress("A", for_server=True), SecretAddress("A")
    )

    assert await scene.look(lambda transaction: transaction.secrets.of_server()) == [made[1], made[0]]
    assert await scene.look(lambda transaction: transaction.secrets.of_pipeline(None)) == [made[2]]
    assert [await get(scene, each.address) for each in made] == made

    assert await scene.store.write(lambda transaction: transaction.secrets.remove(made[1].address))

    assert await get(scene, made[1].address) is None
    assert await get(scene, made[2].address) == made[2]
