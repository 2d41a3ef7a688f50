"""`audit`: who did what, when and from where."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_pipeline
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.lifetime import Lifetime
from lineshaft.cli.limit import limited
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_pipeline
from lineshaft.cli.waiting import waiting
from lineshaft.model.audit_entry import Action
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from lineshaft.sdk.audit_entry import AuditEntryView

_SHOWN: Final = 50
_MOST: Final = 100_000


class Moment(click.ParamType[datetime]):
    """A time: `2026-11-01`, `2026-11-01T09:30:00Z`, or how long ago, `90m`, `24h`, `7d`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it; a time without a zone is in UTC."""
        text = str(value)
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            try:
                ago: timedelta = Lifetime().convert(text, param, ctx)
            except click.BadParameter:
                self.fail(f"'{text}' is no time such as 2026-11-01, 24h or 7d.", param, ctx)
            return SystemClock().now() - ago
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


@click.command(
    cls=Command,
    examples=(
        "lineshaft audit",
        "# What was done with a pipeline in the last week",
        "lineshaft audit --pipeline shop --since 7d",
        "# Which tasks were given secrets",
        "lineshaft audit --action secret.used --output json | jq -r '.[].detail.secrets[]' | sort | uniq -c",
    ),
)
@click.option(
    "--pipeline",
    metavar="PIPELINE",
    shell_complete=complete_pipeline,
    help="Only what concerns this one, by its name or id.",
)
@click.option("--actor", metavar="NAME", help="Only what this user or worker did.")
@click.option(
    "--action", type=click.Choice([action.value for action in Action]), help="Only what was done so."
)
@click.option(
    "--since", metavar="TIME", type=Moment(), help="Not before this: 2026-11-01, or how long ago, 24h, 7d."
)
@click.option("--until", metavar="TIME", type=Moment(), help="Before this.")
@limited(_SHOWN, _MOST)
@with_output
@connected
def audit(connection: Connection, *, pipeline: str | None, limit: int, output: Output, **asked: Any) -> None:
    """List who did what, when and from where, newest first."""
    with connection.client() as client, waiting(f"Asking {client.url} for the audit log"):
        pipeline_id = None if pipeline is None else find_pipeline(client, pipeline)
        found = list(islice(client.audit(pipeline=pipeline_id, page_size=min(limit, 200), **asked), limit))
    if output is Output.JSON:
        print_json([entry.document for entry in found])
    elif found:
        rows = [
            (
                instant_text(entry.at),
                entry.actor,
                entry.address or "",
                entry.action,
                entry.target,
                _detail(entry),
            )
            for entry in found
        ]
        print_table(("AT", "WHO", "FROM", "DID", "TO", "MORE"), rows, {})
    else:
        print_note("Nothing of the kind was done.")


def _detail(entry: "AuditEntryView") -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in entry.detail.items())


def _value(value: Any) -> str:
    match value:
        case str():
            return value
        case None:
            return "-"
        case list():
            return ",".join(_value(each) for each in value)
        case _:
            return json.dumps(value)
