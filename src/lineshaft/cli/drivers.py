"""`drivers`, `driver forget` and `broadcast`: the drivers that a server knows, and messages to them."""

import json
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_driver
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import duration_text
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.invocation import Invocation, pass_invocation
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_run
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.cli.watch import watch_run
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime

    from lineshaft.sdk.known_driver import KnownDriverView


@click.command(
    cls=Command,
    short_help="List the drivers that have registered.",
    examples=(
        "lineshaft drivers",
        "# The names of those of which no program is connected",
        "lineshaft drivers --output json | jq -r '.[] | select(.connected == 0).name'",
    ),
)
@with_output
@connected
def drivers(connection: Connection, output: Output) -> None:
    """List every driver that has ever registered.

    It tells what each serves, how many programs of it are connected, what they have in flight, and when one
    was last heard of.
    """
    with connection.client() as client, waiting(f"Asking {client.url} for drivers"):
        found = list(client.drivers())
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        now = SystemClock().now()
        headings = ("NAME", "CONNECTED", "IN FLIGHT", "SEEN", "RESOURCES", "EVENTS", "DESCRIPTION")
        print_table(headings, [_row(each, now) for each in found], {})
    else:
        print_note("No driver has registered yet; `lineshaft driver new NAME` begins one.")


@click.command(
    "forget",
    cls=Command,
    short_help="Have nothing more be meant for a driver that is gone for good.",
    examples=("lineshaft driver forget compile",),
)
@click.argument("name", shell_complete=complete_driver, help="The driver's name.")
@with_output
@connected
def forget_driver(connection: Connection, name: str, output: Output) -> None:
    """Have nothing more be meant for a driver that is gone for good.

    Runs that wait for it already go on waiting until somebody cancels them. A driver that is connected cannot
    be forgotten.
    """
    with connection.client() as client, waiting(f"Asking {client.url} to forget the driver"):
        client.forget_driver(name)
    if output is Output.JSON:
        print_json({"name": name})
    else:
        click.echo(printable(f"{name} is forgotten."))


@click.command(
    cls=Command,
    short_help="Send a message to drivers.",
    examples=(
        "lineshaft broadcast flush",
        "lineshaft broadcast flush --payload '{\"older_than_days\": 7}' --driver cache --driver upload",
        "# Wait for all of them, and exit with 1 when one does not succeed",
        "lineshaft broadcast flush --payload @flush.json --watch",
    ),
)
@click.argument("event", help="Its name: letters, digits and `_ . -`.")
@click.option("--payload", metavar="JSON", help="Any JSON: itself, @FILE, or - for standard input.")
@click.option(
    "--driver",
    "names",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_driver,
    help="A driver that gets it, whatever it hears; repeatable. [default: all that hear the event]",
)
@click.option("--watch", is_flag=True, help="Show its run until it has ended, as `lineshaft watch` does.")
@with_output
@connected
@pass_invocation
def broadcast(
    invocation: Invocation,
    connection: Connection,
    *,
    event: str,
    payload: str | None,
    names: tuple[str, ...],
    watch: bool,
    output: Output,
) -> ExitCode:
    """Send a message to all drivers that hear its event, or to those that are named.

    It is a run with a task for each of them, and waits for those that are away.
    """
    said = None if payload is None else json.loads(invocation.read(payload, "--payload").data)
    with connection.client() as client:
        with waiting(f"Asking {client.url} to send the message"):
            sent = client.broadcast(event, said, drivers=names or None)
        if watch and sent.run_id is not None:
            return watch_run(client, find_run(client, str(sent.run_id)), output)
    if output is Output.JSON:
        print_json(sent.document)
    elif sent.run_id is None:
        print_note("No driver hears it; `lineshaft drivers` shows what each hears.")
    else:
        click.echo(printable(f"{', '.join(sent.drivers)}: by the run {sent.run_id}."))
    return ExitCode.OK


def _row(driver: "KnownDriverView", now: "datetime") -> tuple[str, ...]:
    return (
        driver.name,
        str(driver.connected),
        str(driver.in_flight),
        f"{duration_text(now - driver.seen_at)} ago",
        ",".join(driver.resources) or "-",
        ",".join(driver.events),
        driver.description,
    )
