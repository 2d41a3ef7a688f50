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
        "# What a queued task waits for",
        "lineshaft explain shop/12 ship --output json | jq -r .placement.code",
    ),
)
@click.argument("run", shell_complete=complete_run, help="A run's id, PIPELINE/NUMBER, or PIPELINE/latest.")
@click.argument("node", help="The node's path.")
@with_output
@connected
def explain(connection: Connection, run: str, node: str, output: Output) -> None:
    """Tell why a node of a run waits, was skipped, was cancelled or failed.

    It tells the reason, the condition that decided it, the nodes that it waits for and those because of which
    it ended so; of a queued task, what keeps it from a worker. The codes are closed lists:
    docs/state-machine.md.
    """
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
