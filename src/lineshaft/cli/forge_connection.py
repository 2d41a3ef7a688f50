"""`connection`: what a server knows of the forges that it works with."""

from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.completion import complete_forge_connection
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.connection import ForgeKind

if TYPE_CHECKING:
    from lineshaft.sdk.connection import ConnectionView

_NONE: Final = "-"

_name = click.argument("name", help="The connection's name.", shell_complete=complete_forge_connection)


@click.group(
    "connection",
    cls=CommandGroup,
    examples=("lineshaft connection set hub --kind github --url https://github.com",),
)
def connection() -> None:
    """Say where forges are, and by which secrets they are talked to."""


@connection.command(
    "set",
    cls=Command,
    short_help="Make a connection, or change all of it.",
    examples=(
        "# The secrets are set first, for the server alone; the connection names them",
        "lineshaft secret set FORGE_WEBHOOK --for-server",
        "lineshaft secret set FORGE_TOKEN --for-server",
        "lineshaft connection set hub --kind github --url https://github.com --token-secret FORGE_TOKEN",
        "# A host that is nothing but repositories",
        "lineshaft connection set code --kind git --url https://git.example/team --token-secret CODE_TOKEN",
    ),
)
@_name
@click.option(
    "--kind",
    required=True,
    type=click.Choice([kind.value for kind in ForgeKind]),
    help="What sort of forge it is; `git` for a host of repositories alone.",
)
@click.option(
    "--url",
    required=True,
    metavar="URL",
    help="Where its pages are. Repositories on its host, below its path, are the connection's.",
)
@click.option("--api-url", metavar="URL", help="Where its API is. [default: where such a forge has it]")
@click.option(
    "--webhook-secret",
    metavar="SECRET",
    help="The name of the secret that it signs its webhooks with. [default: it sends none]",
)
@click.option(
    "--token-secret",
    metavar="SECRET",
    help="The name of the secret by which its repositories are fetched and its statuses set. [default: none]",
)
@click.option("--git-user", metavar="NAME", help="Who git says signs in. [default: as such a forge wants it]")
@click.option(
    "--statuses/--no-statuses",
    default=None,
    help="Whether it is told how runs are going. [default: where there is a token for it]",
)
@click.option(
    "--trust-forks", is_flag=True, help="Treat changes from forks as all others: with secrets, at once."
)
@with_output
@connected
def set_connection(
    connection: Connection,
    *,
    name: str,
    kind: str,
    url: str,
    api_url: str | None,
    webhook_secret: str | None,
    token_secret: str | None,
    git_user: str | None,
    statuses: bool | None,
    trust_forks: bool,
    output: Output,
) -> None:
    """Make a connection, or change all of it: what is not said is as it is by default.

    Secrets are named here, never written. They are those that `secret set --for-server` has set before, which
    no task is given, or else those for all pipelines, of which a warning tells.
    """
    with connection.client() as client, waiting(f"Asking {client.url} to keep the connection"):
        made = client.set_connection(
            name,
            kind,
            url,
            api_url=api_url,
            webhook_secret=webhook_secret,
            token=token_secret,
            username=git_user,
            statuses=statuses,
            trusts_forks=trust_forks,
        )
    if output is Output.JSON:
        print_json(made.document)
    else:
        click.echo(printable(f"{made.name} is set: {made.kind} at {made.url}."))
        for text in made.warnings:
            print_note(text)


@connection.command(
    "list", cls=Command, short_help="List connections.", examples=("lineshaft connection list",)
)
@with_output
@connected
def list_connections(connection: Connection, output: Output) -> None:
    """List connections, with the names of their secrets."""
    with connection.client() as client, waiting(f"Asking {client.url} for connections"):
        found = list(client.connections())
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        rows = [
            (each.name, each.kind, each.url, each.webhook_secret or _NONE, each.token or _NONE)
            for each in found
        ]
        print_table(("NAME", "KIND", "URL", "WEBHOOK SECRET", "TOKEN"), rows, {})
    else:
        print_note("There are no connections; `lineshaft connection set` makes one.")


@connection.command(
    "show", cls=Command, short_help="Show a connection.", examples=("lineshaft connection show hub",)
)
@_name
@with_output
@connected
def show_connection(connection: Connection, name: str, output: Output) -> None:
    """Show all that is known of a connection."""
    with connection.client() as client, waiting(f"Asking {client.url} for the connection"):
        found = client.connection(name)
    if output is Output.JSON:
        print_json(found.document)
    else:
        for title, text in _lines(found):
            click.echo(printable(f"{title:<16}{text}"))
        for text in found.warnings:
            print_note(text)


@connection.command(
    "remove", cls=Command, short_help="Remove a connection.", examples=("lineshaft connection remove hub",)
)
@_name
@with_output
@connected
def remove_connection(connection: Connection, name: str, output: Output) -> None:
    """Remove a connection; the secrets that it names stay."""
    with connection.client() as client, waiting(f"Asking {client.url} to remove the connection"):
        client.remove_connection(name)
    if output is Output.JSON:
        print_json({"name": name})
    else:
        click.echo(printable(f"{name} is removed."))


def _lines(found: "ConnectionView") -> list[tuple[str, str]]:
    return [
        ("name", found.name),
        ("kind", found.kind),
        ("url", found.url),
        ("api url", found.api_url or _NONE),
        ("webhook secret", found.webhook_secret or _NONE),
        ("token", found.token or _NONE),
        ("username", found.username),
        ("statuses", "told" if found.statuses else "not told"),
        ("forks", "trusted" if found.trusts_forks else "not trusted"),
        ("set", instant_text(found.updated_at)),
    ]
