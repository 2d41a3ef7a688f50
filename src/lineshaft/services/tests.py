"""Test cases: taken from workers, and told of by run and over many runs."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from lineshaft.model.errors import InvalidInputError, Problem
from lineshaft.model.run import Run, Source
from lineshaft.model.test_case import TestCase, TestState
from lineshaft.model.test_report import (
    PipelineTest,
    RunTest,
    TestCounts,
    TestedRun,
    TestOrder,
    TestSource,
    TestSummary,
)
from lineshaft.ports.store import Store, TestWindow, Transaction
from lineshaft.services.finding import find_run
from lineshaft.services.kept_nodes import origins
from lineshaft.services.pipelines import find_pipeline
from lineshaft.wire.files import TestCases

LONGEST_TEST_NAME: Final = 1_000
"""How many characters are kept of each name of a test, and of its file."""

LONGEST_TEST_MESSAGE: Final = 4_000
"""How many characters are kept of what a test says about its failure."""

_LONGEST_SECONDS: Final = 10.0**9
_ORDER: Final = {
    state: place
    for place, state in enumerate((TestState.FAILED, TestState.ERROR, TestState.PASSED, TestState.SKIPPED))
}
_NO_SOURCE: Final = Source("")


@dataclass(frozen=True, slots=True)
class TestFilter:
    """Which test cases of a run to show; what is None does not matter.

    Attributes:
        states: those that ended so; none means any.
        node: of which node, by its path; those of nodes below it are meant as well.
        text: what their names hold, whether in capitals or not.
        attempt: of which attempt; None means each node's newest that has told of tests.
    """

    __test__ = False

    states: frozenset[TestState] = frozenset()
    node: str | None = None
    text: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class RunTests:
    """Some of a run's test cases.

    Attributes:
        counts: what all of them have come to that a filter's attempts and node mean.
        shown: a page of those that fit the filter, failures first.
        more: whether more follow.
    """

    counts: TestCounts
    shown: Sequence[RunTest]
    more: bool


class TestService:
    """The use cases of tests."""

    __test__ = False

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, told: TestCases) -> None:
        """Keep test cases that a worker tells of; what was told already is not taken again.

        Raises:
            StaleLeaseError: the lease is dead.
            InvalidInputError: the result's name cannot be kept, or too many results tell of tests.
        """
        if "\0" in told.result:
            raise InvalidInputError(
                "The result's name holds a NUL.", problems=[Problem("result", "must not hold a NUL")]
            )
        cases = [_bounded(case) for case in told.cases]

        def work(transaction: Transaction) -> None:
            run = find_run(transaction, told.address.run_id)
            if not 0 < told.address.node < len(run.tree):
                raise InvalidInputError(
                    "The run has no such node.", advice="Tell of tests of the lease's own."
                )
            source = TestSource(told.address, run.tree[told.address.node].path, told.result)
            transaction.tests.add(source, told.token, _tested(run), told.number, cases)

        await self._store.write(work)

    async def of_run(self, run_id: UUID, of: TestFilter, *, offset: int, limit: int) -> RunTests:
        """List test cases of a run: those that failed first, then by node and name.

        Raises:
            RunNotFoundError: there is no such run.
        """

        def work(transaction: Transaction) -> RunTests:
            summaries = _chosen(run_summaries(transaction, find_run(transaction, run_id)), of)
            fitting = _fitting(transaction, [each.source for each in summaries], of)
            fitting.sort(key=_rank)
            shown = fitting[offset : offset + limit]
            return RunTests(total(summaries), shown, len(fitting) > offset + limit)

        return await self._store.read(work)

    async def of_pipeline(
        self, window: TestWindow, order: TestOrder, *, offset: int, limit: int
    ) -> Sequence[PipelineTest]:
        """List tests of a pipeline; see `ports.store.Tests.of_pipeline`.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """

        def work(transaction: Transaction) -> Sequence[PipelineTest]:
            find_pipeline(transaction, window.pipeline_id)
            return transaction.tests.of_pipeline(window, order, offset=offset, limit=limit)

        return await self._store.read(work)


def run_summaries(transaction: Transaction, run: Run) -> Sequence[TestSummary]:
    """Tell what the tests of a run have come to, with those of nodes that it keeps from the run before."""
    return [
        summary
        for origin in origins(transaction, run)
        for summary in transaction.tests.summaries(origin.run_id)
        if origin.has(summary.source.path)
    ]


def total(summaries: Iterable[TestSummary]) -> TestCounts:
    """Sum counts up."""
    counts = [each.counts for each in summaries]
    return TestCounts(
        sum(each.passed for each in counts),
        sum(each.failed for each in counts),
        sum(each.error for each in counts),
        sum(each.skipped for each in counts),
        math.fsum(each.seconds for each in counts),
    )


def newest_attempts(summaries: Iterable[TestSummary], attempt: int | None = None) -> Sequence[TestSummary]:
    """Choose the summaries of one attempt, or of the newest attempt of each node that has told of tests."""
    listed = list(summaries)
    if attempt is not None:
        return [each for each in listed if each.source.address.attempt == attempt]
    newest: defaultdict[str, int] = defaultdict(int)
    for each in listed:
        newest[each.source.path] = max(newest[each.source.path], each.source.address.attempt)
    return [each for each in listed if each.source.address.attempt == newest[each.source.path]]


def _chosen(summaries: Iterable[TestSummary], of: TestFilter) -> Sequence[TestSummary]:
    chosen = newest_attempts(summaries, of.attempt)
    if of.node is None:
        return chosen
    below = f"{of.node}/"
    return [each for each in chosen if each.source.path == of.node or each.source.path.startswith(below)]


def _fitting(transaction: Transaction, sources: Sequence[TestSource], of: TestFilter) -> list[RunTest]:
    text = None if of.text is None else of.text.casefold()
    return [
        test
        for test in transaction.tests.of_run(sources)
        if (not of.states or test.case.state in of.states) and (text is None or text in _names(test.case))
    ]


def _names(case: TestCase) -> str:
    return f"{case.suite}\n{case.class_name}\n{case.name}\n{case.file}".casefold()


def _rank(test: RunTest) -> tuple[int, str, str, str, str]:
    case = test.case
    return _ORDER[case.state], test.source.path, case.suite, case.class_name, case.name


def _tested(run: Run) -> TestedRun:
    source = run.source or _NO_SOURCE
    return TestedRun(run.pipeline_id, run.number, source.branch or "", source.commit)


def _bounded(case: TestCase) -> TestCase:
    seconds = case.seconds
    if seconds is not None and not 0 <= seconds <= _LONGEST_SECONDS:  # NaN is not, either.
        seconds = None
    return replace(
        case,
        suite=_cut(case.suite),
        class_name=_cut(case.class_name),
        name=_cut(case.name),
        message=_cut(case.message, LONGEST_TEST_MESSAGE),
        file=_cut(case.file),
        seconds=seconds,
    )


def _cut(text: str, longest: int = LONGEST_TEST_NAME) -> str:
    """Shorten a text, and replace what is no character."""
    return text[:longest].encode(errors="replace").decode()
