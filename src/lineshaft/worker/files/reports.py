"""Reports of tests: those that a task has written are read, masked and told to the server."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from lineshaft.archive import Finding, PathRules, TooManyFilesError, read_at_most
from lineshaft.integrations.git.thread import in_thread
from lineshaft.model.errors import ExpressionError, InvalidInputError
from lineshaft.model.kept_files import ResultRule
from lineshaft.model.test_case import TestCase, TestState
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.masking.masker import Masker
from lineshaft.wire.files import MOST_TEST_CASES, TestCases
from lineshaft.worker.files.junit import BadReportError, read_junit
from lineshaft.worker.files.progress import counted

LARGEST_REPORT_BYTES: Final = 32 * 1024 * 1024
"""How large one file with test cases may be."""

MOST_CASES: Final = 100_000
"""How many test cases one result may tell of."""

_MOST_REPORTS: Final = 10_000
_TOLD_AT_MOST: Final = 10


async def report_tests(assignment: Assignment, rule: ResultRule, folder: Path) -> None:
    """Read a result's reports and tell the server of their test cases. What cannot be read the log is told.

    Args:
        assignment: the attempt.
        rule: the result.
        folder: the workspace.

    Raises:
        StaleLeaseError: the lease is dead.
    """
    await assignment.masking.look()
    reports = _Reports(folder, rule.path, assignment.masking.masker)
    cases = reports.cases()
    lease = assignment.lease
    number = 0
    say = assignment.log.write_lines
    try:
        while batch := await in_thread(partial(_batch, cases)):
            await assignment.files.report_tests(
                TestCases(
                    address=lease.address, token=lease.token, result=rule.name, number=number, cases=batch
                )
            )
            number += 1
    except (ExpressionError, InvalidInputError) as error:
        reports.problems.append(error.message)
    except TooManyFilesError as error:
        reports.problems.append(f"The workspace {error}.")
    except OSError as error:
        reports.problems.append(f"The workspace cannot be read ({error.strerror}).")
    for problem in reports.problems[:_TOLD_AT_MOST]:
        await say(f"Result '{rule.name}': {problem}\n")
    if len(reports.problems) > _TOLD_AT_MOST:
        await say(
            f"Result '{rule.name}': and {len(reports.problems) - _TOLD_AT_MOST:,} more such problems.\n"
        )
    if reports.files:
        await say(f"Result '{rule.name}': {reports.summary()}\n")


class _Reports:
    """The reports of one result.

    Attributes:
        files: how many were read.
        problems: sentences that tell what could not be read.
    """

    def __init__(self, folder: Path, path: str, masker: Masker) -> None:
        self.files = 0
        self.problems: list[str] = []
        self._folder = folder
        self._path = path
        self._masker = masker
        self._counts = dict.fromkeys(TestState, 0)

    def cases(self) -> Iterator[TestCase]:
        """Read one report after the other."""
        left = MOST_CASES
        for found in islice(Finding(self._folder, PathRules([self._path])), _MOST_REPORTS):
            if not found.plain:
                continue
            try:
                data = read_at_most(found, LARGEST_REPORT_BYTES)
                cases = read_junit(data, self._masker)
            except BadReportError as error:
                self.problems.append(f"{found.path!r} is no report that can be read: {error}.")
                continue
            except OSError as error:
                self.problems.append(f"{found.path!r} cannot be read ({error.strerror or error}).")
                continue
            self.files += 1
            if len(cases) > left:
                self.problems.append(f"Only the first {MOST_CASES:,} test cases are told of.")
            for case in cases[:left]:
                self._counts[case.state] += 1
                yield case
            left -= len(cases)
            if left <= 0:
                return

    def summary(self) -> str:
        """Tell of what was read."""
        counts = [f"{count:,} {state.value}" for state, count in self._counts.items() if count]
        told = f": {', '.join(counts)}" if counts else ""
        cases = counted(sum(self._counts.values()), "test case")
        return f"{cases} in {counted(self.files, 'report')}{told}."


def _batch(cases: Iterator[TestCase]) -> tuple[TestCase, ...]:
    return tuple(islice(cases, MOST_TEST_CASES))
