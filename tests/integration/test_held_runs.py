"""Runs that wait for approval, on each kind of database."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from desk import SUCCEEDED, DeskWorker
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import InvalidInputError, NotWaitingError, RunNotFoundError
from lineshaft.model.origin import Origin
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR, Actor, Means
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run, Source
from lineshaft.model.secret import SecretAddress
from lineshaft.model.state import State
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import AuditFilter
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.new_run import FROM_A_FORK, NewRun
from lineshaft.services.progress import Progress
from lineshaft.services.run_request import RunRequest
from other_secrets import Vault
from planes import temporary_plane

COMMIT, OTHER, MERGE = "a" * 40, "b" * 40, "c" * 40
HELD = RunRequest(ref=COMMIT, hold=True)
ADA = Actor("ada", Means.PASSWORD, "192.0.2.7")
STEPS = "steps: [{name: a, run: make}]\n"
ALLOW = f"name: shop\nconcurrency: {{policy: allow}}\n{STEPS}"
SUPERSEDE = f"name: shop\nconcurrency: {{policy: supersede}}\n{STEPS}"
QUEUE = f"name: shop\nconcurrency: {{policy: queue}}\n{STEPS}"


@pytest.fixture
async def plane(tmp_path: Path, clock: ManualClock, database_url: str) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock, url=database_url, cipher=FakeCipher()) as opened:
        yield opened


@pytest.fixture
def worker(plane: ControlPlane) -> DeskWorker:
    return DeskWorker(plane)


def code(run: Run) -> ReasonCode | None:
    return None if run.root.reason is None else run.root.reason.code


async def pulled(worker: DeskWorker, pipeline: Pipeline, head: str, number: int = 7, *, held: bool) -> Run:
    """Start a run of a pull request, as a delivery does."""
    new = NewRun(
        pipeline.id,
        pipeline.definition,
        Source("https://git.example/shop", MERGE),
        untrusted=True,
        origin=Origin(actor="eve", pull_request=number, head_commit=head, from_fork=True),
        held=FROM_A_FORK if held else "",
    )
    progress, now = Progress(RandomIds(), None), ManualClock().now()
    started = await worker.plane.store.write(lambda transaction: progress.start(transaction, new, now))
    return started.run


async def states(plane: ControlPlane, *runs: Run) -> list[State]:
    return [(await plane.runs.get(run.id)).state for run in runs]


async def test_a_held_run_offers_no_work_and_says_why(worker: DeskWorker) -> None:
    run = await worker.start(ALLOW, HELD)

    assert (run.held, run.state, code(run)) == (True, State.WAITING, ReasonCode.WAITING_FOR_APPROVAL)
    assert await worker.claim() == {}


async def test_an_approved_run_begins_and_ends_as_any_does(worker: DeskWorker, plane: ControlPlane) -> None:
    run = await worker.start(ALLOW, HELD)

    approved = await plane.approvals.approve(run.id, COMMIT, ADA)

    assert (approved.held, approved.approved_by, approved.state) == (False, "ada", State.QUEUED)
    assert (await worker.report((await worker.claim())["a"])).state is State.SUCCEEDED


async def test_an_approval_stands_in_the_audit_log_with_its_commit(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    run = await worker.start(ALLOW, HELD)
    await plane.approvals.approve(run.id, COMMIT, ADA)

    wanted = AuditFilter(action=Action.RUN_APPROVED)
    (entry,) = await plane.store.read(
        lambda transaction: transaction.audit.page(wanted, before=None, limit=9)
    )

    assert (entry.actor, entry.target, entry.pipeline_id) == (ADA, str(run.id), run.pipeline_id)
    assert entry.detail == {"pipeline": "shop", "number": 1, "commit": COMMIT}


async def test_the_approval_of_another_commit_lets_nothing_begin(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    run = await worker.start(ALLOW, HELD)

    with pytest.raises(NotWaitingError, match=COMMIT):
        await plane.approvals.approve(run.id, OTHER, ADA)

    assert (await plane.runs.get(run.id)).held
    assert await worker.claim() == {}


async def test_a_pull_request_is_approved_by_its_head_not_by_what_it_is_merged_to(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    run = await pulled(worker, await worker.pipeline(ALLOW), OTHER, held=True)

    with pytest.raises(NotWaitingError):
        await plane.approvals.approve(run.id, MERGE, ADA)

    assert (await plane.approvals.approve(run.id, OTHER, ADA)).state is State.QUEUED


async def test_a_run_is_approved_once(worker: DeskWorker, plane: ControlPlane) -> None:
    run = await worker.start(ALLOW, HELD)
    await plane.approvals.approve(run.id, COMMIT, ADA)

    with pytest.raises(NotWaitingError, match="ada has approved it"):
        await plane.approvals.approve(run.id, COMMIT, ADA)


async def test_what_was_never_held_and_what_has_ended_cannot_be_approved(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    never = await worker.start(ALLOW, RunRequest(ref=COMMIT))
    cancelled = await worker.start(ALLOW, HELD)
    await plane.runs.cancel(cancelled.id)

    for run in (never, cancelled):
        with pytest.raises(NotWaitingError):
            await plane.approvals.approve(run.id, COMMIT, ADA)
    with pytest.raises(RunNotFoundError):
        await plane.approvals.approve(UUID(int=1), COMMIT, ADA)


async def test_a_held_run_is_cancelled_at_once(worker: DeskWorker, plane: ControlPlane) -> None:
    run = await worker.start(ALLOW, HELD)
    assert (await plane.runs.cancel(run.id)).state is State.CANCELLED


async def test_a_run_that_works_on_no_commit_that_is_known_cannot_be_held(worker: DeskWorker) -> None:
    for request in (RunRequest(hold=True), replace(HELD, ref="main")):
        with pytest.raises(InvalidInputError, match="needs a commit"):
            await worker.start(ALLOW, request)


async def test_a_held_run_supersedes_nothing_before_it_is_approved(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    pipeline = await worker.pipeline(SUPERSEDE)
    going = await plane.runs.trigger(pipeline.id)
    lease = (await worker.claim())["a"]
    held = await plane.runs.trigger(pipeline.id, HELD)
    assert await states(plane, going, held) == [State.RUNNING, State.WAITING]

    approved = await plane.approvals.approve(held.id, COMMIT, ADA)

    superseded = await plane.runs.get(going.id)
    assert (approved.state, approved.held) == (State.WAITING, False)
    assert superseded.cancel_reason is not None
    assert superseded.cancel_reason.code is ReasonCode.SUPERSEDED
    await worker.report(lease, replace(SUCCEEDED, state=State.CANCELLED))
    assert await states(plane, held) == [State.QUEUED]


async def test_a_held_run_is_not_superseded(worker: DeskWorker, plane: ControlPlane) -> None:
    pipeline = await worker.pipeline(SUPERSEDE)
    held = await plane.runs.trigger(pipeline.id, HELD)

    newer = await plane.runs.trigger(pipeline.id)

    assert await states(plane, held, newer) == [State.WAITING, State.QUEUED]
    assert (await plane.runs.get(held.id)).held


async def test_nothing_waits_for_a_held_run(worker: DeskWorker, plane: ControlPlane) -> None:
    pipeline = await worker.pipeline(QUEUE)
    held = await plane.runs.trigger(pipeline.id, HELD)
    newer = await plane.runs.trigger(pipeline.id)
    assert await states(plane, held, newer) == [State.WAITING, State.QUEUED]


async def test_an_approved_run_waits_for_a_newer_one_that_goes_on_and_goes_before_those_that_wait(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    pipeline = await worker.pipeline(QUEUE)
    held = await plane.runs.trigger(pipeline.id, HELD)
    going = await plane.runs.trigger(pipeline.id)
    waiting = await plane.runs.trigger(pipeline.id)

    approved = await plane.approvals.approve(held.id, COMMIT, ADA)

    assert (approved.state, code(approved)) == (State.WAITING, None)
    assert await states(plane, going, waiting) == [State.QUEUED, State.WAITING]
    await worker.report((await worker.claim())["a"])
    assert await states(plane, going, held, waiting) == [State.SUCCEEDED, State.QUEUED, State.WAITING]
    await worker.report((await worker.claim())["a"])
    assert await states(plane, held, waiting) == [State.SUCCEEDED, State.QUEUED]


async def test_a_held_run_that_is_cancelled_lets_no_second_run_of_its_group_begin(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    pipeline = await worker.pipeline(QUEUE)
    held = await plane.runs.trigger(pipeline.id, HELD)
    later = await plane.runs.trigger(pipeline.id, HELD)
    going = await plane.runs.trigger(pipeline.id)
    await plane.approvals.approve(held.id, COMMIT, ADA)

    await plane.runs.cancel(later.id)

    assert await states(plane, held, going) == [State.WAITING, State.QUEUED]


async def test_a_newer_push_to_a_pull_request_cancels_the_runs_that_wait_with_the_older(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    pipeline = await worker.pipeline(ALLOW)
    older = await pulled(worker, pipeline, COMMIT, held=True)
    another = await pulled(worker, pipeline, COMMIT, 8, held=True)
    elsewhere = await pulled(worker, await worker.pipeline(ALLOW), COMMIT, held=True)

    newer = await pulled(worker, pipeline, OTHER, held=True)

    assert await states(plane, older, another, elsewhere, newer) == [
        State.CANCELLED,
        State.WAITING,
        State.WAITING,
        State.WAITING,
    ]
    outdated = await plane.runs.get(older.id)
    assert code(outdated) is ReasonCode.SUPERSEDED
    assert newer.held


@pytest.mark.parametrize("text", [ALLOW, SUPERSEDE, QUEUE])
async def test_a_push_that_is_trusted_cancels_what_waits_and_begins(
    worker: DeskWorker, plane: ControlPlane, text: str
) -> None:
    pipeline = await worker.pipeline(text)
    older = await pulled(worker, pipeline, COMMIT, held=True)
    newer = await pulled(worker, pipeline, OTHER, held=False)
    assert await states(plane, older, newer) == [State.CANCELLED, State.QUEUED]


async def test_a_newer_push_leaves_alone_what_was_approved(worker: DeskWorker, plane: ControlPlane) -> None:
    pipeline = await worker.pipeline(ALLOW)
    older = await pulled(worker, pipeline, COMMIT, held=True)
    await plane.approvals.approve(older.id, COMMIT, ADA)

    await pulled(worker, pipeline, OTHER, held=True)

    assert await states(plane, older) == [State.QUEUED]


async def test_what_repeats_an_approved_run_need_not_be_approved_again(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    run = await pulled(worker, await worker.pipeline(ALLOW), COMMIT, held=True)
    await plane.approvals.approve(run.id, COMMIT, ADA)
    await worker.report((await worker.claim())["a"])

    again = await plane.runs.retry(run.id)

    assert (again.state, again.held, again.approved_by) == (State.QUEUED, False, "ada")
    assert (again.untrusted, again.origin) == (True, run.origin)


async def test_what_repeats_a_run_that_nobody_has_approved_is_held_again(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    pipeline = await worker.pipeline(ALLOW)
    run = await pulled(worker, pipeline, COMMIT, held=True)
    await plane.runs.cancel(run.id)
    newer = await pulled(worker, pipeline, OTHER, held=True)

    again = await plane.runs.retry(run.id)

    assert (again.held, again.approved_by, again.state) == (True, "", State.WAITING)
    # What repeats an older state of the pull request is no later than what waits.
    assert await states(plane, newer) == [State.WAITING]


async def test_runs_that_an_approved_run_calls_are_not_held_and_get_no_secrets_either(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    await plane.secrets.keeping.set(SecretAddress("TOKEN"), "correct-horse-battery", INSIDE_ACTOR)
    called = await worker.pipeline(
        "name: called\ncallable_by: '*'\nsteps: [{name: a, run: make, secrets: [TOKEN]}]\n"
    )
    text = "name: caller\nsteps: [{name: call, pipeline: called}]\n"
    run = await worker.start(text, replace(HELD, untrusted=True))
    assert await plane.runs.page(called.id, before=None, limit=9) == []

    await plane.approvals.approve(run.id, COMMIT, ADA)

    (child,) = await plane.runs.page(called.id, before=None, limit=9)
    assert (child.held, child.untrusted, child.state) == (False, True, State.FAILED)
    reason = child.nodes[1].reason
    assert reason is not None
    assert reason.code is ReasonCode.SECRET_WITHHELD


async def test_secrets_of_a_held_run_are_looked_for_when_it_is_approved(
    worker: DeskWorker, plane: ControlPlane
) -> None:
    text = "name: shop\nsteps: [{name: a, run: make, secrets: [TOKEN]}]\n"
    missing, there = await worker.start(text, HELD), await worker.start(text, HELD)
    assert await states(plane, missing, there) == [State.WAITING, State.WAITING]

    refused = await plane.approvals.approve(missing.id, COMMIT, ADA)
    await plane.secrets.keeping.set(SecretAddress("TOKEN"), "correct-horse-battery", INSIDE_ACTOR)
    begun = await plane.approvals.approve(there.id, COMMIT, ADA)

    assert (refused.state, code(refused)) == (State.FAILED, ReasonCode.SECRET_MISSING)
    assert begun.state is State.QUEUED


async def test_an_untrusted_run_misses_no_secrets_since_it_is_given_none(
    worker: DeskWorker,
) -> None:
    text = "name: shop\nsteps: [{name: a, run: make}, {name: b, run: x, if: trusted, secrets: [TOKEN]}]\n"
    run = await worker.start(text, RunRequest(ref=COMMIT, untrusted=True))
    ended = await worker.report((await worker.claim())["a"])
    assert (ended.id, ended.state) == (run.id, State.SUCCEEDED)


async def test_a_deleted_pipeline_takes_its_held_runs_along(worker: DeskWorker, plane: ControlPlane) -> None:
    run = await worker.start(ALLOW, HELD)
    await plane.pipelines.delete(run.pipeline_id)
    assert await states(plane, run) == [State.CANCELLED]


async def test_two_runs_of_a_group_whose_secrets_are_looked_for_elsewhere_do_not_go_on_together(
    tmp_path: Path, clock: ManualClock, database_url: str
) -> None:
    vault = Vault(TOKEN="correct-horse-battery")
    text = "name: shop\nconcurrency: {policy: queue}\nsteps: [{name: a, run: make, secrets: [TOKEN]}]\n"
    async with temporary_plane(
        tmp_path, clock, url=database_url, cipher=FakeCipher(), other_secrets=[vault]
    ) as plane:
        worker = DeskWorker(plane)
        pipeline = await worker.pipeline(text)
        held = await plane.runs.trigger(pipeline.id, HELD)
        newer = await plane.runs.trigger(pipeline.id)
        await plane.approvals.approve(held.id, COMMIT, ADA)

        await plane.settle()

        assert sorted(await states(plane, held, newer)) == [State.QUEUED, State.WAITING]
        await worker.report((await worker.claim())["a"])
        await plane.settle()
        assert sorted(await states(plane, held, newer)) == [State.QUEUED, State.SUCCEEDED]
