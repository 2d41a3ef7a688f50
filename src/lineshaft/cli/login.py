"""`login`, `logout` and `whoami`: signing in to a server from this machine."""

import socket
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.asking import password_stdin, present_password, username
from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.failure import print_note
from lineshaft.cli.lifetime import TokenLifetime, expiry_text
from lineshaft.cli.output import Output, print_json, with_output
from lineshaft.cli.terminal import console, printable
from lineshaft.cli.user import grant_lines
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import (
    BadCredentialsError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    LineshaftError,
    NotFoundError,
)
from lineshaft.model.role import Role
from lineshaft.model.token import Expiry
from lineshaft.ports.clock import SystemClock
from lineshaft.sdk.config import ClientConfig, credentials_file

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.credentials_file import CredentialsFile
    from lineshaft.sdk.me import MeView
    from lineshaft.sdk.token import TokenView

_MOST_NAMES: Final = 100
"""How many names for the token are tried."""


@click.command(
    cls=Command,
    short_help="Sign in to a server from this machine.",
    examples=(
        "lineshaft login --base-url https://ci.example.org",
        "lineshaft login --username ada --password-stdin < password",
    ),
)
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    help="The highest role that commands here are to have. [default: all that you may]",
)
@click.option(
    "--expires",
    metavar="TIME",
    type=TokenLifetime(),
    help="After how long to sign in again: 90d, 12h, 30m, or never. [default: 90d]",
)
@password_stdin
@with_output
@connected
def login(
    connection: Connection,
    *,
    role: str | None,
    expires: datetime | Expiry | None,
    password_stdin: bool,
    output: Output,
) -> None:
    """Sign in to a server from this machine.

    Name and password are asked for once. They make a token, which is kept in a file that only you may read,
    and which all commands show to this server from then on. `lineshaft logout` ends that.
    """
    from lineshaft.sdk.client import Client

    file = _file()
    config = connection.client_config(needs_password=False)
    name = connection.username or (config.username if password_stdin else username(config.username))
    password = connection.password or present_password("Password", from_stdin=password_stdin)
    signing_in = replace(config, username=name, password=password, token=None)
    with Client(signing_in) as client, waiting(f"Signing in to {config.url}"):
        made = _make_token(client, None if role is None else Role(role), expires or Expiry.DEFAULT)
        former = file.find(config.url)
        _keep(client, file, made)
    if former is not None:
        _revoke(config.url, former.token, former.token_id)
    if output is Output.JSON:
        shown = {key: value for key, value in made.document.items() if key != "token"}
        print_json({**shown, "url": config.url})
        return
    until = expiry_text(made.expires_at, SystemClock().now())
    click.echo(printable(f"Signed in to {config.url} as '{made.user}', {made.role.value}, until {until}."))
    if connection.client_config().token != made.token:
        print_note(
            "Commands here still show other credentials: LINESHAFT_TOKEN, LINESHAFT_USERNAME, "
            "LINESHAFT_PASSWORD or the configuration file name them, and go first."
        )


@click.command(
    cls=Command,
    short_help="Sign out of a server.",
    examples=("lineshaft logout", "lineshaft logout --base-url https://ci.example.org"),
)
@click.option("--local", is_flag=True, help="Forget the token here, though the server cannot be told.")
@with_output
@connected
def logout(connection: Connection, *, local: bool, output: Output) -> None:
    """Sign out of a server: the token that `lineshaft login` has made is revoked and forgotten."""
    file = _file()
    url = connection.client_config(needs_password=False).url
    kept = file.find(url)
    if kept is None:
        raise NotFoundError(
            f"Nobody has signed in to {url} from here.",
            advice="Name another server with --base-url or LINESHAFT_URL.",
        )
    if not local:
        with waiting(f"Signing out of {url}"):
            _revoke_or_fail(url, kept.token, kept.token_id)
    file.forget(url)
    if output is Output.JSON:
        print_json({"url": url, "username": kept.username})
    else:
        click.echo(printable(f"Signed out of {url}."))


@click.command(
    cls=Command,
    short_help="Tell who you are to the server.",
    examples=("lineshaft whoami", "lineshaft whoami --output json | jq -r .role"),
)
@with_output
@connected
def whoami(connection: Connection, output: Output) -> None:
    """Tell as whom these commands call, and what they may do."""
    with connection.client() as client, waiting(f"Asking {client.url} who you are"):
        me = client.me()
        url = client.url
    if output is Output.JSON:
        print_json(me.document)
    else:
        _print_me(me, url)


def _make_token(client: "Client", role: Role | None, expires: datetime | Expiry) -> "TokenView":
    me = client.me()
    role = role or me.highest_role
    if role is None:
        raise ForbiddenError(
            f"'{me.name}' has no role yet.",
            advice="An admin, or a maintainer of a pipeline, can give you one.",
        )
    taken: ConflictError | None = None
    for name in _names():
        try:
            return client.create_token(name, role=role, expires_at=expires)
        except ConflictError as error:
            taken = error
    raise taken or RuntimeError("there is no name to try")


def _names() -> list[str]:
    """Name the token after this machine; where it has one already, with a number."""
    host = "".join(each if each.isalnum() or each in "_.-" else "-" for each in socket.gethostname())
    name = f"login@{host or 'unknown'}"[:240]
    return [name, *(f"{name}-{number}" for number in range(2, _MOST_NAMES))]


def _keep(client: "Client", file: "CredentialsFile", made: "TokenView") -> None:
    from lineshaft.sdk.credentials_file import Login

    try:
        file.keep(client.url, Login(made.user, made.token or "", str(made.id)))
    except ConfigurationError:
        # Nobody would know it, and nobody could revoke it.
        with suppress(LineshaftError):
            client.revoke_token(made.id)
        raise


def _revoke(url: str, token: str, token_id: str) -> None:
    """Revoke a token that is not kept any more, where that can be done."""
    with suppress(LineshaftError):
        _revoke_or_fail(url, token, token_id)


def _revoke_or_fail(url: str, token: str, token_id: str) -> None:
    from lineshaft.sdk.client import Client

    # It is worth nothing already where the server does not know it.
    config = replace(ClientConfig.load(url=url, needs_password=False), token=token)
    with Client(config) as client, suppress(BadCredentialsError, NotFoundError):
        client.revoke_token(token_id)


def _file() -> "CredentialsFile":
    file = credentials_file()
    if file is None:
        raise ConfigurationError(
            "There is no folder in which a token could be kept.",
            advice="Set HOME or XDG_CONFIG_HOME; or make a token elsewhere and set LINESHAFT_TOKEN.",
        )
    return file


def _print_me(me: "MeView", url: str) -> None:
    from rich.text import Text

    told = {"server": url, "signed in": me.means.value, "role": "none" if me.role is None else me.role.value}
    if me.token is not None:
        until = expiry_text(me.token.expires_at, SystemClock().now())
        told["token"] = f"'{me.token.name}', at most {me.token.role.value}, until {until}"
        if me.token.pipelines is not None:
            told["only for"] = ", ".join(str(each) for each in me.token.pipelines)
    out = console(sys.stdout)
    out.print(Text(printable(me.name), style="bold"))
    for title, text in told.items():
        out.print(Text(printable(f"  {title:<10} {text}")))
    for line in grant_lines(me.grants):
        out.print(Text(line))
