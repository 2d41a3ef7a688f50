"""Which statuses a run wants its forge to show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from lineshaft.definition.compiling.read import read_native
from lineshaft.engine.advance import advance
from lineshaft.engine.decision import Decision
from lineshaft.model.commit_status import StatusState, StatusTarget
from lineshaft.model.event import AttemptLeased, AttemptReported, CancelRequested, Event, RunStarted
from lineshaft.model.origin import NO_ORIGIN, Origin
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Lease, Run, waiting_nodes
from lineshaft.model.state import State
from lineshaft.services.statuses.wanting import MOST_NODES, changed_statuses, first_statuses

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = StatusTarget("hub", "https://git.example/a/b", "c0ffee")
LEASE = Lease("token", UUID(int=7))
DEEP = """
name: shop
setup: {run: x}
teardown: {run: x}
steps:
  - name: test
    parallel: true
    steps: [{name: unit, run: x}, {name: api, run: x}]
"""


def run_of(text: str, *, told: bool = True) -> Run:
    definition = read_native(text.encode())
    return Run(
        id=UUID(int=1),
        pipeline_id=UUID(int=2),
        number=1,
        definition_hash=definition.hash,
        tree=definition.tree,
        source=None,
        created_at=NOW,
        nodes=waiting_nodes(definition.tree),
        origin=Origin(statuses=TARGET) if told else NO_ORIGIN,
    )


class Trip:
    """A run on its way, and the statuses that each step of it has brought."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.now = NOW

    def hear(self, event: Event) -> dict[str, tuple[StatusState, str]]:
        decision: Decision = advance(self.run, event, self.now)
        found = list(changed_statuses(self.run, decision, self.now))
        self.run = decision.run
        return {each.status.context: (each.status.state, each.status.text) for each in found}

    def index(self, path: str) -> int:
        place = self.run.tree.find(path)
        assert place is not None
        return place.index

    def lease(self, path: str) -> dict[str, tuple[StatusState, str]]:
        index = self.index(path)
        return self.hear(AttemptLeased(index, self.run.nodes[index].attempt, LEASE))

    def report(self, path: str, outcome: Outcome) -> dict[str, tuple[StatusState, str]]:
        index = self.index(path)
        return self.hear(AttemptReported(index, self.run.nodes[index].attempt, LEASE.token, outcome))


def begun(text: str) -> Trip:
    trip = Trip(run_of(text))
    trip.hear(RunStarted())
    return trip


def test_a_new_run_wants_its_own_and_those_of_its_top_level_nodes() -> None:
    found = list(first_statuses(run_of(DEEP), NOW))

    assert [each.status.context.removeprefix("lineshaft/shop") for each in found] == [
        "", "/setup", "/test", "/teardown"
    ]  # fmt: skip
    assert {each.status.state for each in found} == {StatusState.PENDING}
    assert {each.target for each in found} == {TARGET}


def test_what_is_deeper_changes_a_status_only_where_it_changes_the_top() -> None:
    trip = begun(DEEP)
    trip.lease("setup")
    trip.report("setup", Outcome(State.SUCCEEDED))

    assert trip.lease("test/unit") == {"lineshaft/shop/test": (StatusState.RUNNING, "Is running")}
    assert trip.lease("test/api") == {}
    assert trip.report("test/unit", Outcome(State.SUCCEEDED)) == {}
    trip.now += timedelta(minutes=2)
    told = trip.report("test/api", Outcome(State.SUCCEEDED))
    assert told == {"lineshaft/shop/test": (StatusState.SUCCEEDED, "Succeeded in 2 min")}


def test_a_run_that_no_forge_asks_about_wants_nothing() -> None:
    run = run_of(DEEP, told=False)

    assert list(first_statuses(run, NOW)) == []
    assert list(changed_statuses(run, advance(run, RunStarted(), NOW), NOW)) == []


def test_of_too_many_nodes_only_the_run_is_told_with_what_is_around_it() -> None:
    steps = ", ".join(f"{{name: n{number}, run: x}}" for number in range(MOST_NODES + 1))
    most = ", ".join(f"{{name: n{number}, run: x}}" for number in range(MOST_NODES))

    too_many = list(first_statuses(run_of(f"name: shop\nsetup: {{run: x}}\nsteps: [{steps}]"), NOW))
    enough = list(first_statuses(run_of(f"name: shop\nsetup: {{run: x}}\nsteps: [{most}]"), NOW))

    assert [each.status.context for each in too_many] == ["lineshaft/shop", "lineshaft/shop/setup"]
    assert len(enough) == MOST_NODES + 2


def test_a_held_run_waits_for_approval() -> None:
    run = replace(run_of("name: shop\nsteps: [{name: a, run: x}]"), held=True)

    texts = [each.status.text for each in first_statuses(run, NOW)]

    assert texts == ["Waits for approval", "Has not begun"]


def test_a_task_that_is_tried_again_goes_on_running() -> None:
    trip = begun("name: shop\nsteps: [{name: a, run: x, retry: 1}]")
    trip.lease("a")
    failed = Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "Exit code 1."), 1)

    assert trip.report("a", failed) == {}
    assert trip.lease("a") == {}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "x")), StatusState.FAILED),
        (Outcome(State.FAILED, Reason(ReasonCode.SOURCE_UNREACHABLE, "x")), StatusState.ERROR),
        (Outcome(State.TIMED_OUT, Reason(ReasonCode.TIME_LIMIT, "x")), StatusState.FAILED),
        (Outcome(State.CANCELLED, Reason(ReasonCode.WORKER_STOPPED, "x")), StatusState.CANCELLED),
    ],
    ids=["failed", "source", "time", "cancelled"],
)
def test_each_end_has_its_word_and_its_reason(outcome: Outcome, state: StatusState) -> None:
    trip = begun("name: shop\nsteps: [{name: a, run: x, retry: 0}]")
    trip.lease("a")

    assert trip.report("a", outcome)["lineshaft/shop/a"] == (state, "x")


def test_a_cancelled_run_is_cancelled_with_what_has_not_begun() -> None:
    trip = begun("name: shop\nsteps: [{name: a, run: x}, {name: b, run: x}]")

    told = trip.hear(CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "ada cancelled it.")))

    assert told["lineshaft/shop"] == (StatusState.CANCELLED, "ada cancelled it.")
    assert told["lineshaft/shop/a"][0] in {StatusState.CANCELLED, StatusState.SKIPPED}


def test_the_version_grows_with_whatever_happens_to_the_run() -> None:
    run = run_of("name: shop\nsteps: [{name: a, run: x}]")
    first = next(first_statuses(run, NOW))
    trip = Trip(run)
    trip.hear(RunStarted())
    before = trip.run

    decision = advance(before, AttemptLeased(1, 1, LEASE), NOW)

    later = list(changed_statuses(before, decision, NOW))
    assert all(each.version > first.version for each in later)
