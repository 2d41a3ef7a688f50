"""`token`: what programs sign in with."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from lineshaft.cli.certificate import certificate_option
from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.completion import complete_pipeline, complete_token, complete_user
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.lifetime import EXPIRED, TokenLifetime, expiry_text, last_text
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_pipeline
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import NotFoundError
from lineshaft.model.role import Role
from lineshaft.model.token import Expiry
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.token import TokenView

_STYLES: Final = {EXPIRED: "red"}


@click.group("token", cls=CommandGroup, examples=("lineshaft token create nightly --pipeline shop > token",))
def token() -> None:
    """Make, list and revoke the tokens that programs sign in with in your name."""


@token.command(
    "create",
    cls=Command,
    short_help="Make a token, and show it once.",
    examples=(
        "lineshaft token create nightly > token",
        "# For one pipeline alone, and for a week",
        "lineshaft token create nightly --role runner --pipeline shop --expires 7d > token",
        'LINESHAFT_TOKEN="$(cat token)" lineshaft trigger-pipeline shop',
    ),
)
@click.argument("name", help="What to call it; no other token of yours has that name.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    help="The highest role that it carries. [default: runner, or yours where that is less]",
)
@click.option(
    "--pipeline",
    "pipelines",
    metavar="PIPELINE",
    multiple=True,
    shell_complete=complete_pipeline,
    help="The only pipeline that it is for. Repeatable. [default: all that you may see]",
)
@click.option(
    "--expires",
    metavar="TIME",
    type=TokenLifetime(),
    help="After how long it is worth nothing: 90d, 12h, 30m, or never. [default: 90d]",
)
@certificate_option
@with_output
@connected
def create_token(
    connection: Connection,
    name: str,
    *,
    role: str | None,
    pipelines: Sequence[str],
    expires: datetime | Expiry | None,
    certificate: str | None,
    output: Output,
) -> None:
    """Make a token of yours, and print it: the server keeps no more than its hash.

    It never may more than you may yourself.
    """
    with connection.client() as client, waiting(f"Asking {client.url} for a token"):
        made = client.create_token(
            name,
            role=None if role is None else Role(role),
            pipelines=[find_pipeline(client, each) for each in pipelines] or None,
            expires_at=expires or Expiry.DEFAULT,
            certificate=certificate,
        )
    if output is Output.JSON:
        print_json(made.document)
        return
    click.echo(printable(made.token or ""))
    until = "never expires" if made.expires_at is None else f"expires at {instant_text(made.expires_at)}"
    print_note(
        f"The token is not told again. It is at most {made.role.value}, and {until}. "
        "Programs find it in LINESHAFT_TOKEN."
    )


@token.command(
    "list",
    cls=Command,
    examples=("lineshaft token list", "# Another's, for admins", "lineshaft token list --user ada"),
)
@click.option("--user", metavar="NAME", shell_complete=complete_user, help="Whose. [default: yours]")
@with_output
@connected
def list_tokens(connection: Connection, user: str | None, output: Output) -> None:
    """List tokens by name, without the tokens themselves."""
    with connection.client() as client, waiting(f"Asking {client.url} for tokens"):
        found = list(client.tokens(user=user))
    if output is Output.JSON:
        print_json([each.document for each in found])
    elif found:
        now = SystemClock().now()
        rows = [
            (
                each.name,
                each.role.value,
                "all" if each.pipelines is None else ",".join(map(str, each.pipelines)),
                instant_text(each.created_at),
                expiry_text(each.expires_at, now),
                last_text(each.last_used_at),
                str(each.id),
            )
            for each in found
        ]
        headings = ("NAME", "ROLE", "PIPELINES", "CREATED", "EXPIRES", "LAST USED", "ID")
        print_table(headings, rows, _STYLES)
    else:
        print_note("There are no tokens; `lineshaft token create NAME` makes one.")


@token.command(
    "revoke",
    cls=Command,
    short_help="Make a token worth nothing.",
    examples=("lineshaft token revoke nightly", "lineshaft token revoke nightly --user ada"),
)
@click.argument("name", shell_complete=complete_token, help="The token's name, or its id.")
@click.option("--user", metavar="NAME", shell_complete=complete_user, help="Whose. [default: yours]")
@with_output
@connected
def revoke_token(connection: Connection, name: str, user: str | None, output: Output) -> None:
    """Make a token worth nothing: who shows it is refused from now on."""
    with connection.client() as client, waiting(f"Asking {client.url} to revoke the token"):
        found = _find(client, name, user)
        client.revoke_token(found.id)
    if output is Output.JSON:
        print_json(found.document)
    else:
        click.echo(printable(f"'{found.name}' is revoked."))


def _find(client: "Client", reference: str, user: str | None) -> "TokenView":
    """Find a token by its name, or by its id where no token has that for its name.

    Raises:
        NotFoundError: there is none.
    """
    from difflib import get_close_matches

    tokens = {each.name: each for each in client.tokens(user=user)}
    found = tokens.get(reference) or next(
        (each for each in tokens.values() if _is_id(each.id, reference)), None
    )
    if found is None:
        nearest = get_close_matches(reference, tokens, n=1)
        raise NotFoundError(
            f"No token is named '{reference}'.",
            advice=f"Did you mean '{nearest[0]}'?" if nearest else "List them all: `lineshaft token list`.",
        )
    return found


def _is_id(token_id: UUID, reference: str) -> bool:
    try:
        return token_id == UUID(reference)
    except ValueError:
        return False
