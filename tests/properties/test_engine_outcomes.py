"""What a run comes to follows from its tree and from how each attempt ends, and from nothing else."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    ChildRunEnded,
    TimerFired,
    TimerPurpose,
)
from lineshaft.model.node import Group, Order, Role, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place, Tree
from lineshaft.model.work import WorkKind, kind_of
from trees import any_trees
from watched_run import FAILED, OUTCOMES, STOPPED, SUCCEEDED, UNBEGUN, WatchedRun

SLOW_TO_DRAW = (HealthCheck.too_slow, HealthCheck.data_too_large)
"""Trees are large on purpose, and a busy machine is no failure."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What befalls a task: how many of its workers are lost, how often it fails then, and its last end."""

    losses: int
    failures: int
    outcome: Outcome

    def at(self, attempt: int) -> Outcome | None:
        """Tell how an attempt ends; None when its worker is lost."""
        if attempt <= self.losses:
            return None
        return FAILED if attempt <= self.losses + self.failures else self.outcome


FATES = st.builds(
    Fate,
    st.sampled_from((0, 0, 0, 1, 2)),
    st.sampled_from((0, 0, 0, 1, 2)),
    st.sampled_from((SUCCEEDED, SUCCEEDED, SUCCEEDED, *OUTCOMES)),
)

Fates = Mapping[int, Fate]

STOPPED_FATES: Fates = defaultdict(lambda: Fate(0, 0, STOPPED))


@st.composite
def trees_with_fates(draw: st.DrawFn) -> tuple[Tree, Fates]:
    tree = draw(any_trees(fail_fast=False, limits=False))
    return tree, {place.index: draw(FATES) for place in tree.places if isinstance(place.node, Task)}


def step(watched: WatchedRun, fates: Fates, random: Random) -> bool:
    """Let any one thing happen that can; False when there is none."""
    queue = watched.queue
    # The timer of a task that was stopped while it waited fires for nobody.
    retries = [
        (node, 0)
        for node, purpose in queue.timers
        if purpose is TimerPurpose.RETRY and watched.run.nodes[node].state is State.WAITING
    ]
    possible = sorted([*queue.queued, *queue.leased, *queue.calls, *retries])
    if not possible:
        return False
    node, attempt = random.choice(possible)
    outcome = fates[node].at(attempt)
    if not attempt:
        watched.send(TimerFired(node, TimerPurpose.RETRY))
    elif (node, attempt) in queue.queued:
        watched.send(AttemptLeased(node, attempt, watched.new_lease()))
    elif (node, attempt) in queue.calls:
        watched.send(ChildRunEnded(node, attempt, outcome or FAILED))
    elif outcome is None:
        watched.send(AttemptLost(node, attempt, queue.leased[node, attempt].token))
    else:
        watched.send(AttemptReported(node, attempt, queue.leased[node, attempt].token, outcome))
    return True


def carried_out(tree: Tree, fates: Fates, random: Random) -> WatchedRun:
    watched = WatchedRun(tree)
    watched.start()
    while step(watched, fates, random):
        pass
    return watched


class Expected:
    """The rules said once more, top down and without events."""

    def __init__(self, tree: Tree, fates: Fates) -> None:
        """Work out the state of every node."""
        self.tree = tree
        self.fates = fates
        self.states: dict[int, State] = {}
        self.end(tree[ROOT], failed_before=False)

    def by_path(self) -> dict[str, State]:
        return {place.path: self.states[place.index] for place in self.tree.places}

    def end(self, place: Place, *, failed_before: bool) -> None:
        verdict = condition_of(place, failed_before=failed_before)
        if verdict is not None:
            self.skip(place.index)
            self.states[place.index] = verdict
        elif isinstance(place.node, Group):
            self.states[place.index] = self.end_group(place, place.node)
        else:
            self.states[place.index] = end_task(place.node, self.fates[place.index])

    def end_group(self, place: Place, group: Group) -> State:
        if place.setup is not None:
            self.end(self.tree[place.setup], failed_before=False)
        if place.setup is not None and self.against(place.setup):
            for child in place.children:
                self.skip(child)
        else:
            self.end_body(place, group)
        if place.teardown is not None:
            failed = any(self.against(index) for index in place.below if index != place.teardown)
            self.end(self.tree[place.teardown], failed_before=failed)
        return State.FAILED if any(self.against(index) for index in place.below) else State.SUCCEEDED

    def end_body(self, place: Place, group: Group) -> None:
        for position, child in enumerate(place.children if group.order is not Order.GRAPH else ()):
            earlier = place.children[:position] if group.order is Order.SEQUENCE else ()
            self.end(self.tree[child], failed_before=any(self.against(index) for index in earlier))
        failed: dict[int, bool] = {}
        while group.order is Order.GRAPH and len(failed) < len(place.children):
            for child in place.children:
                needs = self.tree[child].needs
                if child not in failed and all(need in failed for need in needs):
                    before = any(failed[need] for need in needs)
                    self.end(self.tree[child], failed_before=before)
                    failed[child] = before or self.against(child)

    def against(self, index: int) -> bool:
        return self.states[index].unsuccessful and not self.tree[index].node.allow_failure

    def skip(self, index: int) -> None:
        self.states[index] = State.SKIPPED
        for child in self.tree[index].below:
            self.skip(child)


def condition_of(place: Place, *, failed_before: bool) -> State | None:
    """Say how a node ends because of its condition; None when it begins."""
    condition = place.node.condition
    text = "" if condition is None else condition.expression
    skipped = {
        "": failed_before and place.role is Role.BODY,
        "true": failed_before and place.role is Role.BODY,
        "false": True,
        "always()": False,
        "failed()": not failed_before,
        "succeeded()": failed_before,
        "1 / 0 == 1": failed_before and place.role is Role.BODY,
    }[text]
    if skipped:
        return State.SKIPPED
    return State.FAILED if text == "1 / 0 == 1" else None


def end_task(task: Task, fate: Fate) -> State:
    kind = kind_of(task.work)
    safe = kind is not WorkKind.DEPLOY if task.idempotent is None else task.idempotent
    losses = 1
    retries = task.retry.count if task.retry is not None else 0
    attempt = 1
    while True:
        outcome = fate.at(attempt)
        if outcome is None and kind is WorkKind.PIPELINE:
            outcome = FAILED
        state = State.LOST if outcome is None else outcome.state
        attempt += 1
        if state is State.SUCCEEDED:
            return state
        may_follow = safe or outcome is UNBEGUN
        if state is State.LOST and losses and may_follow:
            losses -= 1
        elif retries and may_follow and task.retry is not None and covers(task.retry, state, outcome):
            retries -= 1
        else:
            return state


def covers(retry: Retry, state: State, outcome: Outcome | None) -> bool:
    return state in retry.states or (outcome is FAILED and FAILED.exit_code in retry.exit_codes)


@settings(max_examples=80, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(trees_with_fates(), st.randoms(use_true_random=False))
def test_the_states_follow_from_tree_and_outcomes_whatever_the_order_of_the_reports(
    tree_with_fates: tuple[Tree, Fates], random: Random
) -> None:
    tree, fates = tree_with_fates
    assert carried_out(tree, fates, random).states == Expected(tree, fates).by_path()


@settings(max_examples=80, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(trees_with_fates(), st.randoms(use_true_random=False), st.integers(0, 30))
def test_a_cancelled_run_ends_when_what_ran_has_stopped_and_its_teardowns_have(
    tree_with_fates: tuple[Tree, Fates], random: Random, steps: int
) -> None:
    tree, fates = tree_with_fates
    watched = WatchedRun(tree)
    watched.start()
    for _ in range(steps):
        step(watched, fates, random)
    watched.cancel()
    while step(watched, STOPPED_FATES, random):
        pass
    assert all(state.ended for state in watched.states.values())
