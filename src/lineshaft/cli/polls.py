"""`polls`: when a pipeline's repository is looked at, and what came of it last."""

from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_pipeline
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_pipeline
from lineshaft.cli.waiting import waiting

if TYPE_CHECKING:
    from lineshaft.sdk.poll import PollView


@click.command(
    cls=Command,
    examples=(
        "lineshaft polls shop",
        "lineshaft polls shop --now",
    ),
)
@click.argument(
    "pipeline", shell_complete=complete_pipeline, help="The pipeline's id, or its name where no other has it."
)
@click.option("--now", is_flag=True, help="Have it looked at now, in the background.")
@with_output
@connected
def polls(connection: Connection, pipeline: str, *, now: bool, output: Output) -> None:
    """Tell when a pipeline's repository is looked at, in UTC, and what came of it the last time."""
    with connection.client() as client, waiting(f"Asking {client.url} for polls"):
        pipeline_id = find_pipeline(client, pipeline)
        if now:
            client.poll_now(pipeline_id)
        found = list(client.polls(pipeline_id))
    if output is Output.JSON:
        print_json([poll.document for poll in found])
    elif found:
        print_table(("NEXT", "LAST", "IN VAIN"), list(map(_row, found)), {})
        for poll in found:
            if poll.last_error is not None:
                print_note(f"The last time: {poll.last_error}")
    else:
        print_note("Its repository is not polled; `on: {poll: 5m}` in its definition has it.")


def _row(poll: "PollView") -> tuple[str, ...]:
    last = "-" if poll.last_at is None else instant_text(poll.last_at)
    return (instant_text(poll.next_at), last, str(poll.failures))
