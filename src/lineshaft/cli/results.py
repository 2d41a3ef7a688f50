"""`results`: what the tasks of a run have found."""

from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.failure import print_note
from lineshaft.cli.kept import Kept, add_download, attempt_option, kept_of, run_argument, size_text
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.tests import counts_text

if TYPE_CHECKING:
    from lineshaft.sdk.kept import KeptView


@click.group("results", cls=CommandGroup, examples=("lineshaft results list shop/latest",))
def results() -> None:
    """List and download what the tasks of a run have found."""


@results.command(
    "list",
    cls=Command,
    examples=(
        "lineshaft results list shop/latest",
        "# The names of all JUnit reports",
        "lineshaft results list shop/12 --output json | jq -r '.[] | select(.type == \"junit\").name'",
    ),
)
@run_argument
@attempt_option
@with_output
@connected
def list_results(connection: Connection, reference: str, attempt: int | None, output: Output) -> None:
    """List what the tasks of a run have found, with what their tests have come to."""
    with connection.client() as client:
        found = kept_of(client, reference, attempt, Kept.RESULTS)
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        print_table(("NODE", "NAME", "ATTEMPT", "TYPE", "SIZE", "TESTS"), [_row(each) for each in found], {})
    else:
        print_note("The run has kept no results.")


add_download(
    results,
    Kept.RESULTS,
    (
        "lineshaft results download shop/latest --to reports --extract",
        "lineshaft results download shop/12 test/unit/junit",
    ),
)


def _row(kept: "KeptView") -> tuple[str, ...]:
    tests = "-" if kept.tests is None else counts_text(kept.tests)
    return kept.path, kept.name, f"{kept.attempt}", kept.type, size_text(kept.size_bytes), tests
