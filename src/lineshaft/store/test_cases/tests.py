"""What attempts have told of their tests, in the database."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from lineshaft.model.test_case import TestCase
from lineshaft.model.test_report import PipelineTest, RunTest, TestedRun, TestOrder, TestSource, TestSummary
from lineshaft.ports.store.tests import TestWindow
from lineshaft.store.session import Session
from lineshaft.store.test_cases.history import History
from lineshaft.store.test_cases.keeping import keep_tests
from lineshaft.store.test_cases.reading import read_summaries, read_tests


class SqlTests:
    """Test cases; see `ports.store.Tests`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def add(
        self, source: TestSource, token: str, run: TestedRun, number: int, cases: Sequence[TestCase]
    ) -> bool:
        """Keep test cases of a leased attempt, and count them."""
        return keep_tests(self._session, source, token, run, number, cases)

    def summaries(self, run_id: UUID) -> Sequence[TestSummary]:
        """Tell what the test cases of each result of a run have come to."""
        return read_summaries(self._session, run_id)

    def of_run(self, sources: Sequence[TestSource]) -> Iterator[RunTest]:
        """Go through the test cases of some results, in the order in which they were told."""
        return read_tests(self._session, sources)

    def of_pipeline(
        self, window: TestWindow, order: TestOrder, *, offset: int, limit: int
    ) -> Sequence[PipelineTest]:
        """List tests of a pipeline."""
        return History(self._session, window).tests(order, offset=offset, limit=limit)
