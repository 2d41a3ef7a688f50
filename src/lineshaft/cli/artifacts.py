"""`artifacts`: what the tasks of a run have made."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.kept import (
    attempt_option,
    chosen,
    download_all,
    extract_option,
    name_argument,
    run_argument,
    size_text,
    to_option,
)
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
    with connection.client() as client, waiting(f"Asking {client.url} for artifacts"):
        found = list(client.artifacts(find_run(client, reference).run.id, attempt=attempt))
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        print_table(("NODE", "NAME", "ATTEMPT", "SIZE", "EXPIRES"), [_row(each) for each in found], {})
    else:
        print_note("The run has kept no artifacts.")


@artifacts.command(
    "download",
    cls=Command,
    short_help="Download one artifact of a run, or all.",
    examples=(
        "# All, each below its node's path",
        "lineshaft artifacts download shop/latest --to artifacts",
        "# One, unpacked into ./dist",
        "lineshaft artifacts download shop/12 build/dist --extract",
    ),
)
@run_argument
@name_argument
@attempt_option
@to_option
@extract_option
@with_output
@connected
def download_artifacts(
    connection: Connection,
    *,
    reference: str,
    name: str | None,
    attempt: int | None,
    folder: Path,
    extract: bool,
    output: Output,
) -> None:
    """Download an artifact of a run, or all of them.

    A download that was cut off goes on where it was when the command is called again. What has come is
    verified.
    """
    with connection.client() as client:
        with waiting(f"Asking {client.url} for artifacts"):
            found = list(client.artifacts(find_run(client, reference).run.id, attempt=attempt))
        wanted = chosen(found, name)
        done = list(download_all(client, wanted, folder, alone=name is not None, extract=extract))
    if output is Output.JSON:
        print_json(done)


@artifacts.command("delete", cls=Command, examples=("lineshaft artifacts delete shop/12 build/dist",))
@run_argument
@click.argument("name", help="NODE/NAME, or the name alone where one node has kept it.")
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
