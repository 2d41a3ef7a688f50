"""The commands below `resource` for types of resources: define, list, show, and delete them."""

import json
from typing import Final

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_resource_type
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.failure import print_note
from lineshaft.cli.invocation import Invocation, pass_invocation
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting

_name = click.argument("name", shell_complete=complete_resource_type, help="The type's name.")
_expected = click.option(
    "--if-version",
    "expected",
    metavar="N",
    type=click.IntRange(0),
    help="Only on top of this version, 0 where there is to be none. [default: any]",
)


@click.command(
    "define",
    cls=Command,
    short_help="Say what the resources of a type look like.",
    examples=(
        "lineshaft resource define app --schema app.schema.json",
        "# All of them go to their drivers again twice a day",
        "lineshaft resource define app --schema app.schema.json --resync 12h",
        "# Anything will do",
        "echo '{}' | lineshaft resource define note --schema -",
    ),
)
@_name
@click.option(
    "--schema",
    metavar="FILE",
    required=True,
    help="The JSON Schema (draft 2020-12) of a spec, in a file, or - for standard input.",
)
@click.option("--description", metavar="TEXT", default="", help="For people. [default: none]")
@click.option(
    "--resync",
    metavar="TIME",
    help="How often each goes to its drivers again, such as 90m, 12h or 1d. [default: never]",
)
@_expected
@with_output
@connected
@pass_invocation
def define_resource(
    invocation: Invocation,
    connection: Connection,
    *,
    name: str,
    schema: str,
    description: str,
    resync: str | None,
    expected: int | None,
    output: Output,
) -> None:
    """Say what the resources of a type look like, whether the type was there or not.

    Resources that do not fit a new schema stay as they are until they are next changed.
    """
    said = json.loads(invocation.read(schema if schema == "-" else f"@{schema}").data)
    with connection.client() as client, waiting(f"Asking {client.url} to keep the definition"):
        made = client.define_resource(name, said, description=description, resync=resync, expected=expected)
    if output is Output.JSON:
        print_json(made.document)
    else:
        click.echo(printable(f"{made.name} is defined, at version {made.version}."))


@click.command(
    "definitions",
    cls=Command,
    short_help="List the types of resources, or show one.",
    examples=(
        "lineshaft resource definitions",
        "# The schema of one",
        "lineshaft resource definitions app --output json | jq .schema",
    ),
)
@click.argument(
    "name", required=False, shell_complete=complete_resource_type, help="The type's name. [default: all]"
)
@with_output
@connected
def list_definitions(connection: Connection, *, name: str | None, output: Output) -> None:
    """List what types of resources there are, or show one with its schema."""
    with connection.client() as client, waiting(f"Asking {client.url} for types of resources"):
        one = None if name is None else client.resource_definition(name)
        found = list(client.resource_definitions()) if one is None else [one]
    if output is Output.JSON:
        print_json([each.document for each in found] if one is None else one.document)
    elif found:
        rows = [(each.name, str(each.version), each.resync or "never", each.description) for each in found]
        print_table(("NAME", "VERSION", "RESYNC", "DESCRIPTION"), rows, {})
        if one is not None:
            click.echo(printable_schema(one.schema))
    else:
        print_note("There are no types; `lineshaft resource define` makes one.")


@click.command(
    "undefine",
    cls=Command,
    short_help="Delete a type that has no resources.",
    examples=("lineshaft resource undefine app",),
)
@_name
@_expected
@with_output
@connected
def undefine_resource(connection: Connection, *, name: str, expected: int | None, output: Output) -> None:
    """Delete a type of which there are no resources any more."""
    with connection.client() as client, waiting(f"Asking {client.url} to delete the definition"):
        client.undefine_resource(name, expected=expected)
    if output is Output.JSON:
        print_json({"name": name})
    else:
        click.echo(printable(f"{name} is not defined any more."))


def printable_schema(schema: object) -> str:
    """Say a schema on lines of its own."""
    lines = json.dumps(schema, ensure_ascii=False, indent=2).splitlines()
    return "\n".join(printable(line) for line in lines)


COMMANDS: Final = (define_resource, list_definitions, undefine_resource)
"""In the order of help."""
