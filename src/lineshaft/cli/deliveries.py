"""`deliveries`: what came in from outside, and what came of it."""

from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command, ListingGroup
from lineshaft.cli.completion import complete_delivery, complete_pipeline
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.limit import limited
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_pipeline
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting

if TYPE_CHECKING:
    from lineshaft.sdk.delivery import DeliveryView, OutcomeView

_SHOWN: Final = 50
_MOST: Final = 100_000

_delivery = click.argument("delivery", help="The delivery's id.", shell_complete=complete_delivery)


@click.group(
    "deliveries",
    cls=ListingGroup,
    examples=("lineshaft deliveries", "lineshaft deliveries --pipeline shop"),
)
def deliveries() -> None:
    """Show what came in from forges, and what came of it; without a command it lists."""


@deliveries.command(
    "list",
    cls=Command,
    short_help="List what came in.",
    examples=(
        "lineshaft deliveries list",
        "# Why a push has started nothing",
        "lineshaft deliveries list --pipeline shop --output json | jq -r '.[0].outcomes[].text'",
    ),
)
@click.option(
    "--pipeline",
    metavar="PIPELINE",
    shell_complete=complete_pipeline,
    help="Only that of which something came for this one, by its name or id.",
)
@limited(_SHOWN, _MOST)
@with_output
@connected
def list_deliveries(connection: Connection, *, pipeline: str | None, limit: int, output: Output) -> None:
    """List what came in, newest first, and what came of it."""
    with connection.client() as client, waiting(f"Asking {client.url} for deliveries"):
        pipeline_id = None if pipeline is None else find_pipeline(client, pipeline)
        found = list(islice(client.deliveries(pipeline=pipeline_id, page_size=min(limit, 200)), limit))
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        print_table(("DELIVERY", "AT", "FROM", "EVENT", "REF", "CAME OF IT"), list(map(_row, found)), {})
    else:
        print_note("Nothing came in.")


@deliveries.command(
    "show",
    cls=Command,
    short_help="Show what came of one.",
    examples=("lineshaft deliveries show 019a3c52-7d10-7c4e-9a63-0d2b8f1e4a55",),
)
@_delivery
@with_output
@connected
def show_delivery(connection: Connection, *, delivery: str, output: Output) -> None:
    """Show what came in, and for each pipeline the run, or why there is none."""
    with connection.client() as client, waiting(f"Asking {client.url} for the delivery"):
        found = client.delivery(delivery)
    if output is Output.JSON:
        print_json(found.document)
        return
    for name, value in _facts(found):
        click.echo(printable(f"{name:<10} {value}"))
    if found.outcomes:
        print_table(("PIPELINE", "RUN", "WHY"), list(map(_outcome_row, found.outcomes)), {})


@deliveries.command(
    "redeliver",
    cls=Command,
    short_help="See to one once more.",
    examples=("lineshaft deliveries redeliver 019a3c52-7d10-7c4e-9a63-0d2b8f1e4a55",),
)
@_delivery
@with_output
@connected
def redeliver(connection: Connection, *, delivery: str, output: Output) -> None:
    """Have the server see to one once more, as a delivery of its own."""
    with connection.client() as client, waiting(f"Asking {client.url} to see to it again"):
        made = client.redeliver(delivery)
    if output is Output.JSON:
        print_json(made.document)
    else:
        click.echo(printable(f"It is seen to again, as the delivery {made.id}."))


def _row(delivery: "DeliveryView") -> tuple[str, ...]:
    refs = ", ".join(each.removeprefix("refs/heads/").removeprefix("refs/") for each in delivery.refs)
    return (
        str(delivery.id),
        instant_text(delivery.received_at),
        delivery.connection or delivery.source,
        delivery.event,
        refs or "-",
        _what_came(delivery),
    )


def _what_came(delivery: "DeliveryView") -> str:
    if delivery.text is not None:
        return delivery.text
    if delivery.state == "received":
        return "it is being seen to"
    runs = sum(outcome.run_id is not None for outcome in delivery.outcomes)
    if runs == 0 and len(delivery.outcomes) == 1:
        return delivery.outcomes[0].text or "no run"
    return "no runs" if runs == 0 else f"{runs} run{'s' if runs > 1 else ''}"


def _facts(delivery: "DeliveryView") -> list[tuple[str, str]]:
    found = [
        ("delivery", str(delivery.id)),
        ("at", instant_text(delivery.received_at)),
        ("from", f"{delivery.connection or '-'} ({delivery.source})"),
        ("event", delivery.event),
        ("state", delivery.state),
    ]
    found += [("ref", ref) for ref in delivery.refs]
    if delivery.redelivers is not None:
        found.append(("repeats", str(delivery.redelivers)))
    if delivery.text is not None:
        found.append(("why", delivery.text))
    return found


def _outcome_row(outcome: "OutcomeView") -> tuple[str, ...]:
    return outcome.pipeline, "-" if outcome.run_id is None else str(outcome.run_id), outcome.text or ""
