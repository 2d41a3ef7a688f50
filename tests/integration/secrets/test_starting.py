"""Runs whose secrets are missing end before anything of them begins."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from desk import SUCCEEDED, DeskWorker
from lineshaft.model.outcome import Outcome
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import SecretAddress, Wanted
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT
from lineshaft.ports.cipher import FakeCipher
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.services.secrets.wanted import why_missing
from other_secrets import Vault
from planes import temporary_plane

VALUE = "correct-horse-battery"
SHIP = """
name: shop
secrets: [TOKEN]
steps:
  - {name: build, run: make}
  - {name: ship, run: ./ship, secrets: [PASSWORD], environment: prod}
"""


async def keep(plane: ControlPlane, *names: str, environment: str | None = None) -> None:
    for name in names:
        await plane.secrets.keeping.set(SecretAddress(name, None, environment), VALUE, INSIDE_ACTOR)


async def drop(plane: ControlPlane, name: str) -> None:
    await plane.secrets.keeping.delete(SecretAddress(name), INSIDE_ACTOR)


def code(run: Run, index: int = ROOT) -> ReasonCode | None:
    reason = run.nodes[index].reason
    return None if reason is None else reason.code


def text(run: Run) -> str:
    return "" if run.root.reason is None else run.root.reason.text


def is_refused(run: Run) -> bool:
    assert {node.state for node in list(run.nodes)[1:]} == {State.SKIPPED}
    assert not any(node.attempt for node in run.nodes)
    return (run.state, code(run)) == (State.FAILED, ReasonCode.SECRET_MISSING)


async def runs(plane: ControlPlane, run: Run) -> Sequence[Run]:
    return await plane.runs.page(run.pipeline_id, before=None, limit=10)


async def test_a_run_ends_at_once_and_names_all_that_is_missing(plane: ControlPlane) -> None:
    run = await DeskWorker(plane).start(SHIP)

    assert is_refused(run)
    assert "PASSWORD (environment prod), TOKEN, TOKEN (environment prod) are missing" in text(run)
    assert await DeskWorker(plane).claim() == {}
    events = [event async for event in plane.runs.follow(run.id) if event is not None]
    assert (events[0].node, events[0].state) == (ROOT, State.FAILED)


async def test_a_run_begins_when_all_is_there(plane: ControlPlane) -> None:
    await keep(plane, "TOKEN")
    await keep(plane, "PASSWORD", environment="prod")

    assert (await DeskWorker(plane).start(SHIP)).state is State.QUEUED


async def test_a_secret_of_another_environment_or_pipeline_is_none(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    other = await worker.pipeline("name: other\nsteps: []")
    await keep(plane, "TOKEN")
    await keep(plane, "PASSWORD", environment="test")
    await plane.secrets.keeping.set(SecretAddress("PASSWORD", other.id), VALUE, INSIDE_ACTOR)

    run = await worker.start(SHIP)

    assert is_refused(run)
    assert text(run).startswith("The secret PASSWORD (environment prod) is missing: set it with")


async def test_what_was_not_asked_for_needs_no_secrets(plane: ControlPlane) -> None:
    await keep(plane, "TOKEN")
    run = await DeskWorker(plane).start(SHIP, RunRequest(only=("build",)))
    assert run.state is State.QUEUED


async def test_a_pipeline_that_is_called_wants_its_own_secrets_alone(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await worker.pipeline("name: below\ncallable_by: [above]\nsteps: [{name: a, run: x, secrets: [TOKEN]}]")

    run = await worker.start("name: above\nsecrets: [OTHER]\nsteps: [{name: call, pipeline: below}]")

    assert (run.state, code(run, 1)) == (State.FAILED, ReasonCode.CHILD_RUN_FAILED)


async def test_a_run_that_cannot_begin_supersedes_nothing(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await keep(plane, "TOKEN")
    first = await worker.start(
        "name: shop\nconcurrency: {policy: supersede}\nsecrets: [TOKEN]\nsteps: [{name: a, run: x}]"
    )
    await drop(plane, "TOKEN")

    second = await plane.runs.trigger(first.pipeline_id)

    assert is_refused(second)
    assert (await plane.runs.get(first.id)).cancel_reason is None


async def test_a_run_that_waited_is_refused_when_its_turn_comes(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await keep(plane, "TOKEN")
    first = await worker.start(
        "name: shop\nconcurrency: {policy: queue}\nsecrets: [TOKEN]\nsteps: [{name: a, run: x}]"
    )
    second, third = await plane.runs.trigger(first.pipeline_id), await plane.runs.trigger(first.pipeline_id)
    assert (second.state, third.state) == (State.WAITING, State.WAITING)
    (lease,) = (await worker.claim()).values()
    await drop(plane, "TOKEN")

    await worker.report(lease)

    assert is_refused(await plane.runs.get(second.id))
    assert is_refused(await plane.runs.get(third.id))


async def test_a_retry_wants_its_secrets_again(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await keep(plane, "TOKEN")
    first = await worker.start("name: shop\nsteps: [{name: a, run: x, secrets: [TOKEN]}, {name: b, run: x}]")
    (lease,) = (await worker.claim()).values()
    await worker.report(lease)
    (lease,) = (await worker.claim()).values()
    await worker.report(lease, Outcome(State.FAILED, exit_code=1))
    await drop(plane, "TOKEN")

    assert is_refused(await plane.runs.retry(first.id))
    assert (await plane.runs.retry(first.id, from_failed=True)).state is State.QUEUED


async def test_made_nodes_whose_secrets_are_missing_fail_the_task_that_made_them(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    run = await worker.start("name: p\nsteps: [{name: gen, run: x, generates: n.yml, environment: prod}]")
    (lease,) = (await worker.claim()).values()
    made = "[{name: a, run: x, secrets: [TOKEN]}]"

    ended = await worker.report(lease, Outcome(State.SUCCEEDED, exit_code=0, generated=made))

    assert len(ended.tree) == len(run.tree)
    assert (ended.state, code(ended, 2)) == (State.FAILED, ReasonCode.SECRET_MISSING)


async def test_made_nodes_whose_secrets_are_there_join_the_run(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await keep(plane, "TOKEN", environment="prod")
    run = await worker.start("name: p\nsteps: [{name: gen, run: x, generates: n.yml, environment: prod}]")
    (lease,) = (await worker.claim()).values()
    made = "[{name: a, run: x, secrets: [TOKEN]}]"

    await worker.report(lease, Outcome(State.SUCCEEDED, exit_code=0, generated=made))

    (inner,) = (await worker.claim()).values()
    assert (inner.path, inner.secret_values, inner.environment) == ("gen/a", {"TOKEN": VALUE}, "prod")
    assert (await worker.report(inner, SUCCEEDED)).id == run.id


async def test_what_the_database_has_not_is_looked_for_elsewhere(tmp_path: Path, database_url: str) -> None:
    vault = Vault(PASSWORD=VALUE)
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[vault]
    ) as plane:
        await keep(plane, "TOKEN")

        run = await DeskWorker(plane).start(SHIP)
        before = run.state
        await plane.settle()

        assert before is State.WAITING
        assert (await plane.runs.get(run.id)).state is State.QUEUED
        assert {wanted.name for wanted in vault.asked} == {"PASSWORD"}
        assert {(wanted.pipeline, wanted.environment) for wanted in vault.asked} == {("shop", "prod")}


async def test_what_is_nowhere_is_missing(tmp_path: Path, database_url: str) -> None:
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[Vault(TOKEN=VALUE)]
    ) as plane:
        run = await DeskWorker(plane).start(SHIP)
        await plane.settle()

        ended = await plane.runs.get(run.id)
        assert is_refused(ended)
        assert "The secret PASSWORD (environment prod) is missing" in text(ended)


async def test_a_run_ends_where_nobody_can_say_whether_its_secrets_are_there(
    tmp_path: Path, database_url: str
) -> None:
    vault = Vault()
    vault.down = True
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[vault]
    ) as plane:
        run = await DeskWorker(plane).start(SHIP)
        await plane.settle()

        ended = await plane.runs.get(run.id)
        assert (ended.state, code(ended)) == (State.FAILED, ReasonCode.SECRETS_UNAVAILABLE)
        assert text(ended) == "Its secrets cannot be had: The vault is sealed. Unseal it."


async def test_a_run_that_is_looked_for_may_be_cancelled_meanwhile(tmp_path: Path, database_url: str) -> None:
    vault = Vault(TOKEN=VALUE, PASSWORD=VALUE)
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[vault]
    ) as plane:
        run = await DeskWorker(plane).start(SHIP)
        await plane.runs.cancel(run.id)
        await plane.settle()

        assert (await plane.runs.get(run.id)).state is State.CANCELLED
        assert vault.asked == []


async def test_runs_without_secrets_ask_nobody(tmp_path: Path, database_url: str) -> None:
    vault = Vault()
    async with temporary_plane(tmp_path, url=database_url, other_secrets=[vault]) as plane:
        run = await DeskWorker(plane).start("name: p\nsteps: [{name: a, run: x}]")

        assert run.state is State.QUEUED
        assert vault.asked == []


FORBIDDEN = "TOKEN is there for the server alone, which gives it to no task."


async def keep_for_server(plane: ControlPlane) -> None:
    await plane.secrets.keeping.set(SecretAddress("TOKEN", for_server=True), VALUE, INSIDE_ACTOR)


async def test_a_definition_that_names_a_secret_for_the_server_alone_never_begins(
    plane: ControlPlane,
) -> None:
    await keep_for_server(plane)

    run = await DeskWorker(plane).start("name: thief\nsteps: [{name: a, run: env, secrets: [TOKEN]}]")

    assert is_refused(run)
    assert "The secret TOKEN is missing" in text(run)
    assert text(run).endswith(FORBIDDEN)


@pytest.mark.parametrize(
    "task",
    [
        "{name: a, run: env, image: x, registries: {r.example: {username: u, password: TOKEN}}}",
        "{name: a, run: env, ssh: {keys: [TOKEN]}}",
        "{name: a, run: env, image: x, services: {db: {image: postgres, secrets: [TOKEN]}}}",
        "{name: a, build: {repository: r.example/a, tag: b, secrets: [TOKEN]}}",
    ],
)
async def test_no_other_way_of_naming_one_leads_to_it_either(plane: ControlPlane, task: str) -> None:
    await keep_for_server(plane)

    run = await DeskWorker(plane).start(f"name: thief\nsteps: [{task}]")

    assert is_refused(run)
    assert text(run).endswith(FORBIDDEN)


async def test_where_there_is_one_for_all_as_well_tasks_are_given_that(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await keep_for_server(plane)
    await plane.secrets.keeping.set(SecretAddress("TOKEN"), "for-all-pipelines", INSIDE_ACTOR)

    await worker.start("name: shop\nsteps: [{name: a, run: env, secrets: [TOKEN]}]")

    (lease,) = (await worker.claim()).values()
    assert lease.secret_values == {"TOKEN": "for-all-pipelines"}


async def test_made_nodes_are_not_given_what_is_for_the_server_alone(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await keep_for_server(plane)
    await worker.start("name: p\nsteps: [{name: gen, run: x, generates: n.yml}]")
    (lease,) = (await worker.claim()).values()
    made = "[{name: a, run: x, secrets: [TOKEN]}]"

    ended = await worker.report(lease, Outcome(State.SUCCEEDED, exit_code=0, generated=made))

    reason = ended.nodes[2].reason
    assert reason is not None
    assert (reason.code, reason.text.endswith(FORBIDDEN)) == (ReasonCode.SECRET_MISSING, True)


async def test_a_secret_that_became_the_servers_own_since_fails_the_task_and_says_so(
    plane: ControlPlane,
) -> None:
    worker = DeskWorker(plane)
    await keep(plane, "TOKEN")
    run = await worker.start("name: shop\nsteps: [{name: a, run: env, secrets: [TOKEN]}]")
    await keep_for_server(plane)
    await drop(plane, "TOKEN")

    assert await worker.claim() == {}

    reason = (await plane.runs.get(run.id)).nodes[1].reason
    assert reason is not None
    assert (reason.code, reason.text.endswith(FORBIDDEN)) == (ReasonCode.SECRET_MISSING, True)


async def test_a_store_that_is_down_does_not_hide_that_a_secret_is_missing(
    tmp_path: Path, database_url: str
) -> None:
    vault = Vault(TOKEN=VALUE)
    async with temporary_plane(
        tmp_path, url=database_url, cipher=FakeCipher(), other_secrets=[vault]
    ) as plane:
        vault.down = True
        assert (await why_missing(plane.secrets.lookup, [Wanted("TOKEN", UUID(int=1), "shop")])).text == (
            "The secret TOKEN is missing: set it with `lineshaft secret set`, for all pipelines or with"
            " --pipeline."
        )
