"""`secret`: values that a server gives to tasks, or keeps for itself, and tells nobody."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_pipeline
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import InvalidInputError, NotFoundError
from lineshaft.model.secret import LONGEST_VALUE_BYTES

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.secret import SecretView

_SLACK_BYTES: Final = 2
"""Of the line end that a value of one line may have."""

_pipeline = click.option(
    "--pipeline", metavar="PIPELINE", help="The only pipeline that it is for: its name or id. [default: all]"
)
_environment = click.option(
    "--environment",
    metavar="NAME",
    help="The only environment that it is for, as tasks name it. [default: any]",
)
_for_server = click.option(
    "--for-server",
    is_flag=True,
    help="For the server alone, such as for its connections to forges: no task is given it.",
)
_name = click.argument("name", help="The variable in which tasks find it.")


@click.group("secret", cls=CommandGroup, examples=("lineshaft secret set REGISTRY_TOKEN",))
def secret() -> None:
    """Set, list and delete the secrets that tasks are given."""


@secret.command(
    "set",
    cls=Command,
    short_help="Give a secret a value.",
    examples=(
        "# Asks for the value, and does not show what is typed",
        "lineshaft secret set REGISTRY_TOKEN",
        "# For the tasks of one pipeline that say `environment: prod`",
        "lineshaft secret set DB_PASSWORD --pipeline shop --environment prod < password.txt",
        "lineshaft secret set SIGNING_KEY --from-file key.pem",
        "# For a connection to a forge, and for no task",
        "lineshaft secret set FORGE_TOKEN --for-server",
    ),
)
@_name
@_pipeline
@_environment
@_for_server
@click.option(
    "--from-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Take the value from a file. [default: standard input, or what is typed]",
)
@with_output
@connected
def set_secret(
    connection: Connection,
    *,
    name: str,
    pipeline: str | None,
    environment: str | None,
    for_server: bool,
    from_file: Path | None,
    output: Output,
) -> None:
    """Give a secret a value, whether it was there or not.

    The value is never an argument, which other users of this machine could see. The end of its line does not
    belong to a value of one line; several lines are taken as they are. Nobody can read it back.
    """
    _check_whose(pipeline, environment, for_server=for_server)
    value = _value(name, from_file)
    with connection.client() as client, waiting(f"Asking {client.url} to keep the secret"):
        pipeline_id = None if pipeline is None else find_pipeline(client, pipeline)
        kept = client.set_secret(
            name, value, pipeline_id=pipeline_id, environment=environment, for_server=for_server
        )
    if output is Output.JSON:
        print_json(kept.document)
    else:
        what = "is set" if kept.version == 1 else f"has its value number {kept.version}"
        whose = _whose(pipeline, environment, for_server=for_server)
        click.echo(printable(f"{kept.name} {what}, for {whose}."))


@secret.command(
    "list",
    cls=Command,
    short_help="List secrets, without their values.",
    examples=(
        "lineshaft secret list",
        "lineshaft secret list --pipeline shop --output json",
        "lineshaft secret list --for-server",
    ),
)
@_pipeline
@_for_server
@with_output
@connected
def list_secrets(connection: Connection, *, pipeline: str | None, for_server: bool, output: Output) -> None:
    """List the secrets for all pipelines, or those of one alone, or those for the server alone; no values."""
    _check_whose(pipeline, None, for_server=for_server)
    with connection.client() as client, waiting(f"Asking {client.url} for secrets"):
        found = _secrets(client, pipeline, for_server=for_server)
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        rows = [
            (
                each.name,
                "-" if for_server else each.environment or "any",
                str(each.version),
                instant_text(each.updated_at),
                each.updated_by,
            )
            for each in found
        ]
        print_table(("NAME", "ENVIRONMENT", "VERSION", "SET", "BY"), rows, {})
    else:
        print_note("There are no secrets; `lineshaft secret set NAME` makes one.")


@secret.command(
    "delete",
    cls=Command,
    short_help="Delete a secret.",
    examples=("lineshaft secret delete DB_PASSWORD --pipeline shop",),
)
@_name
@_pipeline
@_environment
@_for_server
@with_output
@connected
def delete_secret(
    connection: Connection,
    *,
    name: str,
    pipeline: str | None,
    environment: str | None,
    for_server: bool,
    output: Output,
) -> None:
    """Delete a secret: the one for exactly this pipeline and environment, or for the server alone."""
    _check_whose(pipeline, environment, for_server=for_server)
    with connection.client() as client, waiting(f"Asking {client.url} to delete the secret"):
        pipeline_id = None if pipeline is None else find_pipeline(client, pipeline)
        client.delete_secret(name, pipeline_id=pipeline_id, environment=environment, for_server=for_server)
    if output is Output.JSON:
        document = {"name": name, "pipeline": pipeline, "environment": environment, "for_server": for_server}
        print_json(document)
    else:
        whose = _whose(pipeline, environment, for_server=for_server)
        click.echo(printable(f"{name} for {whose} is deleted."))


@secret.command(
    "reseal",
    cls=Command,
    short_help="Seal all secrets with the server's current key.",
    examples=("lineshaft secret reseal",),
)
@with_output
@connected
def reseal(connection: Connection, output: Output) -> ExitCode:
    """Seal with the server's current key whatever another key has sealed.

    It works while the server serves, and goes on where it was interrupted. The exit code is 7 where a secret
    could not be opened with any of the server's keys.
    """
    with connection.client() as client, waiting(f"Asking {client.url} to seal its secrets"):
        resealed = client.reseal_secrets()
    if output is Output.JSON:
        print_json(resealed.document)
    else:
        count = resealed.count + resealed.signing_keys
        click.echo(f"{count} sealed anew with the key {resealed.key_id}.")
        for each in resealed.unopened:
            pipeline = None if each.pipeline_id is None else str(each.pipeline_id)
            whose = _whose(pipeline, each.environment, for_server=each.for_server)
            named = f"{each.name} for {whose}"
            print_note(f"{named} cannot be opened with any of the server's keys: set it again.")
    return ExitCode.UNAVAILABLE if resealed.unopened else ExitCode.OK


@secret.command(
    "new-key",
    cls=Command,
    short_help="Print a new key that seals secrets.",
    examples=("lineshaft secret new-key > secrets.key",),
)
def new_key() -> None:
    """Print a new key for the file that a server's `--secrets-key-file` names; no server is asked."""
    from lineshaft.integrations.key_ring import new_key as make

    click.echo(make())


def _value(name: str, path: Path | None) -> str:
    """Take a value from a file, from standard input, or from whoever types it.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it cannot be read, or is no UTF-8.
    """
    most = LONGEST_VALUE_BYTES + _SLACK_BYTES + 1
    if path is not None:
        data = _file(path, most)
    elif sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True, err=True))
    else:
        data = sys.stdin.buffer.read(most)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            "The value is no UTF-8.", advice="Write bytes as base64, and let the task decode it."
        ) from error
    line = text.removesuffix("\n").removesuffix("\r")
    return text if "\n" in line else line


def _file(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most_bytes)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file '{path}'.") from error
    except OSError as error:
        raise InvalidInputError(f"'{path}' cannot be read: {error.strerror}.") from error


def _secrets(client: "Client", pipeline: str | None, *, for_server: bool) -> "list[SecretView]":
    pipeline_id = None if pipeline is None else find_pipeline(client, pipeline)
    return list(client.secrets(pipeline_id, for_server=for_server))


def _check_whose(pipeline: str | None, environment: str | None, *, for_server: bool) -> None:
    """Refuse what no secret is for.

    Raises:
        click.UsageError: the server alone, and a pipeline or an environment.
    """
    if for_server and (pipeline, environment) != (None, None):
        raise click.UsageError(
            "What is for the server alone is for no pipeline and no environment: leave out --for-server, or"
            " what stands beside it."
        )


def _whose(pipeline: str | None, environment: str | None, *, for_server: bool) -> str:
    if for_server:
        return "the server alone"
    whose = "all pipelines" if pipeline is None else f"'{pipeline}'"
    return whose if environment is None else f"{whose} in the environment {environment}"
