"""`schedules`: when a pipeline starts by itself, and what came of it last."""

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
    from lineshaft.sdk.schedule import ScheduleView


@click.command(
    cls=Command,
    examples=(
        "lineshaft schedules shop",
        "# Why no run began the last time",
        "lineshaft schedules shop --output json | jq -r '.[].last_refusal'",
    ),
)
@click.argument(
    "pipeline", shell_complete=complete_pipeline, help="The pipeline's id, or its name where no other has it."
)
@with_output
@connected
def schedules(connection: Connection, pipeline: str, output: Output) -> None:
    """Tell when a pipeline starts by itself, in UTC, and what came of it the last time."""
    with connection.client() as client, waiting(f"Asking {client.url} for schedules"):
        found = list(client.schedules(find_pipeline(client, pipeline)))
    if output is Output.JSON:
        print_json([schedule.document for schedule in found])
    elif found:
        print_table(("CRON", "TIME ZONE", "NEXT", "LAST", "RUN"), list(map(_row, found)), {})
        for schedule in found:
            if schedule.last_refusal is not None:
                print_note(f"'{schedule.cron}' the last time: {schedule.last_refusal}")
    else:
        print_note("It has no schedules; `on: {schedule: [...]}` in its definition makes some.")


def _row(schedule: "ScheduleView") -> tuple[str, ...]:
    return (
        schedule.cron,
        schedule.timezone,
        "never" if schedule.next_at is None else instant_text(schedule.next_at),
        "-" if schedule.last_at is None else instant_text(schedule.last_at),
        "-" if schedule.last_run is None else str(schedule.last_run),
    )
