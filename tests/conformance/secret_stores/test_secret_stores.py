"""What every store of secrets does; see `ports.secret_store.SecretStore`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from lineshaft.model.secret import SecretAddress, Wanted
from lineshaft.ports.secret_store import SecretStore

Holding = Callable[[Mapping[SecretAddress, str]], Awaitable[SecretStore]]

ONE, TWO = "value-number-one", "value-number-two\nof two lines"


async def test_what_is_there_is_returned_and_the_rest_left_out(holding: Holding, pipeline_id: UUID) -> None:
    store = await holding({SecretAddress("A"): ONE, SecretAddress("B"): TWO})
    wanted = [Wanted(name, pipeline_id, "shop", "prod") for name in "ABC"]

    found = await store.fetch(wanted)

    assert {each.name: secret.value for each, secret in found.items()} == {"A": ONE, "B": TWO}
    assert all(secret.found_at for secret in found.values())


async def test_missing_is_what_would_be_left_out(holding: Holding, pipeline_id: UUID) -> None:
    store = await holding({SecretAddress("A"): ONE})
    wanted = [Wanted(name, pipeline_id, "shop") for name in "AB"]
    assert await store.missing(wanted) == {wanted[1]}


async def test_who_asks_for_nothing_gets_nothing(holding: Holding) -> None:
    store = await holding({SecretAddress("A"): ONE})
    assert (await store.missing([]), await store.fetch([])) == (frozenset(), {})


async def test_many_may_ask_at_once_and_again(holding: Holding, pipeline_id: UUID) -> None:
    store = await holding({SecretAddress("A"): ONE})
    wanted = Wanted("A", pipeline_id, "shop")

    found = await asyncio.gather(*(store.fetch([wanted]) for _ in range(10)))

    assert [each[wanted].value for each in found] == [ONE] * 10


async def test_what_is_found_does_not_show_its_value(holding: Holding, pipeline_id: UUID) -> None:
    store = await holding({SecretAddress("A"): ONE})
    found = await store.fetch([Wanted("A", pipeline_id, "shop")])
    assert ONE not in f"{found} {store!r}"


async def test_names_differ_by_their_case(holding: Holding, pipeline_id: UUID) -> None:
    store = await holding({SecretAddress("A"): ONE})
    wanted = Wanted("a", pipeline_id, "shop")
    assert await store.missing([wanted]) == {wanted}


async def test_the_closest_goes_first(scoped: Holding, pipeline_id: UUID) -> None:
    everywhere = {
        SecretAddress("A"): "for-all-pipelines",
        SecretAddress("A", None, "prod"): "for-the-environment",
        SecretAddress("A", pipeline_id): "for-the-pipeline",
        SecretAddress("A", pipeline_id, "prod"): "for-pipeline-and-environment",
    }
    store = await scoped(everywhere)
    asked = {
        environment: Wanted("A", pipeline_id, "shop", environment) for environment in ("", "prod", "test")
    }

    found = await store.fetch(tuple(asked.values()))

    assert {environment: found[wanted].value for environment, wanted in asked.items()} == {
        "": "for-the-pipeline",
        "prod": "for-pipeline-and-environment",
        "test": "for-the-pipeline",
    }


async def test_the_environments_goes_before_the_one_for_all(scoped: Holding, pipeline_id: UUID) -> None:
    store = await scoped({SecretAddress("A"): "for-all-pipelines", SecretAddress("A", None, "prod"): ONE})
    wanted = Wanted("A", pipeline_id, "shop", "prod")
    assert (await store.fetch([wanted]))[wanted].value == ONE


async def test_what_is_for_another_environment_is_not_there(scoped: Holding, pipeline_id: UUID) -> None:
    store = await scoped({SecretAddress("A", pipeline_id, "prod"): ONE})
    wanted = [Wanted("A", pipeline_id, "shop"), Wanted("A", pipeline_id, "shop", "test")]
    assert await store.missing(wanted) == set(wanted)
    assert await store.fetch(wanted) == {}


async def test_what_is_for_the_server_alone_is_given_to_no_task(scoped: Holding, pipeline_id: UUID) -> None:
    store = await scoped({SecretAddress("A", for_server=True): ONE})
    wanted = [Wanted("A", pipeline_id, "shop"), Wanted("A", pipeline_id, "shop", "server")]
    assert await store.missing(wanted) == set(wanted)
    assert await store.fetch(wanted) == {}


async def test_the_server_takes_its_own_before_the_one_for_all(scoped: Holding) -> None:
    store = await scoped(
        {
            SecretAddress("A", for_server=True): ONE,
            SecretAddress("A"): "for-all-pipelines",
            SecretAddress("B"): TWO,
        }
    )
    own, shared, none = (Wanted.by_server(name) for name in "ABC")

    found = await store.fetch([own, shared, none])

    assert {each: (secret.value, secret.for_server) for each, secret in found.items()} == {
        own: (ONE, True),
        shared: (TWO, False),
    }
    assert await store.missing([own, shared, none]) == {none}
