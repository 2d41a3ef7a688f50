"""`watch`: a run as it goes."""

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_run
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, with_output
from lineshaft.cli.reference import FoundRun, find_run
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import LineshaftError
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.run import RunView


@click.command(
    cls=Command,
    examples=(
        "# The newest run of the pipeline 'shop', as a live tree",
        "lineshaft watch shop/latest",
        "# In a script: wait for run 12, and go on only if it succeeded",
        "lineshaft watch shop/12 && ./announce",
        "# Each change of a state as a JSON object, on a line of its own",
        "lineshaft watch shop/12 --output json | jq -r .state",
    ),
)
@click.argument("run", shell_complete=complete_run, help="A run's id, PIPELINE/NUMBER, or PIPELINE/latest.")
@with_output
@connected
def watch(connection: Connection, run: str, output: Output) -> ExitCode:
    """Show a run as it goes, until it has ended.

    On a terminal this is a tree with states and times, anywhere else a line for each change. The exit code
    is 0 when the run succeeded and 1 when it did not. Interrupting this command leaves the run going.
    """
    with connection.client() as client:
        with waiting(f"Asking {client.url} for the run"):
            found = find_run(client, run)
        return watch_run(client, found, output)


def watch_run(client: "Client", found: FoundRun, output: Output) -> ExitCode:
    """Show a run until it has ended, and tell its outcome as an exit code."""
    from lineshaft.cli.display import display_of

    if output is Output.TEXT and found.run.resource is not None:
        print_note(f"It carries {found.run.resource.title}.")
    try:
        with display_of(found.run, found.title, output, SystemClock()) as display:
            known = {"", *(node.path for node in found.run.nodes)}
            for change in client.events(found.run.id, on_lost=display.lost):
                if change.path not in known:
                    grown = client.run(found.run.id)
                    known |= {change.path, *(node.path for node in grown.nodes)}
                    display.grown(grown)
                display.change(change)
            run = client.run(found.run.id)
            display.ended(run)
    except KeyboardInterrupt:
        print_note(f"The run goes on; `lineshaft cancel {_quoted(found.title)}` stops it.")
        raise
    if output is Output.TEXT:
        _tell_of_tests(client, run)
        _point_to_logs(run, found.title)
    return ExitCode.of_run(run.state)


def _tell_of_tests(client: "Client", run: "RunView") -> None:
    """Print what the tests have come to; how the run ended is known, so that nothing fails for them."""
    from lineshaft.cli.test_summary import FAILURES, MOST_FAILURES, MOST_RESULTS, print_tests

    with suppress(LineshaftError):
        results = list(islice(client.results(run.id), MOST_RESULTS))
        if any(each.tests is not None for each in results):
            failures = client.run_tests(run.id, states=FAILURES, page_size=MOST_FAILURES)
            print_tests(results, list(islice(failures, MOST_FAILURES)))


def _point_to_logs(run: "RunView", title: str) -> None:
    failed = [node for node in run.tasks if node.state.unsuccessful and node.attempt]
    for node in failed[:3]:
        at = f"{_quoted(title)} {_quoted(node.path)}"
        if node.kind == WorkKind.PIPELINE:
            print_note(f"`lineshaft explain {at}` names the run that it began.")
        else:
            print_note(f"`lineshaft logs {at}` shows what it wrote.")


def _quoted(word: str) -> str:
    from shlex import quote

    return quote(word)
