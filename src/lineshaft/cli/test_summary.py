"""What the tests of a run have come to, as lines at its end."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.terminal import printable
from lineshaft.cli.tests import counts_text
from lineshaft.model.test_case import TestState

if TYPE_CHECKING:
    from lineshaft.sdk.kept import KeptView
    from lineshaft.sdk.test_report import CountsView, TestView

MOST_FAILURES: Final = 5
"""How many tests that failed are named."""

MOST_RESULTS: Final = 1_000
"""How many results of a run are asked about."""

FAILURES: Final = (TestState.FAILED, TestState.ERROR)
_LONGEST: Final = 200


def print_tests(results: Iterable["KeptView"], failures: Sequence["TestView"]) -> None:
    """Print what the tests of each node have come to, and the first that failed; nothing without any.

    Args:
        results: those of the run; of each node the newest attempt that has told of tests counts.
        failures: the first few tests of the run that failed.
    """
    for line in _lines(results, failures):
        click.echo(printable(line))


def _lines(results: Iterable["KeptView"], failures: Sequence["TestView"]) -> Iterator[str]:
    failed = 0
    for path, found in _by_node(results).items():
        counts = _total(found)
        failed += counts.failed + counts.error
        yield f"{path} tests: {counts_text(counts)}"
    for test in failures[:MOST_FAILURES]:
        message = test.message.strip().partition("\n")[0]
        words = f"{test.path} {test.title}" + (f": {message}" if message else "")
        yield f"  {test.state.value} {_cut(words)}"
    more = failed - min(len(failures), MOST_FAILURES)
    if failures and more > 0:
        yield f"  and {more:,} more"


def _by_node(results: Iterable["KeptView"]) -> dict[str, list["CountsView"]]:
    told = [(each, each.tests) for each in results if each.tests is not None]
    newest: defaultdict[str, int] = defaultdict(int)
    for each, _ in told:
        newest[each.path] = max(newest[each.path], each.attempt)
    found: dict[str, list[CountsView]] = {}
    for each, counts in told:
        if each.attempt == newest[each.path]:
            found.setdefault(each.path, []).append(counts)
    return found


def _total(found: Sequence["CountsView"]) -> "CountsView":
    from lineshaft.sdk.test_report import CountsView

    return CountsView(
        sum(each.passed for each in found),
        sum(each.failed for each in found),
        sum(each.error for each in found),
        sum(each.skipped for each in found),
        sum(each.seconds for each in found),
        {},
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
