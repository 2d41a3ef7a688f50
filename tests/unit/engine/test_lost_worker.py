"""A lost worker: its attempt is over, and the task is tried again where that does no harm."""

import pytest

from lineshaft.engine.attempts import WAIT_AFTER_TROUBLE
from lineshaft.engine.decision import AttemptEnded, AttemptQueued, RunEnded, TimerSet
from lineshaft.model.event import TimerPurpose
from lineshaft.model.placement import Demand
from lineshaft.model.reason import ReasonCode
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import WorkKind
from trees import sequence, task
from watched_run import DISK_FULL, FAILED, SUCCEEDED, UNBEGUN, WatchedRun


def begun(kind: WorkKind, *, idempotent: bool | None = None) -> WatchedRun:
    watched = WatchedRun(Tree(sequence(task("only", kind, idempotent=idempotent))))
    watched.start()
    return watched


@pytest.mark.parametrize("kind", [WorkKind.RUN, WorkKind.BUILD])
def test_a_task_that_may_begin_twice_is_queued_again(kind: WorkKind) -> None:
    watched = begun(kind)
    watched.lease("only")
    decision = watched.lose("only")
    assert decision.effects == (AttemptEnded(1, 1, State.LOST), AttemptQueued(1, 2, Demand(kind)))
    assert [(event.state, event.attempt) for event in decision.events] == [
        (State.LOST, 1),
        (State.QUEUED, 2),
    ]


def test_the_second_loss_ends_the_task_as_lost() -> None:
    watched = begun(WorkKind.RUN)
    for _ in range(2):
        watched.lease("only")
        watched.lose("only")
    assert watched.states == {"": State.FAILED, "only": State.LOST}
    reason = watched.node("only").reason
    assert reason is not None
    assert reason.code is ReasonCode.WORKER_LOST


def test_the_second_attempt_can_succeed() -> None:
    watched = begun(WorkKind.RUN)
    watched.lease("only")
    started_at = watched.node("only").started_at
    watched.lose("only")
    watched.do("only", SUCCEEDED)
    assert watched.state("only") is State.SUCCEEDED
    assert watched.node("only").started_at == started_at


def test_a_deploy_never_begins_a_second_time() -> None:
    watched = begun(WorkKind.DEPLOY)
    watched.lease("only")
    assert watched.lose("only").effects == (AttemptEnded(1, 1, State.LOST), RunEnded(State.FAILED))


def test_a_deploy_that_is_marked_idempotent_begins_again() -> None:
    watched = begun(WorkKind.DEPLOY, idempotent=True)
    watched.lease("only")
    watched.lose("only")
    assert watched.state("only") is State.QUEUED


@pytest.mark.parametrize("kind", [WorkKind.RUN, WorkKind.BUILD])
def test_what_its_worker_could_not_do_waits_and_is_tried_again(kind: WorkKind) -> None:
    watched = begun(kind)
    effects = watched.do("only", DISK_FULL).effects
    due_at = watched.clock.now() + WAIT_AFTER_TROUBLE
    assert effects == (AttemptEnded(1, 1, State.LOST), TimerSet(1, TimerPurpose.RETRY, due_at))
    assert (watched.state("only"), watched.code("only")) == (State.WAITING, ReasonCode.WAITING_FOR_RETRY)
    watched.fire("only", TimerPurpose.RETRY)
    watched.do("only", SUCCEEDED)
    assert (watched.state("only"), watched.node("only").losses) == (State.SUCCEEDED, 1)


def test_the_history_tells_why_an_attempt_was_lost() -> None:
    watched = begun(WorkKind.RUN)
    lost, waiting = watched.do("only", DISK_FULL).events
    assert (lost.state, lost.reason, lost.attempt) == (State.LOST, DISK_FULL.reason, 1)
    assert waiting.state is State.WAITING


def test_the_second_time_that_its_worker_cannot_ends_the_task_as_lost_for_that_reason() -> None:
    watched = begun(WorkKind.RUN)
    watched.lease("only")
    watched.lose("only")
    watched.do("only", DISK_FULL)
    assert (watched.state("only"), watched.reason("only")) == (State.LOST, DISK_FULL.reason)


def test_what_a_worker_could_not_do_takes_nothing_from_the_tasks_retries() -> None:
    watched = WatchedRun(Tree(sequence(task("only", retry=Retry(1)))))
    watched.start()
    watched.do("only", DISK_FULL)
    watched.fire("only", TimerPurpose.RETRY)
    watched.do("only", FAILED)
    watched.do("only", SUCCEEDED)
    assert watched.states == {"": State.SUCCEEDED, "only": State.SUCCEEDED}


def test_a_task_that_is_to_stop_is_not_tried_again_when_its_worker_could_not_do_it() -> None:
    watched = begun(WorkKind.RUN)
    watched.lease("only")
    watched.cancel()
    watched.report("only", DISK_FULL)
    assert watched.state("only") is State.LOST


def test_a_deploy_whose_worker_could_not_go_on_never_begins_a_second_time() -> None:
    watched = begun(WorkKind.DEPLOY)
    assert watched.do("only", DISK_FULL).effects == (
        AttemptEnded(1, 1, State.LOST),
        RunEnded(State.FAILED),
    )


def test_a_deploy_of_which_nothing_was_begun_is_tried_again() -> None:
    watched = begun(WorkKind.DEPLOY)
    watched.do("only", UNBEGUN)
    watched.fire("only", TimerPurpose.RETRY)
    assert watched.state("only") is State.QUEUED
