from dataclasses import replace

from definitions import definition, wide
from lineshaft.model.definition import Definition
from lineshaft.model.run import Run, waiting_nodes
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import CountingIds
from lineshaft.store.recent import RecentDefinitions, RecentRuns
from trees import sequence

IDS = CountingIds()
NOW = ManualClock().now()


def run_of(of: Definition) -> Run:
    return Run(IDS.new_id(), IDS.new_id(), 1, of.hash, of.tree, None, NOW, waiting_nodes(of.tree))


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


def test_large_runs_make_fewer_be_remembered() -> None:
    recent = RecentRuns(most_nodes=10)
    small, large = run_of(wide(3)), run_of(wide(8))
    recent.committed([small], {})

    recent.committed([large], {})

    assert recent.get(small.id) is None
    assert recent.get(large.id) is large


def test_a_run_larger_than_the_whole_memory_is_not_remembered() -> None:
    recent = RecentRuns(most_nodes=10)
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
