"""`resource`: what moves along pipelines and is no source revision, and what such things look like."""

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from lineshaft.cli.assignment import Assignment
from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.completion import complete_pipeline, complete_resource, complete_resource_type
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.invocation import Invocation, pass_invocation
from lineshaft.cli.limit import limited
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_run
from lineshaft.cli.resource_definitions import COMMANDS
from lineshaft.cli.resource_text import compact, resource_facts, resource_row
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.cli.watch import watch_run
from lineshaft.model.state import State

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.resource import ResourceVersionView, ResourceView

_type = click.argument(
    "type_name", metavar="TYPE", shell_complete=complete_resource_type, help="The name of its type."
)
_name = click.argument("name", shell_complete=complete_resource, help="Its name.")
_expected = click.option(
    "--if-version",
    "expected",
    metavar="N",
    type=click.IntRange(0),
    help="Only on top of this version, 0 where there is to be none. [default: any]",
)
_watch = click.option(
    "--watch", is_flag=True, help="Show the run that it starts until it has ended, as `lineshaft watch` does."
)
_metadata = click.option(
    "--metadata",
    metavar="NAME=TEXT",
    type=Assignment("NAME"),
    multiple=True,
    help="A text of its metadata; repeatable.",
)


@click.group(
    cls=CommandGroup,
    examples=(
        "lineshaft resource define app --schema app.schema.json",
        'lineshaft resource apply app shop --spec \'{"image": "shop"}\' --pipeline conveyor',
        "lineshaft resource show app shop",
    ),
)
def resource() -> None:
    """Say what is wanted of applications, machines or anything else; drivers bring it about.

    docs/resources.md explains resources, their types and their versions.
    """


for command in COMMANDS:
    resource.add_command(command)


@resource.command(
    "apply",
    cls=Command,
    short_help="Make a resource, or replace all that it says.",
    examples=(
        'lineshaft resource apply app shop --spec \'{"image": "shop", "replicas": 2}\'',
        "# Along a pipeline, and exit with 1 when its run does not succeed",
        "lineshaft resource apply app shop --spec @shop.json --pipeline conveyor --watch",
        "# Only where there is none yet",
        "lineshaft resource apply app shop --spec @shop.json --if-version 0",
    ),
)
@_type
@_name
@click.option(
    "--spec", metavar="JSON", default="{}", help="What is wanted: JSON, @FILE, or - for standard input."
)
@_metadata
@click.option(
    "--pipeline",
    metavar="NAME",
    shell_complete=complete_pipeline,
    help="The pipeline that it goes along. [default: to all drivers of its type]",
)
@_expected
@_watch
@with_output
@connected
@pass_invocation
def apply_resource(
    invocation: Invocation,
    connection: Connection,
    *,
    type_name: str,
    name: str,
    spec: str,
    metadata: tuple[tuple[str, str], ...],
    pipeline: str | None,
    expected: int | None,
    watch: bool,
    output: Output,
) -> ExitCode:
    """Make a resource, or replace all that it says, and bring it to its drivers.

    What is not said is empty. Where it says the same already, nothing happens.
    """
    wanted = _object(invocation, spec, "--spec")
    with connection.client() as client:
        with waiting(f"Asking {client.url} to keep the resource"):
            done = client.apply_resource(
                type_name, name, wanted, metadata=dict(metadata), pipeline=pipeline, expected=expected
            )
        return _tell(client, done, output, watch=watch)


@resource.command(
    "patch",
    cls=Command,
    short_help="Change some of what a resource says.",
    examples=(
        'lineshaft resource patch app shop --patch \'{"spec": {"replicas": 3}}\'',
        "# null removes",
        'lineshaft resource patch app shop --patch \'{"metadata": {"channel": null}}\' --if-version 3',
    ),
)
@_type
@_name
@click.option(
    "--patch",
    metavar="JSON",
    required=True,
    help="A JSON Merge Patch of `spec`, `metadata` and `pipeline`: itself, @FILE, or -.",
)
@_expected
@_watch
@with_output
@connected
@pass_invocation
def patch_resource(
    invocation: Invocation,
    connection: Connection,
    *,
    type_name: str,
    name: str,
    patch: str,
    expected: int | None,
    watch: bool,
    output: Output,
) -> ExitCode:
    """Change some of what a resource says, and bring it to its drivers."""
    said = _object(invocation, patch, "--patch")
    with connection.client() as client:
        with waiting(f"Asking {client.url} to change the resource"):
            done = client.patch_resource(type_name, name, said, expected=expected)
        return _tell(client, done, output, watch=watch)


@resource.command(
    "delete",
    cls=Command,
    short_help="Delete a resource, of which its drivers hear.",
    examples=("lineshaft resource delete app shop",),
)
@_type
@_name
@_expected
@_watch
@with_output
@connected
def delete_resource(
    connection: Connection, *, type_name: str, name: str, expected: int | None, watch: bool, output: Output
) -> ExitCode:
    """Delete a resource. Its drivers hear of it with the last spec, so that they can clear up."""
    with connection.client() as client:
        with waiting(f"Asking {client.url} to delete the resource"):
            done = client.delete_resource(type_name, name, expected=expected)
        return _tell(client, done, output, watch=watch)


@resource.command(
    "resync",
    cls=Command,
    short_help="Bring a resource, or all of a type, to their drivers once more.",
    examples=("lineshaft resource resync app shop --watch", "lineshaft resource resync app"),
)
@_type
@click.argument(
    "name", required=False, shell_complete=complete_resource, help="Its name. [default: all of the type]"
)
@_watch
@with_output
@connected
def resync_resource(
    connection: Connection, *, type_name: str, name: str | None, watch: bool, output: Output
) -> ExitCode:
    """Bring a resource to its drivers once more, as it is; or all of a type, within a few minutes."""
    with connection.client() as client:
        if name is not None:
            with waiting(f"Asking {client.url} to resync the resource"):
                done = client.resync_resource(type_name, name)
            return _tell(client, done, output, watch=watch)
        if watch:
            raise click.UsageError("--watch shows one run: name a resource.")
        with waiting(f"Asking {client.url} to resync the resources"):
            count = client.resync_resources(type_name)
    if output is Output.JSON:
        print_json({"count": count})
    else:
        click.echo(f"{count} {'resource goes' if count == 1 else 'resources go'} to their drivers again.")
    return ExitCode.OK


@resource.command(
    "list",
    cls=Command,
    short_help="List resources.",
    examples=(
        "lineshaft resource list",
        "lineshaft resource list app --state failed --state lost",
        "lineshaft resource list --metadata channel=stable --output json | jq -r .[].name",
    ),
)
@click.argument(
    "type_name",
    metavar="[TYPE]",
    required=False,
    shell_complete=complete_resource_type,
    help="The name of their type. [default: all]",
)
@click.option(
    "--pipeline", metavar="NAME", shell_complete=complete_pipeline, help="Only those that name this pipeline."
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Only those whose last run is in this state; repeatable.",
)
@_metadata
@limited(100)
@with_output
@connected
def list_resources(
    connection: Connection,
    *,
    type_name: str | None,
    pipeline: str | None,
    states: tuple[str, ...],
    metadata: tuple[tuple[str, str], ...],
    limit: int,
    output: Output,
) -> None:
    """List resources by type and name, with how far each has come."""
    with connection.client() as client, waiting(f"Asking {client.url} for resources"):
        every = client.resources(
            type_name,
            pipeline=pipeline,
            states=states,
            metadata=dict(metadata),
            page_size=min(limit, 100),
        )
        found = list(islice(every, limit))
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        from lineshaft.cli.tree import STATE_STYLES

        headings = ("TYPE", "NAME", "VERSION", "OBSERVED", "STATE", "PIPELINE", "CHANGED")
        print_table(headings, [resource_row(each) for each in found], STATE_STYLES)
    else:
        print_note("There are no such resources; `lineshaft resource apply` makes one.")


@resource.command(
    "show",
    cls=Command,
    short_help="Show a resource, and how far it has come.",
    examples=(
        "lineshaft resource show app shop",
        "lineshaft resource show app shop --version 2",
        "lineshaft resource show app shop --output json | jq .results",
    ),
)
@_type
@_name
@click.option(
    "--version", metavar="N", type=click.IntRange(1), help="One of its versions. [default: the newest]"
)
@with_output
@connected
def show_resource(
    connection: Connection, *, type_name: str, name: str, version: int | None, output: Output
) -> None:
    """Show what is wanted of a resource, how far it has come, and what each driver answered last."""
    with connection.client() as client, waiting(f"Asking {client.url} for the resource"):
        found: ResourceVersionView = (
            client.resource(type_name, name)
            if version is None
            else client.resource_version(type_name, name, version)
        )
    if output is Output.JSON:
        print_json(found.document)
        return
    for title, text in resource_facts(found):
        click.echo(printable(f"{title:<12}{text}"))


@resource.command(
    "versions",
    cls=Command,
    short_help="List the versions of a resource, newest first.",
    examples=("lineshaft resource versions app shop", "lineshaft resource versions app shop --limit 3"),
)
@_type
@_name
@limited(20)
@with_output
@connected
def list_versions(connection: Connection, *, type_name: str, name: str, limit: int, output: Output) -> None:
    """List the versions of a resource that are kept, newest first, with the event that made each."""
    with connection.client() as client, waiting(f"Asking {client.url} for versions"):
        found = list(islice(client.resource_versions(type_name, name, page_size=min(limit, 100)), limit))
    if output is Output.JSON:
        print_json([each.document for each in found])
        return
    rows = [
        (
            str(each.version),
            each.event or "-",
            instant_text(each.updated_at),
            each.pipeline or "-",
            compact(each.spec),
        )
        for each in found
    ]
    print_table(("VERSION", "EVENT", "MADE", "PIPELINE", "SPEC"), rows, {})


def _tell(client: "Client", done: "ResourceView", output: Output, *, watch: bool) -> ExitCode:
    """Say what a change has come to, or show the run that it has started."""
    if watch and done.started_run_id is not None:
        return watch_run(client, find_run(client, str(done.started_run_id)), output)
    if output is Output.JSON:
        print_json(done.document)
        return ExitCode.OK
    if done.event is None:
        click.echo(printable(f"{done.title} says so already, at version {done.version}."))
        return ExitCode.OK
    click.echo(printable(f"{done.title} is {done.event}, at version {done.version}."))
    if done.started_run_id is None:
        print_note("No driver hears of it; `lineshaft drivers` shows what each hears.")
    else:
        print_note(f"The run {done.started_run_id} carries it: lineshaft watch {done.started_run_id}")
    return ExitCode.OK


def _object(invocation: Invocation, argument: str, option: str) -> dict[str, Any]:
    """Read a JSON object that the user hands in.

    Raises:
        click.UsageError: it is JSON of another kind.
    """
    said = json.loads(invocation.read(argument, option).data)
    if not isinstance(said, dict):
        raise click.UsageError(f"{option} must be a JSON object.")
    return said
