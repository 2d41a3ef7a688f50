"""`explain`: why a node of a run stands where it does."""

from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_run
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.output import Output, print_json, with_output
from lineshaft.cli.reference import find_run
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.state import State

if TYPE_CHECKING:
    from lineshaft.sdk.explanation import ExplanationView
    from lineshaft.sdk.status import StatusView

_SAID: Final = {
    State.WAITING: "is waiting",
    State.QUEUED: "is queued",
    State.RUNNING: "is running",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.SKIPPED: "was skipped",
    State.TIMED_OUT: "ran out of time",
    State.LOST: "was lost",
}
_HELD: Final = {None: "not asked, or it could not be evaluated", True: "true", False: "false"}


@click.command(
    cls=Command,
    short_help="Tell why a node waits, was skipped, or failed.",
    examples=(
        "lineshaft explain shop/latest test/api",
        "lineshaft explain shop/12 ship --output json | jq -r .reason.code",
        "# A whole run, and what its forge was told of it",
        "lineshaft explain shop/12",
        "# What a queued task waits for",
        "lineshaft explain shop/12 ship --output json | jq -r .placement.code",
    ),
)
@click.argument("run", shell_complete=complete_run, help="A run's id, PIPELINE/NUMBER, or PIPELINE/latest.")
@click.argument("node", required=False, help="The node's path. [default: the run as a whole]")
@with_output
@connected
def explain(connection: Connection, run: str, node: str | None, output: Output) -> None:
    """Tell why a node of a run waits, was skipped, was cancelled or failed.

    Without a node it tells the same of the run, and which statuses of its commit the forge was told.

    It tells the reason, the condition that decided it, the nodes that it waits for and those because of which
    it ended so; of a queued task, what keeps it from a worker. The codes are closed lists:
    docs/state-machine.md.
    """
    if node is None:
        _explain_run(connection, run, output)
        return
    with connection.client() as client, waiting(f"Asking {client.url} about the node"):
        found = find_run(client, run)
        explanation = client.explain(found.run.id, node.strip("/"))
    if output is Output.JSON:
        print_json(explanation.document)
    else:
        click.echo(printable_lines(explanation))


def printable_lines(explanation: "ExplanationView") -> str:
    """Say an explanation in words."""
    reason = explanation.reason
    said = f"{explanation.path} {_SAID[explanation.state]}"
    lines = [f"{said}: {reason.text} ({reason.code})" if reason else f"{said}."]
    if explanation.decided_by not in {explanation.path, ""}:
        lines.append(f"  decided by   {explanation.decided_by}")
    if explanation.condition is not None:
        lines.append(f"  condition    {explanation.condition}  ({_HELD[explanation.condition_held]})")
    for title, paths in (("waits for", explanation.waits_for), ("because of", explanation.comes_from)):
        if paths:
            lines.append(f"  {title:<12} {', '.join(paths)}")
    if explanation.placement is not None:
        lines.append(f"  placement    {explanation.placement.text} ({explanation.placement.code})")
    if explanation.attempts > 1:
        lost = f", {explanation.losses} of them lost" if explanation.losses else ""
        lines.append(f"  attempts     {explanation.attempts}{lost}")
    if explanation.child_run is not None:
        lines.append(f"  its run      {explanation.child_run}")
    return "\n".join(printable(line) for line in lines)


def _explain_run(connection: Connection, run: str, output: Output) -> None:
    with connection.client() as client, waiting(f"Asking {client.url} about the run"):
        found = find_run(client, run)
        statuses = client.statuses(found.run.id)
    reason = found.run.reason
    if output is Output.JSON:
        said = None if reason is None else {"code": reason.code, "text": reason.text}
        told = [each.document for each in statuses]
        document = {
            "run_id": str(found.run.id),
            "state": found.run.state.value,
            "reason": said,
            "statuses": told,
        }
        print_json(document)
        return
    words = f"{found.pipeline}/{found.run.number} {_SAID[found.run.state]}"
    click.echo(printable(f"{words}: {reason.text} ({reason.code})" if reason else f"{words}."))
    for each in statuses:
        click.echo(printable(f"  {each.context}  {each.state}: {each.text}  ({_told(each)})"))


def _told(status: "StatusView") -> str:
    if status.told:
        return f"{status.connection} was told"
    if status.next_try_at is None:
        return f"{status.connection} was not told, which is given up: {status.last_error}"
    tried = f": {status.last_error}" if status.last_error else ""
    return f"{status.connection} is still to be told{tried}"
