"""What attempts have told of their tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from lineshaft.model.test_case import TestCase
from lineshaft.model.test_report import PipelineTest, RunTest, TestedRun, TestOrder, TestSource, TestSummary

MOST_KEPT_MESSAGES: Final = 100
"""How many messages of one result have their test cases kept; those of later ones are only counted."""

MOST_TEST_RESULTS: Final = 200
"""How many results of one attempt may tell of tests."""


@dataclass(frozen=True, slots=True)
class TestWindow:
    """Which runs of a pipeline count.

    Attributes:
        pipeline_id: the pipeline.
        runs: how many of its last runs that have told of tests, at most.
        branch: only runs on this branch; None means all.
    """

    __test__ = False

    pipeline_id: UUID
    runs: int
    branch: str | None = None


class Tests(Protocol):
    """Test cases, kept as long as the runs that they were in."""

    def add(
        self, source: TestSource, token: str, run: TestedRun, number: int, cases: Sequence[TestCase]
    ) -> bool:
        """Keep test cases of a leased attempt, and count them.

        Idempotent: what was told already under the same number of the same result is not taken again.

        Args:
            source: where they come from.
            token: of the attempt's lease.
            run: the attempt's.
            number: which message about this result it is, from 0.
            cases: in their order.

        Returns:
            Whether they were taken.

        Raises:
            StaleLeaseError: the token is not that of the attempt's living lease.
            InvalidInputError: too many results of the attempt tell of tests.
        """
        ...

    def summaries(self, run_id: UUID) -> Sequence[TestSummary]:
        """Tell what the test cases of each result of a run have come to, by node, attempt and name."""
        ...

    def of_run(self, sources: Sequence[TestSource]) -> Iterator[RunTest]:
        """Go through the test cases of some results, in the order in which they were told.

        To be used up within the function that was given to the store.
        """
        ...

    def of_pipeline(
        self, window: TestWindow, order: TestOrder, *, offset: int, limit: int
    ) -> Sequence[PipelineTest]:
        """List tests of a pipeline.

        A test is the same in all runs in which its names and the path of its node are the same.

        - Slowest: by the median of the times that it took, the longest first.
        - Flaky: those that failed and passed again in a later attempt of the run, or in another run of the
          same commit; those first that did so most often.
        - Newly failing: those that failed in the newest run that ran them and passed in the one before, at
          their last attempt each; the newest failures first.

        Args:
            window: the runs that count.
            order: which tests.
            offset: how many of them to pass over.
            limit: how many at most.
        """
        ...
