"""`artifacts`: what the tasks of a run have made."""

from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.completion import complete_artifact
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.kept import Kept, add_download, attempt_option, kept_of, run_argument, size_text
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_run
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting

if TYPE_CHECKING:
    from lineshaft.sdk.kept import KeptView


@click.group("artifacts", cls=CommandGroup, examples=("lineshaft artifacts download shop/latest --extract",))
def artifacts() -> None:
    """List, download and delete what the tasks of a run have made."""


@artifacts.command(
    "list",
    cls=Command,
    examples=(
        "lineshaft artifacts list shop/latest",
        "# The bytes that a run keeps",
        "lineshaft artifacts list shop/12 --output json | jq 'map(.size_bytes) | add'",
    ),
)
@run_argument
@attempt_option
@with_output
@connected
def list_artifacts(connection: Connection, reference: str, attempt: int | None, output: Output) -> None:
    """List what the tasks of a run have made, and when it goes."""
    with connection.client() as client:
        found = kept_of(client, reference, attempt, Kept.ARTIFACTS)
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        print_table(("NODE", "NAME", "ATTEMPT", "SIZE", "EXPIRES"), [_row(each) for each in found], {})
    else:
        print_note("The run has kept no artifacts.")


add_download(
    artifacts,
    Kept.ARTIFACTS,
    (
        "# All, each below its node's path",
        "lineshaft artifacts download shop/latest --to artifacts",
        "# One, unpacked into ./dist",
        "lineshaft artifacts download shop/12 build/dist --extract",
    ),
)


@artifacts.command("delete", cls=Command, examples=("lineshaft artifacts delete shop/12 build/dist",))
@run_argument
@click.argument(
    "name",
    shell_complete=complete_artifact,
    help="NODE/NAME, or the name alone where one node has kept it.",
)
@attempt_option
@with_output
@connected
def delete_artifact(
    connection: Connection, reference: str, name: str, attempt: int | None, output: Output
) -> None:
    """Delete an artifact before its time."""
    with connection.client() as client, waiting(f"Asking {client.url} to delete the artifact"):
        client.delete_artifact(find_run(client, reference).run.id, name, attempt=attempt)
    if output is Output.JSON:
        print_json({"name": name})
    else:
        click.echo(printable(f"'{name}' is deleted."))


def _row(kept: "KeptView") -> tuple[str, ...]:
    expires = "-" if kept.expires_at is None else instant_text(kept.expires_at)
    return (
        kept.path,
        kept.name,
        f"{kept.attempt}",
        size_text(kept.size_bytes),
        "expired" if kept.expired else expires,
    )
