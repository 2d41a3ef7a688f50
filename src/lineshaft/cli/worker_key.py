"""`worker-key`: the keys by which a server lets workers in."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from lineshaft.cli.certificate import certificate_option
from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.completion import complete_worker, complete_worker_key
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.lifetime import EXPIRED, Lifetime, expiry_text, last_text
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import NotFoundError
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.worker_key import WorkerKeyView

_STYLES: Final = {EXPIRED: "red"}


@click.group("worker-key", cls=CommandGroup, examples=("lineshaft worker-key create build-1 > key",))
def worker_key() -> None:
    """Make, list and revoke the keys that let workers in."""


@worker_key.command(
    "create",
    cls=Command,
    short_help="Make a worker key, and show it once.",
    examples=(
        "lineshaft worker-key create build-1 > key",
        "# For the worker of one name alone, for three months",
        "lineshaft worker-key create gpu --worker gpu-1 --expires 90d > key",
        "# For the programs of one driver alone",
        "lineshaft worker-key create compile --driver compile > key",
    ),
)
@click.argument("name", help="What to call it; no other worker key has that name.")
@click.option(
    "--worker",
    metavar="NAME",
    shell_complete=complete_worker,
    help="The name of the only worker that may use it. [default: any]",
)
@click.option(
    "--expires",
    metavar="TIME",
    type=Lifetime(),
    help="After how long it is worth nothing: 90d, 12h, 30m. [default: never]",
)
@click.option(
    "--driver",
    "drivers",
    metavar="NAME",
    multiple=True,
    help="The only driver that it may serve, or kind of work; may be given several times. [default: any]",
)
@certificate_option
@with_output
@connected
def create_key(
    connection: Connection,
    name: str,
    *,
    worker: str | None,
    expires: timedelta | None,
    drivers: tuple[str, ...],
    certificate: str | None,
    output: Output,
) -> None:
    """Make a worker key, and print it: the server keeps no more than its hash."""
    expires_at = None if expires is None else SystemClock().now() + expires
    with connection.client() as client, waiting(f"Asking {client.url} for a key"):
        made = client.create_worker_key(
            name,
            worker=worker,
            expires_at=expires_at,
            certificate=certificate,
            kinds=drivers or None,
        )
    if output is Output.JSON:
        print_json(made.document)
        return
    click.echo(printable(made.key or ""))
    until = "" if made.expires_at is None else f" It expires at {instant_text(made.expires_at)}."
    print_note(
        f"The key is not told again.{until} Start a worker with it: `lineshaft worker --key-file FILE`."
    )


@worker_key.command(
    "list",
    cls=Command,
    examples=("lineshaft worker-key list", "lineshaft worker-key list --output json | jq -r '.[].name'"),
)
@with_output
@connected
def list_keys(connection: Connection, output: Output) -> None:
    """List worker keys by name, without the keys themselves."""
    with connection.client() as client, waiting(f"Asking {client.url} for worker keys"):
        found = list(client.worker_keys())
    if output is Output.JSON:
        print_json([key.document for key in found])
    elif found:
        now = SystemClock().now()
        rows = [
            (
                key.name,
                key.worker or "any",
                "any" if key.kinds is None else ", ".join(key.kinds),
                instant_text(key.created_at),
                expiry_text(key.expires_at, now),
                last_text(key.last_used_at),
                str(key.id),
            )
            for key in found
        ]
        print_table(("NAME", "WORKER", "SERVES", "CREATED", "EXPIRES", "LAST USED", "ID"), rows, _STYLES)
    else:
        print_note("There are no worker keys; `lineshaft worker-key create NAME` makes one.")


@worker_key.command(
    "revoke",
    cls=Command,
    short_help="Make a worker key worth nothing.",
    examples=("lineshaft worker-key revoke build-1",),
)
@click.argument("name", shell_complete=complete_worker_key, help="The key's name, or its id.")
@with_output
@connected
def revoke_key(connection: Connection, name: str, output: Output) -> None:
    """Make a worker key worth nothing: its workers are refused at their next call."""
    with connection.client() as client, waiting(f"Asking {client.url} to revoke the key"):
        key = _find(client, name)
        client.revoke_worker_key(key.id)
    if output is Output.JSON:
        print_json(key.document)
    else:
        click.echo(printable(f"'{key.name}' is revoked."))


def _find(client: "Client", reference: str) -> "WorkerKeyView":
    """Find a key by its name, or by its id where no key has that for its name.

    Raises:
        NotFoundError: there is none.
    """
    from difflib import get_close_matches

    keys = {key.name: key for key in client.worker_keys()}
    found = keys.get(reference) or next((key for key in keys.values() if _is_id(key.id, reference)), None)
    if found is None:
        nearest = get_close_matches(reference, keys, n=1)
        raise NotFoundError(
            f"No worker key is named '{reference}'.",
            advice=f"Did you mean '{nearest[0]}'?"
            if nearest
            else "List them all: `lineshaft worker-key list`.",
        )
    return found


def _is_id(key_id: UUID, reference: str) -> bool:
    try:
        return key_id == UUID(reference)
    except ValueError:
        return False
