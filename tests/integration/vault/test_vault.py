"""Secrets out of a Vault, over real HTTP."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from desk import DeskWorker
from integration.certificates import Certified
from lineshaft.integrations.vault import VaultAccess, VaultSecrets
from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import SecretAddress, Wanted
from lineshaft.model.state import State
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.server.composition import open_control_plane
from lineshaft.server.settings import ServerSettings
from lineshaft.services.run_request import RunRequest
from planes import temporary_plane
from vault_server import ROLE_ID, Vault, vault_server

VALUE = "correct-horse-battery"
SHOP = "lineshaft/pipelines/shop"
MOMENT = timedelta(seconds=5)


def wanted(name: str = "TOKEN", pipeline: str = "shop", environment: str = "") -> Wanted:
    return Wanted(name, UUID(int=1), pipeline, environment)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with vault_server() as served:
        yield served


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def by_token(vault: Vault, folder: Path, token: str = "root") -> VaultAccess:  # noqa: S107 - of a test.
    path = folder / "token"
    path.write_text(f"{token}\n")
    return VaultAccess(vault.url, token_file=path)


def by_role(vault: Vault, folder: Path, secret_id: str = "secret-1") -> VaultAccess:  # noqa: S107 - of a test.
    path = folder / "secret-id"
    path.write_text(secret_id)
    return VaultAccess(vault.url, role_id=ROLE_ID, secret_id_file=path)


@asynccontextmanager
async def secrets_of(access: VaultAccess, clock: ManualClock) -> AsyncIterator[VaultSecrets]:
    async with VaultSecrets(access, clock, (30.0, 30.0)).open() as opened:
        yield opened


@pytest.fixture
async def secrets(vault: Vault, tmp_path: Path, clock: ManualClock) -> AsyncIterator[VaultSecrets]:
    async with secrets_of(by_token(vault, tmp_path), clock) as opened:
        yield opened


async def value_of(secrets: VaultSecrets, each: Wanted) -> str | None:
    found = (await secrets.fetch([each])).get(each)
    return None if found is None else found.value


async def trouble_of(secrets: VaultSecrets) -> str:
    with pytest.raises(SecretsUnavailableError) as caught:
        await secrets.fetch([wanted()])
    return f"{caught.value.message} {caught.value.advice}"


async def test_what_is_closest_is_found_first(
    vault: Vault, secrets: VaultSecrets, clock: ManualClock
) -> None:
    places = ["lineshaft/global", "lineshaft/environments/prod", SHOP, f"{SHOP}/environments/prod"]
    found = []
    for number, place in enumerate(places):
        vault.values[place] = {"TOKEN": f"value-{number}"}
        found.append(await value_of(secrets, wanted(environment="prod")))
        clock.advance(MOMENT)

    assert found == ["value-0", "value-1", "value-2", "value-3"]
    assert await value_of(secrets, wanted(environment="test")) == "value-2"
    assert await value_of(secrets, wanted(pipeline="other")) == "value-0"


async def test_what_was_found_is_named_by_its_place(vault: Vault, secrets: VaultSecrets) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    (found,) = (await secrets.fetch([wanted()])).values()
    assert found.found_at == f"Vault, secret/{SHOP}"


async def test_what_was_deleted_or_never_there_is_missing(vault: Vault, secrets: VaultSecrets) -> None:
    vault.deleted.add(SHOP)
    vault.values["lineshaft/global"] = {"OTHER": VALUE}
    assert await secrets.missing([wanted(), wanted("OTHER")]) == {wanted()}
    assert (await secrets.fetch([wanted(), wanted("OTHER")])).keys() == {wanted("OTHER")}


@pytest.mark.parametrize(
    "name",
    ["../x", "..", ".", "x/../../y", "a//b", "/", "%2e%2e", "a?version=1", "a#b", "é", "a\nb", "x\ud800"],
)
async def test_no_name_of_a_pipeline_leads_out_of_the_prefix_or_to_anothers_secrets(
    vault: Vault, secrets: VaultSecrets, name: str
) -> None:
    own = next(VaultAccess("").paths(name, ""))
    vault.values[own] = {"TOKEN": VALUE}

    assert await value_of(secrets, wanted(pipeline=name)) == VALUE

    assert vault.reads() == [own]
    assert own.count("/") == 2
    assert own.startswith("lineshaft/pipelines/")


async def test_a_value_that_is_no_text_is_refused(vault: Vault, secrets: VaultSecrets) -> None:
    vault.values[SHOP] = {"TOKEN": {"password": VALUE}}
    said = await trouble_of(secrets)
    assert f"The secret TOKEN in Vault, secret/{SHOP} is no text" in said
    assert VALUE not in said


async def test_a_role_signs_in_once_for_many_calls(vault: Vault, tmp_path: Path, clock: ManualClock) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    async with secrets_of(by_role(vault, tmp_path), clock) as secrets:
        await asyncio.gather(*(value_of(secrets, wanted(f"T{number}", f"p{number}")) for number in range(8)))
        assert await value_of(secrets, wanted()) == VALUE
    assert vault.count("POST /v1/auth/approle/login") == 1


async def test_a_token_is_renewed_before_it_ends(vault: Vault, tmp_path: Path, clock: ManualClock) -> None:
    async with secrets_of(by_role(vault, tmp_path), clock) as secrets:
        await secrets.check()
        clock.advance(timedelta(minutes=39))
        await secrets.check()
        assert vault.count("POST /v1/auth/token/renew-self") == 0
        clock.advance(timedelta(minutes=2))
        await secrets.check()
        await secrets.check()
    assert vault.count("POST /v1/auth/token/renew-self") == 1
    assert vault.count("POST /v1/auth/approle/login") == 1


async def test_a_token_that_cannot_be_renewed_much_longer_is_changed_for_a_new_one(
    vault: Vault, tmp_path: Path, clock: ManualClock
) -> None:
    async with secrets_of(by_role(vault, tmp_path), clock) as secrets:
        await secrets.check()
        vault.tokens["hvs.made-1"] = 60
        clock.advance(timedelta(minutes=41))
        await secrets.check()
    assert vault.count("POST /v1/auth/approle/login") == 2


async def test_a_token_is_used_on_while_it_cannot_be_renewed(
    vault: Vault, tmp_path: Path, clock: ManualClock
) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    async with secrets_of(by_role(vault, tmp_path), clock) as secrets:
        await secrets.check()
        clock.advance(timedelta(minutes=41))
        vault.failing = (500, ["internal error"])
        await secrets.check()
        vault.failing = None
        assert await value_of(secrets, wanted()) == VALUE


async def test_a_token_that_was_revoked_is_changed_for_a_new_one(
    vault: Vault, tmp_path: Path, clock: ManualClock
) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    async with secrets_of(by_role(vault, tmp_path), clock) as secrets:
        await secrets.check()
        vault.tokens.clear()
        assert await value_of(secrets, wanted()) == VALUE
    assert vault.count("POST /v1/auth/approle/login") == 2


async def test_a_token_file_is_read_again_when_its_token_is_not_taken_any_more(
    vault: Vault, tmp_path: Path, clock: ManualClock
) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    access = by_token(vault, tmp_path)
    async with secrets_of(access, clock) as secrets:
        await secrets.check()
        vault.tokens = {"other": 0}
        by_token(vault, tmp_path, "other")
        assert await value_of(secrets, wanted()) == VALUE


async def test_what_the_policy_forbids_is_not_taken_for_missing_and_nobody_signs_in_again(
    vault: Vault, tmp_path: Path, clock: ManualClock
) -> None:
    vault.values["lineshaft/global"] = {"TOKEN": VALUE}
    vault.unreadable.add(SHOP)
    async with secrets_of(by_role(vault, tmp_path), clock) as secrets:
        said = await trouble_of(secrets)
    assert f'path "secret/data/{SHOP}" {{ capabilities = ["read"] }}' in said
    assert vault.count("POST /v1/auth/approle/login") == 1


@pytest.mark.parametrize(
    ("status", "errors", "said"),
    [
        (503, ["Vault is sealed"], "Unseal it"),
        (501, ["Vault is not initialized"], "vault operator init"),
        (500, ["internal error"], "has failed: InternalServerError"),
        (502, ["third party"], "has failed: BadGateway"),
        (429, ["request path blocked by quota"], "Raise its quota"),
        (412, ["required index state not present"], "has failed: UnexpectedError"),
    ],
)
async def test_each_trouble_of_vault_is_told_with_advice(
    vault: Vault, secrets: VaultSecrets, status: int, errors: list[str], said: str
) -> None:
    await secrets.check()
    vault.failing = (status, errors)
    told = await trouble_of(secrets)
    assert said in told
    assert "root" not in told


async def test_after_trouble_the_next_call_asks_again(vault: Vault, secrets: VaultSecrets) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    vault.failing = (503, ["Vault is sealed"])
    await trouble_of(secrets)
    vault.failing = None
    assert await value_of(secrets, wanted()) == VALUE


async def test_a_mount_that_is_not_there_is_told(vault: Vault, tmp_path: Path, clock: ManualClock) -> None:
    access = replace(by_token(vault, tmp_path), mount="kv")
    async with secrets_of(access, clock) as secrets:
        assert "Set LINESHAFT_VAULT_MOUNT" in await trouble_of(secrets)


async def test_wrong_credentials_are_told(vault: Vault, tmp_path: Path, clock: ManualClock) -> None:
    async with secrets_of(by_token(vault, tmp_path, "wrong"), clock) as secrets:
        assert "LINESHAFT_VAULT_TOKEN_FILE" in await trouble_of(secrets)
    async with secrets_of(by_role(vault, tmp_path, "wrong"), clock) as secrets:
        assert "LINESHAFT_VAULT_SECRET_ID_FILE" in await trouble_of(secrets)


@pytest.mark.parametrize("content", [None, b"", b"two\nlines", b"\xff"])
async def test_a_file_that_holds_no_credentials_is_told(
    vault: Vault, tmp_path: Path, clock: ManualClock, content: bytes | None
) -> None:
    path = tmp_path / "credentials"
    if content is not None:
        path.write_bytes(content)
    async with secrets_of(VaultAccess(vault.url, token_file=path), clock) as secrets:
        assert str(path) in await trouble_of(secrets)
    assert vault.calls == []


async def test_tokens_follow_no_redirect(vault: Vault, secrets: VaultSecrets) -> None:
    with vault_server() as other:
        vault.elsewhere = other.url
        assert "sends elsewhere" in await trouble_of(secrets)
        assert other.calls == []


async def test_nothing_at_the_address_is_told(vault: Vault, tmp_path: Path, clock: ManualClock) -> None:
    # Nobody else can take the port, and nobody listens there.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        access = replace(by_token(vault, tmp_path), url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        async with secrets_of(access, clock) as secrets:
            assert "does not answer: ConnectionError" in await trouble_of(secrets)


async def test_a_vault_that_is_silent_is_not_waited_for(
    vault: Vault, tmp_path: Path, clock: ManualClock
) -> None:
    vault.answering.clear()
    async with VaultSecrets(by_token(vault, tmp_path), clock, (30.0, 0.05)).open() as secrets:
        assert "does not answer: ReadTimeout" in await trouble_of(secrets)


async def test_a_vault_is_proved_by_the_certificates_that_are_named(
    certified: Certified, tmp_path: Path, clock: ManualClock
) -> None:
    with vault_server(certified.server_side()) as vault:
        vault.values[SHOP] = {"TOKEN": VALUE}
        access = by_token(vault, tmp_path)
        async with secrets_of(access, clock) as secrets:
            assert "does not answer: SSLError" in await trouble_of(secrets)
        async with secrets_of(replace(access, ca_file=certified.certificate), clock) as secrets:
            assert await value_of(secrets, wanted()) == VALUE


async def test_the_namespace_is_named_in_each_call(vault: Vault, tmp_path: Path, clock: ManualClock) -> None:
    access = replace(by_token(vault, tmp_path), namespace="teams/shop")
    async with secrets_of(access, clock) as secrets:
        await secrets.missing([wanted()])
    assert vault.headers["X-Vault-Namespace"] == "teams/shop"
    assert vault.headers["X-Vault-Request"] == "true"


async def test_what_tasks_ask_for_together_is_read_once(
    vault: Vault, secrets: VaultSecrets, clock: ManualClock
) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    await asyncio.gather(*(value_of(secrets, wanted()) for _ in range(20)))
    assert vault.reads() == [SHOP]
    vault.values[SHOP] = {"TOKEN": "another-value"}
    clock.advance(MOMENT)
    assert await value_of(secrets, wanted()) == "another-value"


async def test_who_gives_up_waiting_stops_nobody_else(vault: Vault, secrets: VaultSecrets) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    await secrets.check()
    vault.answering.clear()
    first, second = (asyncio.ensure_future(value_of(secrets, wanted())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    vault.answering.set()
    assert await second == VALUE


async def test_neither_tokens_nor_values_are_logged(
    vault: Vault, tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vault.values[SHOP] = {"TOKEN": VALUE}
    async with secrets_of(by_role(vault, tmp_path), clock) as secrets:
        await value_of(secrets, wanted())
        vault.failing = (503, ["Vault is sealed"])
        clock.advance(MOMENT)
        await trouble_of(secrets)
    for secret in (VALUE, "hvs.made-1", "secret-1"):
        assert secret not in caplog.text


SHIP = "name: shop\nsteps: [{name: ship, run: x, secrets: [TOKEN]}]"


async def test_a_task_is_given_what_only_vault_has_and_the_database_goes_first(
    vault: Vault, secrets: VaultSecrets, tmp_path: Path, clock: ManualClock
) -> None:
    vault.values[SHOP] = {"TOKEN": "from-the-vault", "OTHER": VALUE}
    definition = SHIP.replace("TOKEN]", "TOKEN, OTHER]")
    async with temporary_plane(tmp_path, clock, cipher=FakeCipher(), other_secrets=[secrets]) as plane:
        await plane.secrets.keeping.set(SecretAddress("TOKEN"), "from-the-database", INSIDE_ACTOR)
        worker = DeskWorker(plane)
        await worker.start(definition)
        await plane.settle()
        (lease,) = (await worker.claim()).values()
    assert lease.secret_values == {"TOKEN": "from-the-database", "OTHER": VALUE}


async def test_a_value_that_is_too_short_to_mask_is_not_given(
    vault: Vault, secrets: VaultSecrets, tmp_path: Path, clock: ManualClock
) -> None:
    vault.values[SHOP] = {"TOKEN": "hunter2"}
    async with temporary_plane(tmp_path, clock, cipher=FakeCipher(), other_secrets=[secrets]) as plane:
        worker = DeskWorker(plane)
        run = await worker.start(SHIP)
        await plane.settle()
        assert await worker.claim() == {}
        reason = reason_of(await plane.runs.get(run.id), 1)
    said = reason.text
    assert reason.code is ReasonCode.SECRETS_UNAVAILABLE
    assert f"The value of TOKEN (Vault, secret/{SHOP}) must be one that can be masked" in said
    assert "fewer than 8 characters" in said
    assert "hunter2" not in said


async def test_a_run_cannot_take_another_pipelines_secrets_by_its_name(
    vault: Vault, secrets: VaultSecrets, tmp_path: Path, clock: ManualClock
) -> None:
    vault.values["lineshaft/pipelines/bank"] = {"TOKEN": VALUE}
    async with temporary_plane(tmp_path, clock, cipher=FakeCipher(), other_secrets=[secrets]) as plane:
        worker = DeskWorker(plane)
        await worker.pipeline(SHIP.replace("shop", "bank"))
        run = await worker.start(SHIP, RunRequest(overrides=(("name", "bank"),)))
        await plane.settle()
        ended = await plane.runs.get(run.id)
    assert (ended.state, reason_of(ended).code) == (State.FAILED, ReasonCode.SECRET_MISSING)
    assert "lineshaft/pipelines/bank" not in vault.reads()


async def test_pipelines_of_the_same_name_are_given_none(
    vault: Vault, secrets: VaultSecrets, tmp_path: Path, clock: ManualClock
) -> None:
    vault.values["lineshaft/pipelines/shop"] = {"TOKEN": VALUE}
    async with temporary_plane(tmp_path, clock, cipher=FakeCipher(), other_secrets=[secrets]) as plane:
        worker = DeskWorker(plane)
        for pipeline in [await worker.pipeline(SHIP), await worker.pipeline(SHIP)]:
            run = await plane.runs.trigger(pipeline.id)
            await plane.settle()
            reason = reason_of(await plane.runs.get(run.id))
            assert reason.code is ReasonCode.SECRETS_UNAVAILABLE
            assert "Several pipelines are called 'shop'" in reason.text
    assert vault.reads() == []


def reason_of(run: Run, index: int = 0) -> Reason:
    """Tell why a node of a run ended as it did; 0 is the run itself."""
    reason = run.nodes[index].reason
    assert reason is not None
    return reason


async def test_a_server_finds_its_vault_by_its_settings_and_starts_without_it(
    vault: Vault, tmp_path: Path
) -> None:
    vault.values[SHOP] = {"TOKEN": VALUE}
    vault.failing = (503, ["Vault is sealed"])
    config = tmp_path / "config.toml"
    config.touch()
    token_file = by_token(vault, tmp_path).token_file
    settings = ServerSettings.load(
        config=config, data=tmp_path / "data", vault_url=vault.url, vault_token_file=token_file
    )
    async with open_control_plane(settings) as plane:
        vault.failing = None
        worker = DeskWorker(plane)
        await worker.start(SHIP)
        (lease,) = (await worker.claim(wait_seconds=60)).values()
    assert lease.secret_values == {"TOKEN": VALUE}
