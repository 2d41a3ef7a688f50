"""Secrets on their way to the tasks that name them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from desk import SUCCEEDED, DeskWorker
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.audit_entry import Action, AuditEntry
from lineshaft.model.principal import INSIDE_ACTOR, Actor, Means
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import SecretAddress
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.model.worker_key import INSIDE
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import AuditFilter
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.secrets.delivery import Visit
from lineshaft.wire.worker import ClaimRequest, Hello, Report
from other_secrets import Vault
from planes import temporary_plane

VALUE = "correct-horse-battery"
ONE = "name: shop\nsteps: [{name: ship, run: ./ship, secrets: [TOKEN], environment: prod}]"
TWO = "name: shop\nsteps: [{name: a, run: x, secrets: [TOKEN]}, {name: b, run: x, secrets: [TOKEN]}]"
RETRIED = "name: shop\nsteps: [{name: ship, run: ./ship, secrets: [TOKEN], retry: 1}]"


async def keep(plane: ControlPlane, name: str = "TOKEN", value: str = VALUE) -> None:
    await plane.secrets.keeping.set(SecretAddress(name), value, INSIDE_ACTOR)


async def uses(plane: ControlPlane) -> Sequence[AuditEntry]:
    wanted = AuditFilter(action=Action.SECRET_USED)
    return await plane.store.read(lambda transaction: transaction.audit.page(wanted, before=None, limit=100))


def ending(run: Run, index: int = 1) -> tuple[State, ReasonCode | None, str]:
    node = run.nodes[index]
    reason = node.reason
    return node.state, None if reason is None else reason.code, "" if reason is None else reason.text


async def test_a_task_is_given_the_secrets_that_it_names_and_no_others(plane: ControlPlane) -> None:
    await keep(plane)
    await keep(plane, "OTHER", "another-value")
    worker = DeskWorker(plane)
    await worker.start(f"{ONE[:-1]}, {{name: last, run: x}}]")

    (lease,) = (await worker.claim()).values()
    await worker.report(lease)
    (last,) = (await worker.claim()).values()

    assert lease.secret_values == {"TOKEN": VALUE}
    assert last.secret_values == {}


async def test_each_delivery_stands_in_the_audit_log(plane: ControlPlane) -> None:
    await keep(plane)
    worker = DeskWorker(plane, "build-1")
    run = await worker.start(ONE)
    await worker.claim()

    (entry,) = await uses(plane)

    assert entry.actor == replace(INSIDE_ACTOR, name="build-1")
    assert (entry.target, entry.pipeline_id) == ("shop/1/ship", run.pipeline_id)
    assert entry.detail == {
        "secrets": ["TOKEN"],
        "found_at": ["all pipelines"],
        "run_id": str(run.id),
        "node": "ship",
        "attempt": 1,
    }


async def test_what_a_report_brings_along_is_filled_as_well(plane: ControlPlane) -> None:
    await keep(plane)
    await DeskWorker(plane).start(TWO)
    worker_id = (await plane.fleet.desk.register(hello())).worker_id
    claim = ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=0)
    (lease,) = (await plane.fleet.desk.claim(claim)).leases
    report = Report(worker_id=worker_id, address=lease.address, token=lease.token, outcome=SUCCEEDED, slots=1)

    (second,) = (await plane.fleet.desk.report(report)).leases

    assert (second.path, second.secret_values) == ("b", {"TOKEN": VALUE})
    assert len(await uses(plane)) == 2


async def test_a_claim_that_is_made_again_is_filled_again(plane: ControlPlane) -> None:
    await keep(plane)
    worker = DeskWorker(plane)
    await worker.start(ONE)
    worker_id = (await plane.fleet.desk.register(hello())).worker_id
    request = ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=0, token="claim-number-one-")

    (first,) = (await plane.fleet.desk.claim(request)).leases
    (again,) = (await plane.fleet.desk.claim(request)).leases

    assert again == first
    assert again.secret_values == {"TOKEN": VALUE}
    assert len(await uses(plane)) == 2


async def test_a_value_is_in_nothing_that_a_lease_shows_of_itself(plane: ControlPlane) -> None:
    await keep(plane)
    worker = DeskWorker(plane)
    await worker.start(ONE)
    (lease,) = (await worker.claim()).values()
    assert VALUE not in f"{lease!r} {lease}"


async def test_a_worker_that_does_not_mask_gets_none_and_its_attempt_ends_at_once(
    plane: ControlPlane,
) -> None:
    await keep(plane)
    worker = DeskWorker(plane)
    run = await worker.start(ONE)
    desk = plane.fleet.desk.of(INSIDE, Visit(2))
    worker_id = (await desk.register(hello(version="0.1.0"))).worker_id

    answer = await desk.claim(ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=0))

    assert answer.leases == ()
    state, code, text = ending(await plane.runs.get(run.id))
    assert (state, code) == (State.FAILED, ReasonCode.SECRETS_UNAVAILABLE)
    assert "'old-1' is of Lineshaft 0.1.0, which does not mask secrets" in text
    assert await uses(plane) == []


async def test_a_worker_that_does_not_mask_is_given_the_next_task_instead(plane: ControlPlane) -> None:
    await keep(plane)
    worker = DeskWorker(plane)
    await worker.start(ONE)
    await worker.start("name: plain\nsteps: [{name: a, run: x}]")
    desk = plane.fleet.desk.of(INSIDE, Visit(1))
    worker_id = (await desk.register(hello())).worker_id

    (lease,) = (await desk.claim(ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=0))).leases

    assert lease.pipeline_name == "plain"


async def test_a_secret_that_was_deleted_since_fails_the_task(plane: ControlPlane) -> None:
    await keep(plane)
    worker = DeskWorker(plane)
    run = await worker.start(ONE)
    await plane.secrets.keeping.delete(SecretAddress("TOKEN"), INSIDE_ACTOR)

    assert await worker.claim() == {}

    state, code, text = ending(await plane.runs.get(run.id))
    assert (state, code) == (State.FAILED, ReasonCode.SECRET_MISSING)
    assert text.startswith("The secret TOKEN (environment prod) is missing")


async def test_a_secret_that_cannot_be_opened_fails_only_the_task_that_names_it(
    tmp_path: Path, database_url: str
) -> None:
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher("new")) as plane:
        await keep(plane)
        broken = await plane.secrets.keeping.set(SecretAddress("BROKEN"), VALUE, INSIDE_ACTOR)
        lost = replace(broken.value, key_id="lost")
        await plane.store.write(lambda transaction: transaction.secrets.reseal(broken, lost))
        worker = DeskWorker(plane)
        run = await worker.start(
            "name: p\nsteps: [{name: g, parallel: true, steps: ["
            "{name: a, run: x, secrets: [BROKEN]}, {name: b, run: x, secrets: [TOKEN]}]}]"
        )

        leases = await worker.claim(2)

        assert {path: lease.secret_values for path, lease in leases.items()} == {"g/b": {"TOKEN": VALUE}}
        assert ending(await plane.runs.get(run.id), 2)[:2] == (State.FAILED, ReasonCode.SECRETS_UNAVAILABLE)


async def test_a_store_that_does_not_answer_ends_the_attempt_and_says_so(
    tmp_path: Path, database_url: str
) -> None:
    vault = Vault(TOKEN=VALUE)
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[vault]
    ) as plane:
        worker = DeskWorker(plane)
        run = await worker.start(ONE)
        await plane.settle()
        vault.down = True

        assert await worker.claim() == {}

        assert ending(await plane.runs.get(run.id)) == (
            State.FAILED,
            ReasonCode.SECRETS_UNAVAILABLE,
            "Its secrets cannot be had: The vault is sealed. Unseal it.",
        )


async def test_a_store_that_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, database_url: str
) -> None:
    vault = Vault(TOKEN=VALUE)
    async with temporary_plane(tmp_path / "a", url=database_url) as other:
        plane = ControlPlane(
            other.store,
            BlobFolder(tmp_path / "b"),
            ManualClock(),
            RandomIds(),
            check=lambda _: None,
            lease_time=timedelta(seconds=4),
            other_secrets=[vault],
        )
        worker = DeskWorker(plane)
        run = await worker.start(ONE)
        await plane.settle()
        vault.silent = True

        assert await worker.claim() == {}

        state, code, text = ending(await plane.runs.get(run.id))
        assert (state, code) == (State.FAILED, ReasonCode.SECRETS_UNAVAILABLE)
        assert "has not answered" in text


async def test_a_fault_in_a_store_ends_the_attempt_and_repeats_none_of_its_words(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    vault = Vault(TOKEN=VALUE)
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[vault]
    ) as plane:
        worker = DeskWorker(plane)
        run = await worker.start(ONE)
        await plane.settle()
        vault.fault = KeyError(VALUE)

        assert await worker.claim() == {}

        state, code, text = ending(await plane.runs.get(run.id))
        assert (state, code) == (State.FAILED, ReasonCode.SECRETS_UNAVAILABLE)
        assert VALUE not in text + caplog.text
        assert "KeyError" in caplog.text


async def test_an_attempt_whose_secrets_could_not_be_had_may_be_tried_again(
    tmp_path: Path, database_url: str
) -> None:
    vault = Vault(TOKEN=VALUE)
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[vault]
    ) as plane:
        worker = DeskWorker(plane)
        await worker.start(RETRIED)
        await plane.settle()
        vault.failures = 1

        (lease,) = (await worker.claim()).values()

        assert (lease.address.attempt, lease.secret_values) == (2, {"TOKEN": VALUE})


async def test_a_value_from_elsewhere_is_delivered_with_its_place(tmp_path: Path, database_url: str) -> None:
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[Vault(TOKEN=VALUE)]
    ) as plane:
        worker = DeskWorker(plane)
        await worker.start(ONE)
        await plane.settle()

        (lease,) = (await worker.claim()).values()

        assert lease.secret_values == {"TOKEN": VALUE}
        (entry,) = await uses(plane)
        assert entry.detail["found_at"] == ["vault"]


async def test_tasks_that_name_none_ask_nobody(tmp_path: Path, database_url: str) -> None:
    vault = Vault()
    async with temporary_plane(tmp_path, url=database_url, other_secrets=[vault]) as plane:
        worker = DeskWorker(plane)
        await worker.start("name: p\nsteps: [{name: a, run: x}]")

        assert len(await worker.claim()) == 1
        assert (vault.asked, await uses(plane)) == ([], [])


async def test_who_calls_by_http_is_noted_with_its_address(plane: ControlPlane) -> None:
    await keep(plane)
    worker = DeskWorker(plane)
    await worker.start(ONE)
    actor = Actor("", Means.WORKER_KEY, "192.0.2.7")
    desk = plane.fleet.desk.of(INSIDE, Visit(3, actor))
    worker_id = (await desk.register(hello())).worker_id

    await desk.claim(ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=0))

    (entry,) = await uses(plane)
    assert entry.actor == replace(actor, name="old-1")


def hello(version: str = "") -> Hello:
    said = {"name": "old-1", "kinds": frozenset(WorkKind), "slots": 4}
    return Hello.model_validate(said | ({"version": version} if version else {}))
