"""What the tests of runs have come to: in one run, and over many runs of a pipeline."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.test_case import TestCase, TestState


@dataclass(frozen=True, slots=True)
class TestCounts:
    """How many test cases ended how.

    Attributes:
        passed: how many passed.
        failed: how many failed.
        error: how many could not be run to their end.
        skipped: how many were left out.
        seconds: how long all of them took together.
    """

    __test__ = False

    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TestSource:
    """Where test cases come from.

    Attributes:
        address: of the attempt that told of them.
        path: the node's path in the run.
        result: the name of the result that they are in.
    """

    __test__ = False

    address: AttemptAddress
    path: str
    result: str


@dataclass(frozen=True, slots=True)
class TestSummary:
    """What the test cases of one result have come to.

    Attributes:
        source: which result.
        counts: how many of them ended how.
    """

    __test__ = False

    source: TestSource
    counts: TestCounts


@dataclass(frozen=True, slots=True)
class TestedRun:
    """A run, as far as it matters to what its tests tell.

    Attributes:
        pipeline_id: whose run it is.
        number: counts the pipeline's runs from 1.
        branch: that it works on; empty where it is not known.
        commit: that it works on; None where it is not known.
    """

    __test__ = False

    pipeline_id: UUID
    number: int
    branch: str = ""
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class RunTest:
    """A test case of a run.

    Attributes:
        source: where it comes from.
        case: the test case.
    """

    source: TestSource
    case: TestCase


class TestOrder(StrEnum):
    """Which tests of a pipeline are asked for."""

    __test__ = False

    SLOWEST = "slowest"
    FLAKY = "flaky"
    NEWLY_FAILING = "newly_failing"


@dataclass(frozen=True, slots=True)
class Slow:
    """How long a test takes.

    Attributes:
        median_seconds: over all of its times.
        slowest_seconds: the longest of them.
        times: how often it passed or failed, with its time told.
    """

    median_seconds: float
    slowest_seconds: float
    times: int


@dataclass(frozen=True, slots=True)
class Flaky:
    """How often a test ended in two ways with nothing changed.

    Attributes:
        retried_runs: in how many runs it failed, and passed in a later attempt of the same node.
        split_commits: how many commits it failed in one run of, and passed in another.
    """

    retried_runs: int = 0
    split_commits: int = 0


@dataclass(frozen=True, slots=True)
class NewlyFailing:
    """Since when a test fails.

    Attributes:
        since: the number of the newest run that ran it, in which it failed.
        passed_in: the number of the run before that ran it, in which it passed.
    """

    since: int
    passed_in: int


Finding = Slow | Flaky | NewlyFailing


@dataclass(frozen=True, slots=True)
class PipelineTest:
    """What many runs of a pipeline tell of a test.

    Attributes:
        path: of the node that runs it.
        run_number: of the newest run that ran it.
        last: how it ended there.
        finding: what was asked for.
    """

    path: str
    run_number: int
    last: TestCase
    finding: Finding


FAILING = frozenset({TestState.FAILED, TestState.ERROR})
"""How tests end that count as failures."""
