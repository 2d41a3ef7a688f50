from dataclasses import replace

from definitions import definition, wide
from lineshaft.model.definition import Definition
from lineshaft.model.event import RunEvent
from lineshaft.model.run import NodeRun, Run, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import CountingIds
from lineshaft.store.recent import RecentDefinitions, RecentRuns
from trees import sequence

IDS = CountingIds()
NOW = ManualClock().now()


def run_of(of: Definition) -> Run:
    return Run(IDS.new_id(), IDS.new_id(), 1, of.hash, of.tree, None, NOW, waiting_nodes(of.tree))


def ended(run: Run) -> Run:
    return replace(run, nodes=run.nodes.replaced(ROOT, NodeRun(State.SUCCEEDED)))


def event(number: int) -> RunEvent:
    return RunEvent(number, NOW, 1, State.QUEUED, None, 1, None)


def test_a_committed_run_is_remembered_as_it_was_committed() -> None:
    recent = RecentRuns()
    run = run_of(wide(1))
    recent.committed([run], {})
    later = replace(run, version=1)

    recent.committed([later], {})

    assert recent.get(run.id) is later


def test_the_runs_used_longest_ago_are_forgotten_first() -> None:
    recent = RecentRuns(most_runs=2)
    first, second, third = (run_of(wide(1)) for _ in range(3))
    recent.committed([first, second], {})
    recent.get(first.id)

    recent.committed([third], {})

    assert [recent.get(run.id) for run in (first, second, third)] == [first, None, third]


def test_runs_that_have_ended_are_forgotten_before_those_that_go_on() -> None:
    recent = RecentRuns(most_ended=1)
    going, first, second = run_of(wide(1)), ended(run_of(wide(1))), ended(run_of(wide(1)))
    recent.committed([going, first], {})

    recent.committed([second], {})

    assert [recent.get(run.id) for run in (going, first, second)] == [going, None, second]


def test_a_run_that_ended_and_was_used_since_is_kept_longer() -> None:
    recent = RecentRuns(most_ended=2)
    first, second, third = (ended(run_of(wide(1))) for _ in range(3))
    recent.committed([first, second], {})
    recent.get(first.id)

    recent.committed([third], {})

    assert [recent.get(run.id) for run in (first, second, third)] == [first, None, third]


def test_events_count_as_nodes_do() -> None:
    recent = RecentRuns(most_parts=10)
    quiet, busy = run_of(wide(3)), run_of(wide(3))
    recent.committed([quiet], {})

    recent.committed([busy], {busy.id: [event(number) for number in range(1, 5)]})

    assert recent.get(quiet.id) is None
    assert recent.events(busy.id, 0) is not None


def test_large_runs_make_fewer_be_remembered() -> None:
    recent = RecentRuns(most_parts=10)
    small, large = run_of(wide(3)), run_of(wide(8))
    recent.committed([small], {})

    recent.committed([large], {})

    assert recent.get(small.id) is None
    assert recent.get(large.id) is large


def test_a_run_larger_than_the_whole_memory_is_not_remembered() -> None:
    recent = RecentRuns(most_parts=10)
    recent.committed([run_of(wide(3)), run := run_of(wide(20))], {})

    assert recent.get(run.id) is None
    recent.committed([small := run_of(wide(9))], {})
    assert recent.get(small.id) is small


def test_a_loaded_run_is_remembered_while_nothing_was_committed_meanwhile() -> None:
    recent = RecentRuns()
    run = run_of(wide(1))
    before = recent.commits()

    recent.loaded([run], before)

    assert recent.get(run.id) is run


def test_a_loaded_run_is_dropped_when_something_was_committed_meanwhile() -> None:
    recent = RecentRuns()
    run = run_of(wide(1))
    before = recent.commits()
    recent.committed([replace(run, version=1)], {})

    recent.loaded([run], before)

    found = recent.get(run.id)
    assert found is not None
    assert found.version == 1


def test_what_is_forgotten_is_gone() -> None:
    recent = RecentRuns()
    run = run_of(wide(1))
    recent.committed([run], {})

    recent.forget([run.id, IDS.new_id()])

    assert recent.get(run.id) is None


def test_the_definitions_used_longest_ago_are_forgotten_first() -> None:
    recent = RecentDefinitions(most=2)
    first, second, third = (definition(sequence(name=name)) for name in "abc")
    recent.put([first, second])
    recent.get(first.hash)

    recent.put([third])

    assert [recent.get(each.hash) for each in (first, second, third)] == [first, None, third]


def test_large_definitions_make_fewer_be_remembered() -> None:
    recent = RecentDefinitions(most_nodes=10)
    small, large = wide(3), wide(8)
    recent.put([small])

    recent.put([large])

    assert [recent.get(each.hash) for each in (small, large)] == [None, large]


def test_the_definition_used_last_is_remembered_however_large() -> None:
    recent = RecentDefinitions(most_nodes=10)
    small, large = wide(3), wide(20)

    recent.put([small, large])

    assert [recent.get(each.hash) for each in (small, large)] == [None, large]


def test_a_definition_that_is_put_again_counts_once() -> None:
    recent = RecentDefinitions(most_nodes=10)
    small = wide(3)

    recent.put([small, small, small, wide(4)])

    assert recent.get(small.hash) is small
