"""The command that lets a held run begin."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.asking import confirm
from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.output import Output, print_json, with_output
from lineshaft.cli.reference import FoundRun, find_run
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import NotWaitingError

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client

_MOST_LISTED: Final = 20


@click.command(
    cls=Command,
    short_help="Let a run begin that waits for approval.",
    examples=(
        "# Show what the run would do, and ask",
        "lineshaft approve shop/12",
        "# What was looked at elsewhere; nobody is asked",
        "lineshaft approve shop/12 --commit 5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f",
    ),
)
@click.argument("run", help="A run's id, PIPELINE/NUMBER, or PIPELINE/latest.")
@click.option(
    "--commit",
    metavar="SHA",
    help="The full id of the commit that you have looked at: the pull request's head. Nobody is asked then.",
)
@with_output
@connected
def approve(connection: Connection, run: str, commit: str | None, output: Output) -> None:
    """Let a run begin that waits for approval.

    It is approved for one commit alone, which the run shows: where another one is given, nothing happens.
    Without --commit it is shown what the run is for, and you are asked.
    """
    with connection.client() as client:
        with waiting(f"Asking {client.url} for the run"):
            found = find_run(client, run)
        if commit is None:
            commit = _looked_at(client, found)
        with waiting(f"Asking {client.url} to begin the run"):
            approved = client.approve_run(found.run.id, commit)
    if output is Output.JSON:
        print_json(approved.document)
    else:
        click.echo(printable(f"{found.title} is approved, and {approved.state}."))


def _looked_at(client: "Client", found: FoundRun) -> str:
    """Show a run to the person at the terminal, and return the commit that they agree to.

    Raises:
        NotWaitingError: it does not wait for approval.
        click.UsageError: nobody can be asked.
        click.Abort: they do not agree.
    """
    commit = found.run.approvable_commit
    if not found.run.held or found.run.state.ended or commit is None:
        raise NotWaitingError(
            f"{found.title} does not wait for approval: it is {found.run.state.value}.",
            advice="`lineshaft runs` lists a pipeline's runs, and says which of them wait for it.",
        )
    if not sys.stdin.isatty():
        raise click.UsageError(
            "Nobody can be asked here: look at what the run is for, and give its commit with --commit."
        )
    for line in _shown(found, commit, client.changed_paths(found.run.id)):
        click.echo(printable(line), err=True)
    confirm("Let it begin?", yes=False)
    return commit


def _shown(found: FoundRun, commit: str, changed: Sequence[str] | None) -> list[str]:
    """Say what a run is for, a line each."""
    run, origin = found.run, found.run.origin
    facts = [("run", f"{found.title} ({run.id})")]
    if run.source is not None and run.source.repository is not None:
        facts.append(("repository", run.source.repository))
    if origin is not None and origin.pull_request is not None:
        facts.append(("pull request", f"#{origin.pull_request}{' from a fork' * origin.from_fork}"))
    if origin is not None and origin.url:
        facts.append(("page", origin.url))
    if origin is not None and origin.actor:
        facts.append(("by", origin.actor))
    facts.append(("commit", commit))
    facts.append(("tasks", f"{len(run.tasks):,}"))
    listed = _listed([task.path for task in run.tasks])
    changes = ("changed", "not known" if changed is None else f"{len(changed):,}")
    return [*map(_line, facts), *listed, _line(changes), *_listed(changed or ())]


def _line(fact: tuple[str, str]) -> str:
    name, value = fact
    return f"{f'{name}:':14}{value}"


def _listed(names: Sequence[str]) -> list[str]:
    """List the first of many names, a line each, and how many more there are."""
    more = len(names) - _MOST_LISTED
    lines = [f"  {name}" for name in names[:_MOST_LISTED]]
    return [*lines, f"  and {more:,} more"] if more > 0 else lines
