"""`report`: how runs have gone, by pipeline, run, stage and job."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import duration_text, instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.waiting import waiting

if TYPE_CHECKING:
    from lineshaft.sdk.report import ReportEntry

_HEADINGS = ("PIPELINE", "RUN", "NODE", "COUNT", "STATES", "SUCCESS", "MEDIAN", "LONGEST", "LAST")


@click.command(
    cls=Command,
    short_help="Tell how runs have gone: states, times, rate of success.",
    examples=(
        "# All pipelines of a repository",
        "lineshaft report --repository https://git.example.org/shop.git",
        "# Each run of a pipeline; one of them with its stages; one job over the last 100 runs",
        "lineshaft report --pipeline shop",
        "lineshaft report --pipeline shop --run 12",
        "lineshaft report --pipeline shop --job test/unit --runs 100",
    ),
)
@click.option("--repository", metavar="URL", help="Only pipelines whose source is there.")
@click.option("--pipeline", metavar="NAME", help="Only the pipelines of this name, or the one with this id.")
@click.option("--run", metavar="NUMBER", type=click.IntRange(1), help="Only the run with this number.")
@click.option("--stage", metavar="NODE", help="A node at the top, with all that is directly in it.")
@click.option("--job", metavar="PATH", help="The node at this path.")
@click.option(
    "--runs",
    metavar="N",
    type=click.IntRange(1),
    help="How many of each pipeline's last runs are looked at, at most. [default: the server's]",
)
@with_output
@connected
def report(
    connection: Connection,
    *,
    repository: str | None,
    pipeline: str | None,
    run: int | None,
    stage: str | None,
    job: str | None,
    runs: int | None,
    output: Output,
) -> None:
    """Tell how runs have gone: how many there were, how they ended, how long they took.

    The rate of success counts those that ended and were not skipped. Without options it is about every
    pipeline; each option narrows it down.
    """
    from lineshaft.sdk.report import ReportQuery

    query = ReportQuery(repository, pipeline, run, stage, job, runs)
    with connection.client() as client, waiting(f"Asking {client.url} for the report"):
        entries = list(client.report(query))
    if output is Output.JSON:
        print_json([entry.document for entry in entries])
    elif entries:
        _print_entries(entries)
    else:
        print_note("There is nothing to tell; `lineshaft list` lists the pipelines.")


def _print_entries(entries: Sequence["ReportEntry"]) -> None:
    rows = [_row(entry) for entry in entries]
    # A column in which nothing stands tells nothing.
    shown = [column for column in range(len(_HEADINGS)) if any(row[column] for row in rows)]
    print_table(
        [_HEADINGS[column] for column in shown],
        [[row[column] or "-" for column in shown] for row in rows],
        {},
    )


def _row(entry: "ReportEntry") -> tuple[str, ...]:
    states = Counter({state: count for state, count in entry.states.items() if count}).most_common()
    return (
        entry.pipeline,
        "" if entry.run is None else str(entry.run),
        entry.path,
        str(entry.count),
        ", ".join(f"{count} {state}" for state, count in states),
        "" if entry.success_rate is None else f"{entry.success_rate:.0%}",
        _seconds(entry.durations.median_seconds),
        _seconds(entry.durations.max_seconds),
        "" if entry.last_at is None else instant_text(entry.last_at),
    )


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else duration_text(timedelta(seconds=seconds))
