"""The test cases of a run."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.test_report import RunTest, TestCounts, TestSource, TestSummary
from lineshaft.store.schema import test_chunks, test_results
from lineshaft.store.session import Session
from lineshaft.store.test_cases.chunk import unpack

SELECT_SUMMARIES: Final = (
    select(
        test_results.c.node,
        test_results.c.attempt,
        test_results.c.result,
        test_results.c.path,
        test_results.c.passed,
        test_results.c.failed,
        test_results.c.error,
        test_results.c.skipped,
        test_results.c.seconds,
    )
    .where(test_results.c.run_id == bindparam("of_run"))
    .order_by(test_results.c.node, test_results.c.attempt, test_results.c.result)
)
SELECT_CHUNKS: Final = (
    select(test_chunks.c.data)
    .where(
        test_chunks.c.run_id == bindparam("of_run"),
        test_chunks.c.node == bindparam("of_node"),
        test_chunks.c.attempt == bindparam("of_attempt"),
        test_chunks.c.result == bindparam("of_result"),
    )
    .order_by(test_chunks.c.number)
)


def read_summaries(session: Session, run_id: UUID) -> Sequence[TestSummary]:
    """Tell what the test cases of each result of a run have come to."""
    rows = session.connection.execute(SELECT_SUMMARIES, {"of_run": run_id})
    return [_summary(run_id, row) for row in rows]


def read_tests(session: Session, sources: Sequence[TestSource]) -> Iterator[RunTest]:
    """Go through the test cases of some results, in the order in which they were told."""
    for source in sources:
        address = source.address
        values = {
            "of_run": address.run_id,
            "of_node": address.node,
            "of_attempt": address.attempt,
            "of_result": source.result,
        }
        for row in session.connection.execute(SELECT_CHUNKS, values):
            yield from (RunTest(source, case) for case in unpack(row.data))


def _summary(run_id: UUID, row: Any) -> TestSummary:
    source = TestSource(AttemptAddress(run_id, row.node, row.attempt), row.path, row.result)
    return TestSummary(source, TestCounts(row.passed, row.failed, row.error, row.skipped, row.seconds))
