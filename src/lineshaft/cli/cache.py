"""`cache`: what spares later runs some work."""

from uuid import UUID

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.completion import complete_pipeline
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.kept import size_text
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_pipeline
from lineshaft.cli.waiting import waiting

_pipeline = click.argument("pipeline", shell_complete=complete_pipeline, help="Whose caches: its name or id.")


@click.group("cache", cls=CommandGroup, examples=("lineshaft cache list shop",))
def cache() -> None:
    """List and delete the caches of a pipeline."""


@cache.command("list", cls=Command, examples=("lineshaft cache list shop",))
@_pipeline
@with_output
@connected
def list_caches(connection: Connection, pipeline: str, output: Output) -> None:
    """List the caches of a pipeline, and when each was last used."""
    with connection.client() as client, waiting(f"Asking {client.url} for caches"):
        found = list(client.caches(find_pipeline(client, pipeline)))
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        rows = [
            (
                each.key,
                each.scope or "-",
                size_text(each.size_bytes),
                instant_text(each.used_at),
                f"{each.id}",
            )
            for each in sorted(found, key=lambda each: each.used_at, reverse=True)
        ]
        print_table(("KEY", "SCOPE", "SIZE", "USED", "ID"), rows, {})
    else:
        print_note("The pipeline has no caches.")


@cache.command(
    "delete",
    cls=Command,
    short_help="Delete caches of a pipeline.",
    examples=(
        "lineshaft cache delete shop 01890a5d-ac96-774b-bcce-b302099a8057",
        "lineshaft cache delete shop --all",
    ),
)
@_pipeline
@click.argument("ids", nargs=-1, type=click.UUID, help="Which ones, by id.")
@click.option("--all", "every", is_flag=True, help="Delete all of them.")
@with_output
@connected
def delete_caches(
    connection: Connection, *, pipeline: str, ids: tuple[UUID, ...], every: bool, output: Output
) -> None:
    """Delete caches of a pipeline, so that the next runs begin without them."""
    if bool(ids) == every:
        raise click.UsageError("Name caches by their ids, or say --all.")
    with connection.client() as client, waiting(f"Asking {client.url} to delete caches"):
        pipeline_id = find_pipeline(client, pipeline)
        if every:
            deleted = client.delete_caches(pipeline_id)
        else:
            for each in ids:
                client.delete_cache(pipeline_id, each)
            deleted = len(ids)
    if output is Output.JSON:
        print_json({"deleted": deleted})
    else:
        click.echo(f"{deleted} {'cache is' if deleted == 1 else 'caches are'} deleted.")
