"""Identity tokens of tasks, as clouds see them."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature

from cloud import Cloud, RefusedTokenError
from desk import DeskWorker
from http_server import http_server
from integration.identity.house import AUDIENCE, SHIP, House, open_house
from lineshaft.definition.compiling.read import read_native
from lineshaft.integrations.key_ring import KEY_BYTES, KeyRing
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import SealedValue, SecretAddress
from lineshaft.model.signing_key import KNOWN_BEFORE, SERVED_AFTER, SIGNS_FOR
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.model.worker_key import INSIDE
from lineshaft.ports.cipher import FakeCipher
from lineshaft.services.run_request import RunRequest
from lineshaft.services.secrets.delivery import Visit
from lineshaft.wire.worker import ClaimRequest, Hello
from planes import temporary_plane

MOMENT = timedelta(seconds=1)


@pytest.fixture
async def house(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with open_house(tmp_path, database_url, FakeCipher()) as opened:
        yield opened


async def test_a_cloud_admits_a_task_by_its_claims(house: House) -> None:
    worker = DeskWorker(house.plane)
    run = await worker.start(SHIP)
    (lease,) = (await worker.claim()).values()

    claims = await house.admitted(lease.id_tokens["CLOUD_TOKEN"])

    now = int(house.clock.now().timestamp())
    assert claims.pop("jti")
    assert claims == {
        "iss": house.issuer,
        "aud": AUDIENCE,
        "sub": "pipeline:shop:environment:prod",
        "iat": now,
        "nbf": now,
        "exp": now + 900,
        "run_id": str(run.id),
        "run_number": 1,
        "pipeline": "shop",
        "pipeline_id": str(run.pipeline_id),
        "node": "ship",
        "attempt": 1,
        "environment": "prod",
        "cause": "manual",
    }


async def test_without_an_environment_the_ref_is_the_subject(house: House) -> None:
    definition = f"name: shop\nsteps: [{{name: a, run: x, id_tokens: {{T: {AUDIENCE}}}}}]"
    claims = await house.admitted(await house.token(definition, RunRequest(ref="main")))
    assert (claims["sub"], claims["ref"]) == ("pipeline:shop:ref:refs/heads/main", "refs/heads/main")


async def test_each_token_is_for_its_own_audience_and_has_an_id_of_its_own(house: House) -> None:
    worker = DeskWorker(house.plane)
    await worker.start("name: p\nsteps: [{name: a, run: x, id_tokens: {A: one, B: 'https://two/'}}]")
    (lease,) = (await worker.claim()).values()
    now = house.clock.now().timestamp()

    first = await Cloud(house.issuer, "one").admit(lease.id_tokens["A"], now)
    second = await Cloud(house.issuer, "https://two/").admit(lease.id_tokens["B"], now)

    assert first["jti"] != second["jti"]


async def test_another_audience_does_not_admit(house: House) -> None:
    token = await house.token()
    with pytest.raises(RefusedTokenError, match="aud"):
        await Cloud(house.issuer, "elsewhere").admit(token, house.clock.now().timestamp())


async def test_a_token_expires(house: House) -> None:
    token = await house.token()
    house.clock.advance(timedelta(seconds=900) - MOMENT)
    await house.admitted(token)
    house.clock.advance(MOMENT)
    with pytest.raises(RefusedTokenError, match="time"):
        await house.admitted(token)


async def test_a_claim_that_was_changed_does_not_admit(house: House) -> None:
    head, body, signature = (await house.token()).split(".")
    changed = body[:-2] + ("AA" if body[-2:] != "AA" else "BB")
    with pytest.raises(InvalidSignature):
        await house.admitted(f"{head}.{changed}.{signature}")


async def test_a_pipeline_cannot_take_anothers_name_for_one_run(house: House) -> None:
    own = f"name: own\nsteps: [{{name: a, run: x, environment: prod, id_tokens: {{T: {AUDIENCE}}}}}]"
    await DeskWorker(house.plane).pipeline(SHIP)
    claims = await house.admitted(await house.token(own, RunRequest(overrides=(("name", "shop"),))))
    assert (claims["sub"], claims["pipeline"]) == ("pipeline:own:environment:prod", "own")


async def test_of_two_pipelines_with_one_name_none_is_given_tokens(house: House) -> None:
    worker = DeskWorker(house.plane)
    shop = await worker.pipeline(SHIP)
    other = await worker.pipeline("name: other\nsteps: [{name: a, run: x}]")
    await house.plane.pipelines.replace(other.id, read_native(SHIP.encode()))

    for pipeline in (shop, other):
        run = await house.plane.runs.trigger(pipeline.id)
        assert await worker.claim() == {}
        assert "Several pipelines are called 'shop'" in refusal(await house.plane.runs.get(run.id))


async def test_without_a_public_address_the_task_fails_and_is_told_what_to_set(
    tmp_path: Path, database_url: str
) -> None:
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher()) as plane:
        worker = DeskWorker(plane)
        run = await worker.start(SHIP)

        assert await worker.claim() == {}

        assert "Set LINESHAFT_PUBLIC_URL" in refusal(await plane.runs.get(run.id))


async def test_a_worker_that_does_not_mask_gets_none(house: House) -> None:
    run = await DeskWorker(house.plane).start(SHIP)
    desk = house.plane.fleet.desk.of(INSIDE, Visit(2))
    hello = Hello(name="old-1", kinds=frozenset({WorkKind.RUN}), slots=1, version="0.1.0")
    worker_id = (await desk.register(hello)).worker_id

    answer = await desk.claim(ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=0))

    assert answer.leases == ()
    assert "does not mask" in refusal(await house.plane.runs.get(run.id))


async def test_each_token_stands_in_the_audit_log_and_is_not_in_it(house: House) -> None:
    token = await house.token()
    claims = await house.admitted(token)

    (entry,) = [each for each in await house.audit() if each.action is Action.IDENTITY_ISSUED]

    assert entry.target == "shop/1/ship"
    assert entry.detail["audiences"] == [AUDIENCE]
    assert entry.detail["token_ids"] == [claims["jti"]]
    assert token.split(".")[2] not in repr(entry)


async def test_secrets_and_tokens_come_together(house: House) -> None:
    await house.plane.secrets.keeping.set(SecretAddress("PASSWORD"), "correct-horse-battery", INSIDE_ACTOR)
    worker = DeskWorker(house.plane)
    await worker.start(SHIP.replace("id_tokens", "secrets: [PASSWORD], id_tokens"))
    (lease,) = (await worker.claim()).values()

    assert lease.secret_values == {"PASSWORD": "correct-horse-battery"}
    await house.admitted(lease.id_tokens["CLOUD_TOKEN"])
    assert {entry.action for entry in await house.audit()} >= {Action.SECRET_USED, Action.IDENTITY_ISSUED}


async def test_no_token_is_shown_or_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    worker = DeskWorker(house.plane)
    await worker.start(SHIP)
    (lease,) = (await worker.claim()).values()
    (token,) = lease.id_tokens.values()
    issued = await house.plane.secrets.identity.issue(lease, {"CLOUD_TOKEN": AUDIENCE})

    shown = f"{lease!r} {lease} {issued!r} {issued} {caplog.text}"

    assert token.split(".")[2] not in shown
    assert issued.tokens["CLOUD_TOKEN"].split(".")[2] not in shown


async def test_the_private_key_is_sealed_where_it_is_kept(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, database_url, KeyRing([b"\x01" * KEY_BYTES])) as house:
        await house.admitted(await house.token())
        (key,) = await house.keys()

    assert b"PRIVATE KEY" not in key.private.data
    assert key.public.keys() == {"kty", "n", "e", "kid", "use", "alg"}


async def test_a_private_key_opens_in_the_place_of_no_other(house: House) -> None:
    await house.token()
    (key,) = await house.keys()
    moved = replace(key, id="moved")
    await house.plane.store.write(lambda transaction: transaction.signing_keys.add(moved))
    await house.plane.store.write(lambda transaction: transaction.signing_keys.remove(key.id))

    with pytest.raises(SecretsUnavailableError):
        await house.other_process().issue(await house.lease(), {"T": AUDIENCE})


async def test_the_next_key_is_public_before_it_signs_and_the_former_for_a_day_after(house: House) -> None:
    lease = await house.lease()

    async def kid() -> str:
        issued = await house.plane.secrets.identity.issue(lease, {"T": AUDIENCE})
        await house.admitted(issued.tokens["T"])
        head = issued.tokens["T"].partition(".")[0]
        return str(json.loads(base64.urlsafe_b64decode(head + "=="))["kid"])

    first = await kid()
    house.clock.advance(SIGNS_FOR - KNOWN_BEFORE)
    assert await kid() == first
    assert len(await house.cloud.keys()) == 2
    house.clock.advance(KNOWN_BEFORE)
    second = await kid()
    assert second != first
    house.clock.advance(SERVED_AFTER - MOMENT)
    assert (await house.cloud.keys()).keys() == {first, second}
    house.clock.advance(MOMENT)
    assert (await house.cloud.keys()).keys() == {second}
    assert await kid() == second
    assert [key.id for key in await house.keys()] == [second]


async def test_all_processes_sign_with_the_same_key(house: House) -> None:
    lease = await house.lease()
    processes = [house.plane.secrets.identity, house.other_process(), house.other_process()]
    issued = await asyncio.gather(*(each.issue(lease, {"T": AUDIENCE}) for each in processes))

    for each in issued:
        await house.admitted(each.tokens["T"])
    again = [await each.issue(lease, {"T": AUDIENCE}) for each in processes]
    assert len({each.tokens["T"].partition(".")[0] for each in again}) == 1
    assert len(await house.keys()) == 1


async def test_many_tasks_at_once_make_one_key(house: House) -> None:
    lease = await house.lease()
    await asyncio.gather(*(house.plane.secrets.identity.issue(lease, {"T": AUDIENCE}) for _ in range(5)))
    assert len(await house.keys()) == 1


async def test_a_process_with_another_key_file_signs_with_a_key_of_its_own(house: House) -> None:
    lease, other = await house.lease(), house.other_process(FakeCipher("other"))
    for process in (house.plane.secrets.identity, other, house.plane.secrets.identity, other):
        issued = await process.issue(lease, {"T": AUDIENCE})
        await house.admitted(issued.tokens["T"])
    assert len(await house.keys()) == 2


async def test_what_signs_goes_on_signing_while_the_sealing_key_is_away(house: House) -> None:
    lease, silent = await house.lease(), SilentCipher()
    process = house.other_process(silent)
    await process.issue(lease, {"T": AUDIENCE})
    silent.away = True
    house.clock.advance(SIGNS_FOR)

    issued = await process.issue(lease, {"T": AUDIENCE})

    await house.admitted(issued.tokens["T"])


async def test_the_keys_are_there_before_the_first_token_is_asked_for(house: House) -> None:
    assert len(await house.cloud.keys()) == 1
    assert len(await house.cloud.keys()) == 1


async def test_what_verifiers_ask_for_is_open_cacheable_and_without_secrets(house: House) -> None:
    async with httpx2.AsyncClient(trust_env=False, base_url=house.issuer) as client:
        for path in ("/.well-known/openid-configuration", "/.well-known/jwks.json"):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "public, max-age=300"
            assert (await client.head(path)).status_code == 200
            assert (await client.post(path)).status_code in {401, 405}
        (key,) = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert key.keys() == {"kty", "n", "e", "kid", "use", "alg"}


async def test_a_server_that_issues_none_says_so(tmp_path: Path, database_url: str) -> None:
    async with (
        temporary_plane(tmp_path, url=database_url, cipher=FakeCipher()) as plane,
        http_server(plane) as url,
        httpx2.AsyncClient(trust_env=False, base_url=url) as client,
    ):
        for path in ("/.well-known/openid-configuration", "/.well-known/jwks.json"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert "LINESHAFT_PUBLIC_URL" in answer.json()["advice"]


class SilentCipher(FakeCipher):
    """A cipher whose keeper may be away."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    async def seal(self, plain: bytes, context: bytes) -> SealedValue:
        if self.away:
            raise SecretsUnavailableError("The keeper is away.")
        return await super().seal(plain, context)


def refusal(run: Run) -> str:
    """Tell why the only task of a run was not begun."""
    outcome = run.nodes[1]
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SECRETS_UNAVAILABLE
    return outcome.reason.text
