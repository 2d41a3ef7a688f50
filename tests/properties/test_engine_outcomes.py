"""What a run comes to follows from its tree and from how each attempt ends, and from nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.model.event import AttemptLeased, AttemptLost, AttemptReported
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Place, Tree
from lineshaft.model.work import WorkKind, kind_of
from trees import trees
from watched_run import OUTCOMES, STOPPED, SUCCEEDED, WatchedRun


@dataclass(frozen=True, slots=True)
class Fate:
    """What befalls a task: how many of its workers are lost, and how it ends with the one that is not."""

    losses: int
    outcome: Outcome


FATES = st.builds(
    Fate,
    st.sampled_from((0, 0, 0, 1, 2)),
    st.sampled_from((SUCCEEDED, SUCCEEDED, SUCCEEDED, *OUTCOMES)),
)

Fates = Mapping[int, Fate]


@st.composite
def trees_with_fates(draw: st.DrawFn) -> tuple[Tree, Fates]:
    tree = draw(trees())
    return tree, {place.index: draw(FATES) for place in tree.places if isinstance(place.node, Task)}


def step(watched: WatchedRun, fates: Fates, random: Random) -> bool:
    """Let a worker claim or end one attempt, any that can be; False when there is none."""
    queue = watched.queue
    possible = sorted(queue.queued) + sorted(queue.leased)
    if not possible:
        return False
    node, attempt = random.choice(possible)
    lease = queue.leased.get((node, attempt))
    if lease is None:
        watched.send(AttemptLeased(node, attempt, watched.new_lease()))
    elif attempt <= fates[node].losses:
        watched.send(AttemptLost(node, attempt, lease.token))
    else:
        watched.send(AttemptReported(node, attempt, lease.token, fates[node].outcome))
    return True


def carried_out(tree: Tree, fates: Fates, random: Random) -> WatchedRun:
    watched = WatchedRun(tree)
    watched.start()
    while step(watched, fates, random):
        pass
    return watched


def expected_states(tree: Tree, fates: Fates) -> dict[str, State]:
    """Say the rules once more, top down and without events."""
    states: dict[str, State] = {}

    def end(place: Place) -> State:
        node = place.node
        states[place.path] = end_group(place, node) if isinstance(node, Group) else end_task(place, node)
        return states[place.path]

    def end_task(place: Place, task: Task) -> State:
        fate = fates[place.index]
        once = kind_of(task.work) is WorkKind.DEPLOY and not task.idempotent
        return State.LOST if fate.losses >= (1 if once else 2) else fate.outcome.state

    def end_group(place: Place, group: Group) -> State:
        failed = False
        for child in place.children:
            if failed and group.order is Order.SEQUENCE:
                states.update((path, State.SKIPPED) for path in below(child))
            elif end(tree[child]) is not State.SUCCEEDED:
                failed = True
        return State.FAILED if failed else State.SUCCEEDED

    def below(index: int) -> Iterator[str]:
        yield tree[index].path
        for child in tree[index].children:
            yield from below(child)

    end(tree[ROOT])
    return states


@settings(max_examples=80, deadline=None)
@given(trees_with_fates(), st.randoms(use_true_random=False))
def test_the_states_follow_from_tree_and_outcomes_whatever_the_order_of_the_reports(
    tree_with_fates: tuple[Tree, Fates], random: Random
) -> None:
    tree, fates = tree_with_fates
    assert carried_out(tree, fates, random).states == expected_states(tree, fates)


@settings(max_examples=80, deadline=None)
@given(trees_with_fates(), st.randoms(use_true_random=False), st.integers(0, 30))
def test_a_cancelled_run_ends_with_one_more_word_on_each_attempt_that_ran(
    tree_with_fates: tuple[Tree, Fates], random: Random, steps: int
) -> None:
    tree, fates = tree_with_fates
    watched = WatchedRun(tree)
    watched.start()
    for _ in range(steps):
        step(watched, fates, random)
    watched.cancel()
    for (node, attempt), lease in sorted(watched.queue.leased.items()):
        assert not watched.run.state.ended
        watched.send(AttemptReported(node, attempt, lease.token, STOPPED))
    assert all(state.ended for state in watched.states.values())
