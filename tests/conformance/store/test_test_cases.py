"""What attempts tell of their tests is kept once, counted, and asked for across runs."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from definitions import definition
from lineshaft.model.errors import InvalidInputError, StaleLeaseError
from lineshaft.model.event import RunStarted
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.test_case import TestCase, TestState
from lineshaft.model.test_report import (
    Finding,
    Flaky,
    NewlyFailing,
    PipelineTest,
    RunTest,
    Slow,
    TestCounts,
    TestedRun,
    TestOrder,
    TestSource,
)
from lineshaft.ports.store import TestWindow, Transaction
from lineshaft.ports.store.tests import MOST_KEPT_MESSAGES, MOST_TEST_RESULTS
from scene import Held, Scene
from trees import sequence, task

ONE = definition(sequence(task("unit"), name="one"))
PASS, FAIL = TestState.PASSED, TestState.FAILED


def case(name: str, state: TestState = PASS, seconds: float | None = 1.0) -> TestCase:
    return TestCase("suite", "module.Class", name, state, seconds, "" if state is PASS else "why", "a.py")


async def begun(scene: Scene, pipeline: Pipeline) -> tuple[Held, TestedRun]:
    run = await scene.waiting_run(pipeline)
    await scene.apply(run.id, RunStarted())
    (held,) = await scene.claim(100)
    return held, TestedRun(pipeline.id, run.number, "main")


async def tell(
    scene: Scene,
    held: Held,
    run: TestedRun,
    *cases: TestCase,
    number: int = 0,
    result: str = "junit",
) -> bool:
    source = TestSource(held.address, "unit", result)
    return await scene.store.write(
        lambda transaction: transaction.tests.add(source, held.token, run, number, cases)
    )


async def told(scene: Scene, held: Held) -> list[RunTest]:
    return await scene.look(
        lambda transaction: list(
            transaction.tests.of_run(
                [each.source for each in transaction.tests.summaries(held.address.run_id)]
            )
        )
    )


async def run_with(
    scene: Scene, pipeline: Pipeline, *cases: TestCase, commit: str | None = None, branch: str = "main"
) -> Held:
    """Play a run that tells of some test cases, to its end."""
    held, run = await begun(scene, pipeline)
    await tell(scene, held, replace(run, commit=commit, branch=branch), *cases)
    await scene.report(held)
    return held


async def asked(
    scene: Scene, pipeline: Pipeline, order: TestOrder, *, runs: int = 100, branch: str | None = None
) -> Sequence[PipelineTest]:
    window = TestWindow(pipeline.id, runs, branch)
    return await scene.look(
        lambda transaction: transaction.tests.of_pipeline(window, order, offset=0, limit=50)
    )


def findings(tests: Sequence[PipelineTest]) -> list[tuple[str, Finding]]:
    return [(each.last.name, each.finding) for each in tests]


async def test_test_cases_are_read_as_they_were_told(scene: Scene) -> None:
    held, run = await begun(scene, await scene.pipeline(ONE))
    first, second = case("é\n", FAIL), TestCase("", "", "b", TestState.SKIPPED, None, "later")

    assert await tell(scene, held, run, first, number=0)
    assert await tell(scene, held, run, second, number=1)

    source = TestSource(held.address, "unit", "junit")
    assert await told(scene, held) == [RunTest(source, first), RunTest(source, second)]


async def test_what_was_told_under_a_number_is_not_taken_again(scene: Scene) -> None:
    held, run = await begun(scene, await scene.pipeline(ONE))
    await tell(scene, held, run, case("a"))

    assert not await tell(scene, held, run, case("a"), case("b"))

    assert [each.case.name for each in await told(scene, held)] == ["a"]
    (summary,) = await scene.look(lambda transaction: transaction.tests.summaries(held.address.run_id))
    assert summary.counts == TestCounts(passed=1, seconds=1.0)


async def test_each_result_is_summed_up(scene: Scene) -> None:
    held, run = await begun(scene, await scene.pipeline(ONE))
    cases = [case("a"), case("b", FAIL, 2.5), case("c", TestState.ERROR, None), case("d", TestState.SKIPPED)]
    await tell(scene, held, run, *cases)
    await tell(scene, held, run, case("a"), number=1)
    await tell(scene, held, run, case("e"), result="other")

    summaries = await scene.look(lambda transaction: transaction.tests.summaries(held.address.run_id))

    assert [(each.source.result, each.counts) for each in summaries] == [
        ("junit", TestCounts(passed=2, failed=1, error=1, skipped=1, seconds=5.5)),
        ("other", TestCounts(passed=1, seconds=1.0)),
    ]


async def test_a_dead_lease_tells_of_nothing(scene: Scene) -> None:
    held, run = await begun(scene, await scene.pipeline(ONE))
    with pytest.raises(StaleLeaseError):
        await tell(scene, replace(held, token="another"), run, case("a"))
    await scene.report(held)
    with pytest.raises(StaleLeaseError):
        await tell(scene, held, run, case("a"))

    assert await told(scene, held) == []


async def test_a_lease_that_ends_in_the_same_transaction_tells_of_nothing_more(scene: Scene) -> None:
    held, run = await begun(scene, await scene.pipeline(ONE))
    source = TestSource(held.address, "unit", "junit")

    def work(transaction: Transaction) -> None:
        scene.reporting(held)(transaction)
        transaction.tests.add(source, held.token, run, 0, [case("a")])

    with pytest.raises(StaleLeaseError):
        await scene.store.write(work)


async def test_later_messages_of_a_very_long_result_are_only_counted(scene: Scene) -> None:
    held, run = await begun(scene, await scene.pipeline(ONE))

    assert await tell(scene, held, run, case("a"), number=MOST_KEPT_MESSAGES)
    assert not await tell(scene, held, run, case("a"), number=MOST_KEPT_MESSAGES)

    assert await told(scene, held) == []
    (summary,) = await scene.look(lambda transaction: transaction.tests.summaries(held.address.run_id))
    assert summary.counts.passed == 1


async def test_too_many_results_of_one_attempt_are_refused(scene: Scene) -> None:
    held, run = await begun(scene, await scene.pipeline(ONE))
    for number in range(MOST_TEST_RESULTS):
        await tell(scene, held, run, case("a"), result=f"junit-{number}")

    with pytest.raises(InvalidInputError):
        await tell(scene, held, run, case("a"), result="one more")


async def test_the_slowest_tests_come_first_by_their_median(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    for often, once in ((2.0, 1.0), (3.0, 1.0), (2.0, 90.0), (4.0, 1.0)):
        skipped = case("skipped", TestState.SKIPPED, 99.0)
        await run_with(scene, pipeline, case("often", seconds=often), case("once", seconds=once), skipped)
    await run_with(scene, pipeline, case("untimed", seconds=None))

    tests = await asked(scene, pipeline, TestOrder.SLOWEST)

    assert findings(tests) == [("often", Slow(2.5, 4.0, 4)), ("once", Slow(1.0, 90.0, 4))]
    assert tests[0] == PipelineTest("unit", 4, case("often", seconds=4.0), Slow(2.5, 4.0, 4))


async def test_the_median_of_an_odd_number_of_times_is_the_one_in_the_middle(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    for seconds in (1.0, 50.0, 3.0):
        await run_with(scene, pipeline, case("a", seconds=seconds))

    assert findings(await asked(scene, pipeline, TestOrder.SLOWEST)) == [("a", Slow(3.0, 50.0, 3))]


async def test_a_test_that_passes_when_tried_again_is_flaky(scene: Scene) -> None:
    pipeline = await scene.pipeline(definition(sequence(replace(task("unit"), retry=Retry(1)), name="r")))
    for _ in range(2):
        held, run = await begun(scene, pipeline)
        await tell(scene, held, run, case("flaky", FAIL), case("broken", FAIL), case("fine"))
        await scene.report(held, State.FAILED)
        (again,) = await scene.claim(100)
        await tell(scene, again, run, case("flaky"), case("broken", FAIL), case("fine"))
        await scene.report(again)

    assert findings(await asked(scene, pipeline, TestOrder.FLAKY)) == [("flaky", Flaky(retried_runs=2))]


async def test_a_test_that_ends_in_two_ways_on_one_commit_is_flaky(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    await run_with(scene, pipeline, case("flaky", FAIL), case("fine"), case("broken", FAIL), commit="c0ffee")
    await run_with(scene, pipeline, case("flaky"), case("fine"), case("broken", FAIL), commit="c0ffee")
    await run_with(scene, pipeline, case("flaky", FAIL), case("fine"), case("broken"), commit="fedcba")
    await run_with(scene, pipeline, case("flaky"), case("fine"), case("broken", FAIL))

    assert findings(await asked(scene, pipeline, TestOrder.FLAKY)) == [("flaky", Flaky(split_commits=1))]


async def test_a_test_fails_newly_that_passed_in_the_run_before(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    await run_with(scene, pipeline, case("new"), case("old", FAIL), case("mended", FAIL), case("rare"))
    await run_with(scene, pipeline, case("new", FAIL), case("old", FAIL), case("mended"))
    await run_with(scene, pipeline, case("rare", FAIL), case("first", FAIL), case("new", TestState.SKIPPED))

    tests = await asked(scene, pipeline, TestOrder.NEWLY_FAILING)

    assert findings(tests) == [("rare", NewlyFailing(3, 1)), ("new", NewlyFailing(2, 1))]
    assert tests[0].last == case("rare", FAIL)


async def test_only_the_last_runs_with_tests_count(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    await run_with(scene, pipeline, case("gone"))
    await run_with(scene, pipeline, case("kept"))
    held, _ = await begun(scene, pipeline)
    await scene.report(held)

    tests = await asked(scene, pipeline, TestOrder.SLOWEST, runs=1)

    assert [each.last.name for each in tests] == ["kept"]


async def test_only_runs_on_the_branch_count(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    await run_with(scene, pipeline, case("main"))
    await run_with(scene, pipeline, case("topic"), branch="topic")

    tests = await asked(scene, pipeline, TestOrder.SLOWEST, branch="topic")

    assert [each.last.name for each in tests] == ["topic"]
    assert await asked(scene, pipeline, TestOrder.SLOWEST, branch="none") == []


async def test_a_test_told_of_twice_in_an_attempt_counts_at_its_worst(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    await run_with(scene, pipeline, case("a"), case("b"))
    held, run = await begun(scene, pipeline)
    await tell(scene, held, run, case("a", FAIL), case("a"), case("b"))
    await tell(scene, held, run, case("b", FAIL), number=1)
    await tell(scene, held, run, case("b"), number=2)

    tests = await asked(scene, pipeline, TestOrder.NEWLY_FAILING)

    assert sorted(findings(tests), key=lambda each: each[0]) == [
        ("a", NewlyFailing(2, 1)),
        ("b", NewlyFailing(2, 1)),
    ]


async def test_tests_of_other_pipelines_do_not_count(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    await run_with(scene, await scene.pipeline(ONE), case("a"))

    assert await asked(scene, pipeline, TestOrder.SLOWEST) == []


@pytest.mark.parametrize("order", TestOrder)
async def test_a_list_goes_on_where_the_page_before_has_ended(scene: Scene, order: TestOrder) -> None:
    pipeline = await scene.pipeline(ONE)
    names = [f"t{number}" for number in range(5)]
    await run_with(scene, pipeline, *(case(name) for name in names), commit="c0ffee")
    await run_with(scene, pipeline, *(case(name, FAIL) for name in names), commit="c0ffee")
    window = TestWindow(pipeline.id, 10)

    def page(offset: int) -> Callable[[Transaction], Sequence[PipelineTest]]:
        return lambda transaction: transaction.tests.of_pipeline(window, order, offset=offset, limit=2)

    pages = [await scene.look(page(offset)) for offset in (0, 2, 4, 6)]

    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert sorted(each.last.name for page in pages for each in page) == names


async def test_tests_are_removed_with_their_run_in_parts(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    first = await run_with(scene, pipeline, *(case(f"t{number}") for number in range(7)))
    second = await run_with(scene, pipeline, case("kept"))
    now = scene.clock.now()

    parts = 1
    while not await scene.store.write(
        lambda transaction: transaction.retention.remove_run(first.address.run_id, now, 3)
    ):
        parts += 1

    assert parts > 2
    assert await told(scene, first) == []
    assert len(await told(scene, second)) == 1
    tests = await asked(scene, pipeline, TestOrder.SLOWEST)
    assert [each.last.name for each in tests] == ["kept"]
