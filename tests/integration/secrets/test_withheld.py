"""Secrets do not reach runs of changes that are not trusted, whoever fails to keep them back."""

from dataclasses import replace

import pytest

from desk import DeskWorker
from lineshaft.engine.decision import Decision
from lineshaft.model.audit_entry import Action
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import SecretAddress
from lineshaft.model.state import State
from lineshaft.ports.store import AuditFilter, Transaction
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest

ASKING = {
    "a secret": "secrets: [TOKEN]",
    "an identity token": "id_tokens: {CLOUD: 'https://cloud.example'}",
    "a registry's password": "registries: {registry.example: {username: ci, password: TOKEN}}",
    "an ssh key": "ssh: {keys: [TOKEN]}",
    "the worker's ssh agent": "ssh: {agent: true}",
}


def pipeline(asks: str) -> str:
    image = "image: registry.example/shop, " if asks.startswith("registries") else ""
    return f"name: shop\nsteps: [{{name: ship, {image}run: ./ship, {asks}}}]\n"


def code(run: Run) -> ReasonCode | None:
    reason = run.nodes[1].reason
    return None if reason is None else reason.code


async def keep(plane: ControlPlane) -> None:
    await plane.secrets.keeping.set(SecretAddress("TOKEN"), "correct-horse-battery", INSIDE_ACTOR)


async def distrust(plane: ControlPlane, run: Run) -> None:
    """Make a run untrusted that has been queued as if it were trusted: the engine let it through."""
    wrong = Decision(replace(run, untrusted=True, version=run.version + 1))

    def work(transaction: Transaction) -> None:
        transaction.runs.get(run.id)
        transaction.runs.save(wrong)

    await plane.store.write(work)


async def entries(plane: ControlPlane, action: Action) -> int:
    wanted = AuditFilter(action=action)
    found = await plane.store.read(lambda transaction: transaction.audit.page(wanted, before=None, limit=9))
    return len(found)


@pytest.mark.parametrize("asks", ASKING.values(), ids=ASKING)
async def test_the_engine_offers_no_work_of_an_untrusted_run_that_asks_for_any(
    plane: ControlPlane, asks: str
) -> None:
    await keep(plane)
    worker = DeskWorker(plane)
    run = await worker.start(pipeline(asks), RunRequest(untrusted=True))
    assert (run.state, code(run)) == (State.FAILED, ReasonCode.SECRET_WITHHELD)


@pytest.mark.parametrize("asks", ASKING.values(), ids=ASKING)
async def test_a_lease_of_an_untrusted_run_is_given_no_secret_whatever_the_engine_says(
    plane: ControlPlane, asks: str
) -> None:
    await keep(plane)
    worker = DeskWorker(plane)
    run = await worker.start(pipeline(asks))
    assert run.state is State.QUEUED
    await distrust(plane, run)

    assert await worker.claim() == {}

    ended = await plane.runs.get(run.id)
    assert (ended.state, code(ended)) == (State.FAILED, ReasonCode.SECRET_WITHHELD)
    assert await entries(plane, Action.SECRET_USED) == 0
    assert await entries(plane, Action.IDENTITY_ISSUED) == 0


async def test_a_lease_of_an_untrusted_run_that_asks_for_nothing_is_given_out(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    run = await worker.start("name: shop\nsteps: [{name: ship, run: ./ship}]\n", RunRequest(untrusted=True))
    assert (await worker.claim())["ship"].address.run_id == run.id
