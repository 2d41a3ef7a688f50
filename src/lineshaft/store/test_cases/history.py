"""What many runs tell of tests: asked of `test_history`, in which a run's tests stand together.

A test's number says nothing, so the texts of those that are shown are taken from the chunk of their newest
run.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, assert_never

from sqlalchemy import Select, and_, bindparam, case, exists, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from lineshaft.model.test_report import Finding, Flaky, NewlyFailing, PipelineTest, Slow, TestOrder
from lineshaft.ports.store.tests import TestWindow
from lineshaft.store.prepared import padded
from lineshaft.store.schema import runs, test_chunks, test_history, test_results
from lineshaft.store.session import Session
from lineshaft.store.test_cases.chunk import FAILED, PASSED, SKIPPED, unpack

_ATTEMPTS: Final = 2**24
"""More than any node has: a run's number and an attempt's are put together in one number that sorts."""

_STATES: Final = 4
_BATCH: Final = 256
_TWO: Final = 2
_VERY_LAST: Final = 8
_MOST_TESTS: Final = 50_000
"""How many tests one answer looks at; those that are fast, or have failed long ago, are left out of more."""

_Found = Sequence[tuple[int, Finding]]

_h: Final = test_history.c
_RESULTS: Final = (
    select(test_results.c.run_number, func.max(test_results.c.commit).label("commit"))
    .where(test_results.c.pipeline_id == bindparam("of_pipeline"))
    .group_by(test_results.c.run_number)
    .order_by(test_results.c.run_number.desc())
    .limit(bindparam("at_most"))
)
SELECT_WINDOW: Final = _RESULTS
SELECT_WINDOW_OF_BRANCH: Final = _RESULTS.where(test_results.c.branch == bindparam("of_branch"))


def _in_window() -> ColumnElement[bool]:
    return and_(
        _h.pipeline_id == bindparam("of_pipeline"), _h.run_number.in_(bindparam("of_runs", expanding=True))
    )


_OF_TESTS: Final = _h.test.in_(bindparam("of_tests", expanding=True))
_TIMED: Final = and_(_h.seconds.is_not(None), _h.state >= PASSED)
_FAILS: Final = _h.state >= literal_column(f"{FAILED}")
_MOMENT: Final = (_h.run_number * _ATTEMPTS + _h.attempt) * _STATES + _h.state

SELECT_MEANS: Final = (
    select(_h.test, func.avg(_h.seconds).label("mean"))
    .where(_in_window(), _TIMED)
    .group_by(_h.test)
    .order_by(func.avg(_h.seconds).desc(), _h.test)
    .limit(_MOST_TESTS)
)


def _medians() -> Select[Any]:
    ran = (
        select(
            _h.test,
            _h.seconds,
            func.row_number().over(partition_by=_h.test, order_by=_h.seconds).label("rank"),
            func.count().over(partition_by=_h.test).label("times"),
        )
        .where(_in_window(), _OF_TESTS, _TIMED)
        .subquery()
    )
    doubled = 2 * ran.c.rank
    in_the_middle = and_(doubled >= ran.c.times, doubled <= ran.c.times + 2)
    return select(
        ran.c.test,
        func.avg(case((in_the_middle, ran.c.seconds))).label("median"),
        func.max(ran.c.seconds).label("slowest"),
        func.count().label("times"),
    ).group_by(ran.c.test)


_passed: Final = test_history.alias("passed").c


def _passed_besides(*where: ColumnElement[bool]) -> Select[Any]:
    """Find failures of tests that have passed as well, in a run and an attempt that conditions tell."""
    same_test = and_(_passed.pipeline_id == _h.pipeline_id, _passed.test == _h.test)
    return (
        select(_h.test, func.count(_h.run_number.distinct()).label("times"))
        .where(_in_window(), _FAILS, exists().where(same_test, *where, _passed.state == PASSED))
        .group_by(_h.test)
    )


SELECT_MEDIANS: Final = _medians()
SELECT_RETRIED: Final = _passed_besides(_passed.run_number == _h.run_number, _passed.attempt > _h.attempt)
SELECT_SPLIT: Final = _passed_besides(
    _passed.run_number.in_(bindparam("of_runs", expanding=True)), _passed.run_number != _h.run_number
)
SELECT_FAILED: Final = (
    select(_h.test, func.max(_MOMENT).label("moment"))
    .where(_in_window(), _FAILS)
    .group_by(_h.test)
    .order_by(func.max(_MOMENT).desc(), _h.test)
    .limit(_MOST_TESTS)
)
SELECT_MOMENTS: Final = (
    select(_h.test, func.max(_MOMENT).label("moment"))
    .where(_in_window(), _OF_TESTS, _h.state > SKIPPED)
    .group_by(_h.test, _h.run_number)
    .order_by(func.max(_MOMENT).desc())
)
SELECT_WHEREABOUTS: Final = (
    select(
        _h.test,
        _h.run_number,
        _h.node,
        _h.attempt,
        _h.result,
        _h.number,
        _h.position,
        runs.c.id.label("run_id"),
    )
    .join_from(test_history, runs, and_(runs.c.pipeline_id == _h.pipeline_id, runs.c.number == _h.run_number))
    .where(_in_window(), _OF_TESTS)
    .order_by(_h.run_number, _h.attempt)
)
SELECT_CHUNK: Final = (
    select(test_chunks.c.data, test_results.c.path)
    .join_from(
        test_chunks,
        test_results,
        and_(*(test_chunks.c[column.name] == column for column in test_results.primary_key.columns)),
    )
    .where(
        test_chunks.c.run_id == bindparam("of_run"),
        test_chunks.c.node == bindparam("of_node"),
        test_chunks.c.attempt == bindparam("of_attempt"),
        test_chunks.c.result == bindparam("of_result"),
        test_chunks.c.number == bindparam("of_number"),
    )
)


class History:
    """What a window of a pipeline's runs tells of its tests."""

    def __init__(self, session: Session, window: TestWindow) -> None:
        """Find the runs that count."""
        self._session = session
        values: dict[str, Any] = {"of_pipeline": window.pipeline_id, "at_most": window.runs}
        statement = SELECT_WINDOW
        if window.branch is not None:
            statement, values["of_branch"] = SELECT_WINDOW_OF_BRANCH, window.branch
        rows = session.connection.execute(statement, values)
        self._commits: Final = {row.run_number: row.commit for row in rows}
        self._pipeline: Final = window.pipeline_id

    def tests(self, order: TestOrder, *, offset: int, limit: int) -> Sequence[PipelineTest]:
        """List tests; see `ports.store.Tests.of_pipeline`."""
        if not self._commits:
            return []
        match order:
            case TestOrder.SLOWEST:
                return self._shown(self._slowest(offset, limit))
            case TestOrder.FLAKY:
                return self._shown(self._flaky()[offset : offset + limit])
            case TestOrder.NEWLY_FAILING:
                return self._shown(self._newly_failing(offset, limit))
        assert_never(order)

    def _slowest(self, offset: int, limit: int) -> _Found:
        """Find the largest medians; no median is larger than twice the mean, so most need not be known."""
        means = [(row.test, row.mean) for row in self._ask(SELECT_MEANS)]
        slowest: list[tuple[int, Slow]] = []
        for first in range(0, len(means), _BATCH):
            if len(slowest) >= offset + limit:
                last = slowest[offset + limit - 1][1]
                if last.median_seconds >= 2 * means[first][1]:
                    break
            batch = padded([test for test, _ in means[first : first + _BATCH]])
            rows = self._ask(SELECT_MEDIANS, of_tests=batch)
            slowest += [(row.test, Slow(row.median, row.slowest, row.times)) for row in rows]
            slowest.sort(key=lambda each: (-each[1].median_seconds, each[0]))
        return slowest[offset : offset + limit]

    def _flaky(self) -> _Found:
        retried = {row.test: row.times for row in self._ask(SELECT_RETRIED)}
        split: Counter[int] = Counter()
        for numbers in self._runs_of_commits():
            split.update(row.test for row in self._ask(SELECT_SPLIT, numbers))
        found = {test: Flaky(retried.get(test, 0), split[test]) for test in retried.keys() | split.keys()}
        return sorted(found.items(), key=lambda each: (-_times(each[1]), each[0]))

    def _newly_failing(self, offset: int, limit: int) -> _Found:
        candidates = [row.test for row in self._ask(SELECT_FAILED)]
        found: list[tuple[int, Finding]] = []
        for first in range(0, len(candidates), _BATCH):
            if len(found) >= offset + limit:
                break
            batch = candidates[first : first + _BATCH]
            moments = self._last_moments(batch)
            found += [(test, _failure(*moments[test])) for test in batch if _fails_newly(moments[test])]
        return found[offset : offset + limit]

    def _last_moments(self, tests: Sequence[int]) -> Mapping[int, Sequence[int]]:
        """Tell what tests came to in the last two runs that ran them; most were among the very last runs."""
        moments: dict[int, list[int]] = {}
        for numbers in (list(self._commits)[:_VERY_LAST], self._commits):
            undecided = [test for test in tests if len(moments.get(test, ())) < _TWO]
            if undecided:
                moments.update((test, []) for test in undecided)
                for row in self._ask(SELECT_MOMENTS, numbers, of_tests=padded(undecided)):
                    moments[row.test].append(row.moment)
        return {test: found[:_TWO] for test, found in moments.items()}

    def _runs_of_commits(self) -> Iterable[Sequence[int]]:
        """List the runs of each commit that several have worked on."""
        of_commits: defaultdict[str, list[int]] = defaultdict(list)
        for number, commit in self._commits.items():
            if commit is not None:
                of_commits[commit].append(number)
        return [numbers for numbers in of_commits.values() if len(numbers) > 1]

    def _ask(self, statement: Select[Any], numbers: Iterable[int] = (), **values: Any) -> Any:
        of_runs = padded(list(numbers) or list(self._commits))
        return self._session.connection.execute(
            statement, {"of_pipeline": self._pipeline, "of_runs": of_runs, **values}
        )

    def _shown(self, found: _Found) -> Sequence[PipelineTest]:
        """Add the texts, as the newest run has told them."""
        if not found:
            return []
        rows = self._ask(SELECT_WHEREABOUTS, of_tests=padded([test for test, _ in found]))
        newest: Mapping[int, Any] = {row.test: row for row in rows}
        chunks: dict[tuple[Any, ...], tuple[str, Sequence[Any]]] = {}
        shown = []
        for test, finding in found:
            row = newest[test]
            key = row.run_id, row.node, row.attempt, row.result, row.number
            if key not in chunks:
                chunks[key] = self._chunk(key)
            path, cases = chunks[key]
            shown.append(PipelineTest(path, row.run_number, cases[row.position], finding))
        return shown

    def _chunk(self, key: tuple[Any, ...]) -> tuple[str, Sequence[Any]]:
        names = ("of_run", "of_node", "of_attempt", "of_result", "of_number")
        row = self._session.connection.execute(SELECT_CHUNK, dict(zip(names, key, strict=True))).one()
        return row.path, unpack(row.data)


def _times(flaky: Flaky) -> int:
    return flaky.retried_runs + flaky.split_commits


def _fails_newly(moments: Sequence[int]) -> bool:
    """Tell whether a test fails newly, by what it came to in each run, newest first."""
    newest, before = (*moments, 0, 0)[:_TWO]
    return newest % _STATES >= FAILED and before % _STATES == PASSED


def _failure(newest: int, before: int) -> NewlyFailing:
    return NewlyFailing(_number(newest), _number(before))


def _number(moment: int) -> int:
    return int(moment) // (_ATTEMPTS * _STATES)
