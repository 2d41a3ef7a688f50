"""`tests`: how test cases ended, in one run and over many."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_pipeline
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.failure import print_note
from lineshaft.cli.limit import limited
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_pipeline, find_run
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import RunNotFoundError
from lineshaft.model.test_case import TestState
from lineshaft.model.test_report import TestOrder

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.test_report import CountsView, TestView

_RUN: Final = re.compile(r".+/([0-9]+|latest)", re.DOTALL)
_MOST_RUNS: Final = 100
_STYLES: Final = {"passed": "green", "failed": "red", "error": "red", "skipped": "yellow"}


@click.command(
    cls=Command,
    short_help="Tell how the tests of a run ended, or of many.",
    examples=(
        "# Those of a run, failures first",
        "lineshaft tests shop/latest --state failed",
        "# Of the last 50 runs on a branch",
        "lineshaft tests shop --flaky --runs 50 --branch main",
        "lineshaft tests shop --slowest --output json | jq -r '.[].name'",
    ),
)
@click.argument(
    "reference",
    metavar="PIPELINE|RUN",
    shell_complete=complete_pipeline,
    help="A pipeline: its name or id; or a run: its id, PIPELINE/NUMBER or PIPELINE/latest.",
)
@click.option("--slowest", "order", flag_value=TestOrder.SLOWEST.value, help="A pipeline's slowest tests.")
@click.option(
    "--flaky",
    "order",
    flag_value=TestOrder.FLAKY.value,
    help="Those that fail and pass with nothing changed.",
)
@click.option(
    "--newly-failing",
    "order",
    flag_value=TestOrder.NEWLY_FAILING.value,
    help="Those that failed in the newest run and passed in the one before. This is the default.",
)
@click.option(
    "--runs",
    metavar="N",
    type=click.IntRange(1, _MOST_RUNS),
    help="How many of a pipeline's last runs count. [default: 20]",
)
@click.option("--branch", metavar="NAME", help="Only runs of the pipeline on this branch count.")
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in TestState]),
    multiple=True,
    help="Of a run, only tests that ended so; may be repeated.",
)
@click.option("--node", metavar="PATH", help="Of a run, only tests of this node, and of those below it.")
@click.option("--text", metavar="TEXT", help="Of a run, only tests whose names hold this.")
@limited(50)
@with_output
@connected
def tests(
    connection: Connection,
    *,
    reference: str,
    order: str | None,
    runs: int | None,
    branch: str | None,
    states: Sequence[str],
    node: str | None,
    text: str | None,
    limit: int,
    output: Output,
) -> None:
    """Tell how the tests of a run ended, or what many runs of a pipeline tell of its tests."""
    with connection.client() as client, waiting(f"Asking {client.url} for tests"):
        run_id = None if order or runs or branch else _run_id(client, reference)
        chosen = TestOrder(order or TestOrder.NEWLY_FAILING)
        counts: CountsView | None = None
        if run_id is None:
            if states or node or text:
                raise click.UsageError("--state, --node and --text are for the tests of a run.")
            pipeline_id = find_pipeline(client, reference)
            listed: Iterator[TestView] = client.pipeline_tests(pipeline_id, chosen, runs=runs, branch=branch)
        else:
            counts = client.count_tests(run_id, node=node)
            listed = client.run_tests(
                run_id, states=[TestState(each) for each in states], node=node, text=text
            )
        found = list(islice(listed, limit))
    if output is Output.JSON:
        print_json([each.document for each in found])
        return
    if counts is not None:
        print_note(f"{counts_text(counts)}.")
    _print(found, None if run_id is not None else chosen)


def counts_text(counts: "CountsView") -> str:
    """Say for people what tests have come to, such as `12 passed, 1 failed`."""
    told = {
        "passed": counts.passed,
        "failed": counts.failed,
        "error": counts.error,
        "skipped": counts.skipped,
    }
    return ", ".join(f"{count} {name}" for name, count in told.items() if count) or "no tests"


def _run_id(client: "Client", reference: str) -> UUID | None:
    """Find the run that is meant; None where it is a pipeline."""
    if _RUN.fullmatch(reference):
        return find_run(client, reference).run.id
    try:
        return client.run(UUID(reference)).id
    except (ValueError, RunNotFoundError):
        return None


def _print(found: Sequence["TestView"], order: TestOrder | None) -> None:
    if not found:
        print_note("No tests are told of." if order is None else "There are no such tests.")
        return
    headings: Sequence[str] = ("STATE", "SECONDS", "NODE", "TEST", "MESSAGE")
    if order is not None:
        headings = (*_HEADINGS[order], "NODE", "TEST")
    print_table(headings, [_row(each, order) for each in found], _STYLES)


_HEADINGS: Final = {
    TestOrder.SLOWEST: ("MEDIAN", "SLOWEST", "TIMES"),
    TestOrder.FLAKY: ("RETRIED", "SPLIT"),
    TestOrder.NEWLY_FAILING: ("SINCE", "PASSED IN"),
}


def _row(test: "TestView", order: TestOrder | None) -> Sequence[str]:
    told = test.document
    match order:
        case None:
            message = test.message.strip().partition("\n")[0]
            return test.state.value, _seconds(test.seconds), test.path, test.title, message
        case TestOrder.SLOWEST:
            times = _seconds(told["median_seconds"]), _seconds(told["slowest_seconds"]), f"{told['times']}"
            return *times, test.path, test.title
        case TestOrder.FLAKY:
            return f"{told['retried_runs']}", f"{told['split_commits']}", test.path, test.title
        case TestOrder.NEWLY_FAILING:
            return f"#{told['since']}", f"#{told['passed_in']}", test.path, test.title


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.3f}"
