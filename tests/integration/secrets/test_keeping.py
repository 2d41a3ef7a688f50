"""Secrets as people look after them: set, list, delete, seal anew."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from desk import DeskWorker
from lineshaft.model.audit_entry import Action, AuditEntry
from lineshaft.model.errors import (
    InvalidInputError,
    NotFoundError,
    PipelineNotFoundError,
    SecretsUnavailableError,
)
from lineshaft.model.principal import Actor, Means
from lineshaft.model.secret import SealedValue, Secret, SecretAddress, Wanted
from lineshaft.ports.cipher import Cipher, FakeCipher
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import AuditFilter, Transaction
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.secrets.keeping import SecretService
from lineshaft.services.secrets.lookup import DatabaseSecrets
from planes import temporary_plane

ADA = Actor("ada", Means.PASSWORD, "192.0.2.1", "request-1")
VALUE = "correct-horse-battery"
TOKEN = SecretAddress("TOKEN")
NOWHERE = UUID(int=7)


async def audit(plane: ControlPlane) -> Sequence[AuditEntry]:
    entries = await plane.store.read(
        lambda transaction: transaction.audit.page(AuditFilter(), before=None, limit=100)
    )
    return [entry for entry in reversed(entries) if entry.action.startswith("secret")]


async def listed(plane: ControlPlane) -> Sequence[Secret]:
    return await plane.secrets.keeping.page(None, after=None, limit=100)


async def opened(plane: ControlPlane, cipher: Cipher, wanted: Wanted) -> str | None:
    found = await DatabaseSecrets(plane.store, cipher).fetch([wanted])
    return found[wanted].value if wanted in found else None


async def pipeline_id_of(plane: ControlPlane) -> SecretAddress:
    pipeline = await DeskWorker(plane).pipeline("name: shop\nsteps: [{name: a, run: x}]")
    return SecretAddress("TOKEN", pipeline.id)


async def test_a_secret_keeps_its_identity_over_its_values(plane: ControlPlane) -> None:
    first = await plane.secrets.keeping.set(TOKEN, VALUE, ADA)
    second = await plane.secrets.keeping.set(TOKEN, "another-value", ADA)

    assert (first.version, second.version) == (1, 2)
    assert (second.id, second.created_at, second.updated_by) == (first.id, first.created_at, "ada")
    assert await listed(plane) == [second]


async def test_setting_and_deleting_stand_in_the_audit_log_without_the_value(plane: ControlPlane) -> None:
    address = await pipeline_id_of(plane)
    await plane.secrets.keeping.set(address, VALUE, ADA)
    await plane.secrets.keeping.delete(address, ADA)

    entries = await audit(plane)

    assert [(each.action, each.actor, each.target, each.pipeline_id) for each in entries] == [
        (Action.SECRET_SET, ADA, "TOKEN", address.pipeline_id),
        (Action.SECRET_DELETED, ADA, "TOKEN", address.pipeline_id),
    ]
    assert entries[0].detail == {"environment": None, "version": 1}
    assert VALUE not in repr(entries)


async def test_what_is_not_there_cannot_be_deleted(plane: ControlPlane) -> None:
    await plane.secrets.keeping.set(TOKEN, VALUE, ADA)
    with pytest.raises(NotFoundError, match="TOKEN"):
        await plane.secrets.keeping.delete(SecretAddress("TOKEN", environment="prod"), ADA)
    assert len(await listed(plane)) == 1


async def test_a_secret_needs_a_pipeline_that_is_there(plane: ControlPlane) -> None:
    nowhere = SecretAddress("TOKEN", NOWHERE)
    with pytest.raises(PipelineNotFoundError):
        await plane.secrets.keeping.set(nowhere, VALUE, ADA)
    with pytest.raises(PipelineNotFoundError):
        await plane.secrets.keeping.delete(nowhere, ADA)
    with pytest.raises(PipelineNotFoundError):
        await plane.secrets.keeping.page(nowhere.pipeline_id, after=None, limit=1)


async def test_secrets_go_with_their_pipeline(plane: ControlPlane) -> None:
    address = await pipeline_id_of(plane)
    assert address.pipeline_id is not None
    await plane.secrets.keeping.set(address, VALUE, ADA)

    await plane.pipelines.delete(address.pipeline_id)

    assert await plane.store.read(lambda transaction: transaction.secrets.get(address)) is None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "fewer than 8 characters"),
        ("1234567", "fewer than 8 characters"),
        ("production", "so common"),
        ("x" * 65_537, "not be longer than 65,536 bytes"),
        ("é" * 32_769, "not be longer than 65,536 bytes"),
        ("good-value\0", "must not hold a NUL"),
        ("good-value\ud800", "must be text in UTF-8"),
    ],
)
async def test_a_value_that_cannot_be_masked_or_given_is_refused_with_the_reason(
    plane: ControlPlane, value: str, why: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await plane.secrets.keeping.set(TOKEN, value, ADA)
    (problem,) = caught.value.problems
    assert problem.field == "value"
    assert why in problem.message
    assert await listed(plane) == []


@pytest.mark.parametrize(
    ("address", "field"),
    [
        (SecretAddress(""), "name"),
        (SecretAddress("1A"), "name"),
        (SecretAddress("A-B"), "name"),
        (SecretAddress("A\0"), "name"),
        (SecretAddress("A" * 256), "name"),
        (SecretAddress("PATH"), "name"),
        (SecretAddress("LINESHAFT_X"), "name"),
        (SecretAddress("LD_PRELOAD"), "name"),
        (SecretAddress("A", environment="a b"), "environment"),
        (SecretAddress("A", environment="é"), "environment"),
        (SecretAddress("A", environment="a" * 201), "environment"),
    ],
)
async def test_names_that_no_task_could_say_are_refused(
    plane: ControlPlane, address: SecretAddress, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await plane.secrets.keeping.set(address, VALUE, ADA)
    assert [problem.field for problem in caught.value.problems] == [field]


async def test_the_longest_value_and_names_are_taken(plane: ControlPlane) -> None:
    address = SecretAddress("A" * 255, environment="e" * 200)
    await plane.secrets.keeping.set(address, "0123456789abcdef" * 4_096, ADA)
    assert [each.address for each in await listed(plane)] == [address]


async def test_the_closest_secret_is_found_first(plane: ControlPlane) -> None:
    of_pipeline = await pipeline_id_of(plane)
    pipeline_id = of_pipeline.pipeline_id
    assert pipeline_id is not None
    in_prod = Wanted("TOKEN", pipeline_id, "shop", "prod")
    addresses = [
        SecretAddress("TOKEN"),
        SecretAddress("TOKEN", environment="prod"),
        SecretAddress("TOKEN", pipeline_id),
        SecretAddress("TOKEN", pipeline_id, "prod"),
    ]
    found = []
    for number, address in enumerate(addresses):
        await plane.secrets.keeping.set(address, f"value-number-{number}", ADA)
        found.append(await opened(plane, FakeCipher(), in_prod))

    assert found == [f"value-number-{number}" for number in range(4)]
    elsewhere = Wanted("TOKEN", pipeline_id, "shop", "test")
    assert await opened(plane, FakeCipher(), elsewhere) == "value-number-2"
    assert await opened(plane, FakeCipher(), Wanted("TOKEN", NOWHERE, "b", "")) == "value-number-0"


async def test_those_who_set_a_secret_at_once_have_each_a_version(plane: ControlPlane) -> None:
    made = await asyncio.gather(
        *(plane.secrets.keeping.set(TOKEN, f"value-number-{number}", ADA) for number in range(5))
    )
    assert sorted(secret.version for secret in made) == [1, 2, 3, 4, 5]
    last = max(made, key=lambda secret: secret.version)
    assert await listed(plane) == [last]


async def test_a_sealed_value_opens_in_no_other_place_and_not_as_a_later_one(plane: ControlPlane) -> None:
    first = await plane.secrets.keeping.set(TOKEN, VALUE, ADA)
    other = await plane.secrets.keeping.set(SecretAddress("OTHER"), "another-value", ADA)
    later = await plane.secrets.keeping.set(TOKEN, "yet-another-value", ADA)

    def move(transaction: Transaction) -> list[bool]:
        return [transaction.secrets.reseal(secret, first.value) for secret in (other, later)]

    assert await plane.store.write(move) == [True, True]
    for name in ("OTHER", "TOKEN"):
        with pytest.raises(SecretsUnavailableError):
            await opened(plane, FakeCipher(), Wanted(name, NOWHERE, "shop"))


class Interrupted(FakeCipher):
    """A cipher whose process dies after some values."""

    def __init__(self, *key_ids: str, after: int) -> None:
        super().__init__(*key_ids)
        self._left = after

    async def seal(self, plain: bytes, context: bytes) -> SealedValue:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return await super().seal(plain, context)


def with_keys(plane: ControlPlane, cipher: Cipher) -> SecretService:
    return SecretService(plane.store, SystemClock(), RandomIds(), cipher)


async def test_all_is_sealed_with_the_new_key_and_the_old_one_is_not_needed_any_more(
    tmp_path: Path, database_url: str
) -> None:
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher("old")) as plane:
        for number in range(60):
            await plane.secrets.keeping.set(SecretAddress(f"S{number}"), f"value-number-{number}", ADA)
        rotated = with_keys(plane, FakeCipher("new", "old"))

        resealed = await rotated.reseal(ADA)
        again = await rotated.reseal(ADA)

        assert (resealed.key_id, resealed.count, resealed.unopened) == ("new", 60, ())
        assert (again.count, again.unopened) == (0, ())
        assert await opened(plane, FakeCipher("new"), Wanted("S59", NOWHERE, "x")) == "value-number-59"
        entries = [each for each in await audit(plane) if each.action is Action.SECRETS_RESEALED]
        assert [entry.target for entry in entries] == ["new", "new"]
        assert [entry.detail for entry in entries] == [{"count": 50}, {"count": 10}]


async def test_sealing_goes_on_where_it_was_interrupted(tmp_path: Path, database_url: str) -> None:
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher("old")) as plane:
        for number in range(60):
            await plane.secrets.keeping.set(SecretAddress(f"S{number}"), VALUE, ADA)
        interrupted = with_keys(plane, Interrupted("new", "old", after=55))
        with pytest.raises(KeyboardInterrupt):
            await interrupted.reseal(ADA)

        resealed = await with_keys(plane, FakeCipher("new", "old")).reseal(ADA)

        assert resealed.count == 10


async def test_several_servers_may_seal_anew_at_once(tmp_path: Path, database_url: str) -> None:
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher("old")) as plane:
        for number in range(20):
            await plane.secrets.keeping.set(SecretAddress(f"S{number}"), VALUE, ADA)
        servers = [with_keys(plane, FakeCipher("new", "old")) for _ in range(3)]

        resealed = await asyncio.gather(*(server.reseal(ADA) for server in servers))

        assert sum(each.count for each in resealed) == 20


async def test_what_no_key_opens_is_named_and_left_as_it_is(tmp_path: Path, database_url: str) -> None:
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher("lost")) as plane:
        lost = await plane.secrets.keeping.set(TOKEN, VALUE, ADA)
        await with_keys(plane, FakeCipher("old")).set(SecretAddress("OTHER"), VALUE, ADA)

        resealed = await with_keys(plane, FakeCipher("new", "old")).reseal(ADA)

        assert (resealed.count, resealed.unopened) == (1, (lost,))
        assert lost in await listed(plane)


async def test_a_server_says_at_its_start_what_it_cannot_open(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher("one")) as plane:
        await plane.secrets.keeping.set(TOKEN, VALUE, ADA)
        with caplog.at_level(logging.ERROR, logger="lineshaft.secrets"):
            await with_keys(plane, FakeCipher("one")).check_keys()
            assert caplog.messages == []
            await with_keys(plane, FakeCipher("two")).check_keys()
        (message,) = caplog.messages
        assert message.startswith("1 secret cannot be opened by this server.")


async def test_without_a_key_nothing_is_kept(tmp_path: Path, database_url: str) -> None:
    async with temporary_plane(tmp_path, url=database_url) as plane:
        with pytest.raises(SecretsUnavailableError, match="no key"):
            await plane.secrets.keeping.set(TOKEN, VALUE, ADA)
        assert await listed(plane) == []


OWN = SecretAddress("TOKEN", for_server=True)


async def test_a_secret_for_the_server_alone_is_listed_apart(plane: ControlPlane) -> None:
    own = await plane.secrets.keeping.set(OWN, VALUE, ADA)
    shared = await plane.secrets.keeping.set(TOKEN, "another-value", ADA)

    assert await plane.secrets.keeping.page_of_server(after=None, limit=10) == [own]
    assert await plane.secrets.keeping.page_of_server(after="TOKEN", limit=10) == []
    assert await listed(plane) == [shared]
    await plane.secrets.keeping.delete(OWN, ADA)
    assert await plane.secrets.keeping.page_of_server(after=None, limit=10) == []
    assert await listed(plane) == [shared]


async def test_the_audit_log_tells_which_secrets_are_for_the_server_alone(plane: ControlPlane) -> None:
    await plane.secrets.keeping.set(OWN, VALUE, ADA)
    await plane.secrets.keeping.delete(OWN, ADA)

    assert [(each.action, each.target, each.detail) for each in await audit(plane)] == [
        (Action.SECRET_SET, "TOKEN", {"for_server": True, "version": 1}),
        (Action.SECRET_DELETED, "TOKEN", {"for_server": True}),
    ]


async def test_a_sealed_value_for_the_server_alone_does_not_open_as_one_for_all(plane: ControlPlane) -> None:
    own = await plane.secrets.keeping.set(OWN, VALUE, ADA)
    moved = replace(own, address=TOKEN)
    await plane.store.write(lambda transaction: transaction.secrets.remove(OWN))
    assert await plane.store.write(lambda transaction: transaction.secrets.add(moved))

    with pytest.raises(SecretsUnavailableError):
        await opened(plane, FakeCipher(), Wanted("TOKEN", NOWHERE, "shop"))


async def test_secrets_for_the_server_alone_are_sealed_anew_with_the_rest(
    tmp_path: Path, database_url: str
) -> None:
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher("old")) as plane:
        await plane.secrets.keeping.set(OWN, VALUE, ADA)

        resealed = await with_keys(plane, FakeCipher("new", "old")).reseal(ADA)

        assert resealed.count == 1
        assert await opened(plane, FakeCipher("new"), Wanted.by_server("TOKEN")) == VALUE


def test_what_is_for_the_server_alone_is_for_nothing_else() -> None:
    with pytest.raises(ValueError, match="no pipeline and no environment"):
        SecretAddress("TOKEN", NOWHERE, for_server=True)
    with pytest.raises(ValueError, match="no pipeline and no environment"):
        SecretAddress("TOKEN", environment="prod", for_server=True)
