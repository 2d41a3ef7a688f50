"""The commands of runs on a server."""

import sys
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_pipeline, complete_run
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import elapsed_text, instant_text
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.limit import limited
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import FoundRun, find_pipeline, find_run
from lineshaft.cli.terminal import console, printable
from lineshaft.cli.waiting import waiting
from lineshaft.cli.watch import watch_run
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from lineshaft.sdk.run import RunView

_RUN_HELP = "A run's id, PIPELINE/NUMBER, or PIPELINE/latest."


@click.command(
    cls=Command,
    examples=(
        "lineshaft runs shop",
        "# The numbers of the last 5 runs that failed",
        "lineshaft runs shop --output json | jq '[.[] | select(.state == \"failed\").number][:5]'",
    ),
)
@click.argument(
    "pipeline", shell_complete=complete_pipeline, help="A pipeline's id, or its name where no other has it."
)
@limited(20)
@with_output
@connected
def runs(connection: Connection, pipeline: str, limit: int, output: Output) -> None:
    """List a pipeline's runs, newest first."""
    with connection.client() as client, waiting(f"Asking {client.url} for runs"):
        pipeline_id = find_pipeline(client, pipeline)
        found = list(islice(client.runs(pipeline_id, page_size=min(limit, 100)), limit))
    if output is Output.JSON:
        print_json([run.document for run in found])
    elif found:
        _print_runs(found)
    else:
        print_note("It has no runs yet; `lineshaft trigger-pipeline` begins one.")


@click.command(
    cls=Command,
    examples=("lineshaft show shop/latest", "lineshaft show shop/12 --output json | jq .nodes[].state"),
)
@click.argument("run", shell_complete=complete_run, help=_RUN_HELP)
@with_output
@connected
def show(connection: Connection, run: str, output: Output) -> None:
    """Show a run with all its nodes, as it is now."""
    with connection.client() as client, waiting(f"Asking {client.url} for the run"):
        found = find_run(client, run)
    if output is Output.JSON:
        print_json(found.run.document)
    else:
        _print_run(found)


@click.command(cls=Command, examples=("lineshaft cancel shop/latest",))
@click.argument("run", shell_complete=complete_run, help=_RUN_HELP)
@with_output
@connected
def cancel(connection: Connection, run: str, output: Output) -> None:
    """Ask a run to stop.

    What has not begun is cancelled at once; what runs is told to end, and killed when it does not. `lineshaft
    watch` shows when that has happened.
    """
    with connection.client() as client, waiting(f"Asking {client.url} to cancel the run"):
        found = find_run(client, run)
        cancelled = client.cancel_run(found.run.id)
    if output is Output.JSON:
        print_json(cancelled.document)
    else:
        state = cancelled.state if cancelled.state.ended else "stopping"
        click.echo(printable(f"{found.title} is {state}."))


@click.command(
    cls=Command,
    short_help="Begin a run like one that has ended.",
    examples=(
        "lineshaft retry shop/12",
        "# What succeeded is not done again",
        "lineshaft retry shop/12 --from-failed",
        "# Do it again, and exit with 1 when it does not succeed",
        "lineshaft retry shop/12 --watch",
    ),
)
@click.argument("run", shell_complete=complete_run, help=_RUN_HELP)
@click.option(
    "--from-failed", is_flag=True, help="Keep the results of what succeeded, and run only the rest."
)
@click.option("--watch", is_flag=True, help="Show the run until it has ended, as `lineshaft watch` does.")
@with_output
@connected
def retry(connection: Connection, run: str, *, from_failed: bool, watch: bool, output: Output) -> ExitCode:
    """Begin a run like one that has ended: of the same configuration and inputs, on the same commit.

    With --watch the exit code is 0 when the new run succeeded and 1 when it did not.
    """
    with connection.client() as client:
        with waiting(f"Asking {client.url} to begin a run"):
            found = find_run(client, run)
            new = FoundRun(client.retry_run(found.run.id, from_failed=from_failed), found.pipeline)
        if watch:
            return watch_run(client, new, output)
    if output is Output.JSON:
        print_json(new.run.document)
    else:
        click.echo(printable(f"{new.title} is {new.run.state} ({new.run.id})."))
    return ExitCode.OK


def _print_runs(runs: Sequence["RunView"]) -> None:
    from lineshaft.cli.tree import STATE_STYLES

    now = SystemClock().now()
    rows = [
        (
            str(run.number),
            run.state.value,
            instant_text(run.created_at),
            elapsed_text(run.started_at, run.ended_at, now) or "-",
            str(run.id),
            run.reason.text if run.reason else "",
        )
        for run in runs
    ]
    print_table(("NUMBER", "STATE", "CREATED", "TOOK", "ID", "REASON"), rows, STATE_STYLES)


def _print_run(found: FoundRun) -> None:
    from lineshaft.cli.tree import run_tree

    run = found.run
    out = console(sys.stdout)
    out.print(run_tree(run, found.title, SystemClock().now(), ascii_only=out.options.ascii_only))
    carried = "" if run.resource is None else f"  resource: {run.resource.title}"
    click.echo(printable(f"id: {run.id}  created: {instant_text(run.created_at)}{carried}"))
