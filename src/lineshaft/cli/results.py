"""`results`: what the tasks of a run have found."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.failure import print_note
from lineshaft.cli.kept import (
    attempt_option,
    chosen,
    download_all,
    extract_option,
    name_argument,
    run_argument,
    size_text,
    to_option,
)
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_run
from lineshaft.cli.tests import counts_text
from lineshaft.cli.waiting import waiting

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
    with connection.client() as client, waiting(f"Asking {client.url} for results"):
        found = list(client.results(find_run(client, reference).run.id, attempt=attempt))
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        print_table(("NODE", "NAME", "ATTEMPT", "TYPE", "SIZE", "TESTS"), [_row(each) for each in found], {})
    else:
        print_note("The run has kept no results.")


@results.command(
    "download",
    cls=Command,
    short_help="Download one result of a run, or all.",
    examples=(
        "lineshaft results download shop/latest --to reports --extract",
        "lineshaft results download shop/12 test/unit/junit",
    ),
)
@run_argument
@name_argument
@attempt_option
@to_option
@extract_option
@with_output
@connected
def download_results(
    connection: Connection,
    *,
    reference: str,
    name: str | None,
    attempt: int | None,
    folder: Path,
    extract: bool,
    output: Output,
) -> None:
    """Download a result of a run, or all of them.

    A download that was cut off goes on where it was when the command is called again. What has come is
    verified.
    """
    with connection.client() as client:
        with waiting(f"Asking {client.url} for results"):
            found = list(client.results(find_run(client, reference).run.id, attempt=attempt))
        wanted = chosen(found, name)
        done = list(download_all(client, wanted, folder, alone=name is not None, extract=extract))
    if output is Output.JSON:
        print_json(done)


def _row(kept: "KeptView") -> tuple[str, ...]:
    tests = "-" if kept.tests is None else counts_text(kept.tests)
    return kept.path, kept.name, f"{kept.attempt}", kept.type, size_text(kept.size_bytes), tests
