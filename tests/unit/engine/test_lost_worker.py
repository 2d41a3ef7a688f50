"""A lost worker: its attempt is over, and the task is tried again where that does no harm."""

import pytest

from lineshaft.engine.decision import AttemptEnded, AttemptQueued, RunEnded
from lineshaft.model.placement import Demand
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import WorkKind
from trees import sequence, task
from watched_run import SUCCEEDED, WatchedRun


def begun(kind: WorkKind, *, idempotent: bool = False) -> WatchedRun:
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
