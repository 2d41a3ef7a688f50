"""Tests, as the API shows them."""

from typing import Any, assert_never

from lineshaft.model.test_case import TestCase
from lineshaft.model.test_report import (
    Finding,
    Flaky,
    NewlyFailing,
    PipelineTest,
    RunTest,
    Slow,
    TestCounts,
)


def counts_document(counts: TestCounts) -> dict[str, Any]:
    """Write what test cases have come to."""
    return {
        "passed": counts.passed,
        "failed": counts.failed,
        "error": counts.error,
        "skipped": counts.skipped,
        "seconds": round(counts.seconds, 6),
    }


def run_test_document(test: RunTest) -> dict[str, Any]:
    """Write a test case of a run."""
    source = test.source
    return {
        "path": source.path,
        "attempt": source.address.attempt,
        "result": source.result,
        **_case(test.case),
    }


def pipeline_test_document(test: PipelineTest) -> dict[str, Any]:
    """Write what many runs tell of a test."""
    return {"path": test.path, "run": test.run_number, **_case(test.last), **_finding(test.finding)}


def _case(case: TestCase) -> dict[str, Any]:
    return {
        "suite": case.suite,
        "class_name": case.class_name,
        "name": case.name,
        "file": case.file,
        "state": case.state.value,
        "seconds": case.seconds,
        "message": case.message,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    match finding:
        case Slow():
            return {
                "median_seconds": finding.median_seconds,
                "slowest_seconds": finding.slowest_seconds,
                "times": finding.times,
            }
        case Flaky():
            return {"retried_runs": finding.retried_runs, "split_commits": finding.split_commits}
        case NewlyFailing():
            return {"since": finding.since, "passed_in": finding.passed_in}
        case _:
            assert_never(finding)
