"""`user`: who may call a server, and what they may do there."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.asking import confirm, new_password, password_stdin, present_password
from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.completion import complete_pipeline, complete_user
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.lifetime import last_text
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.reference import find_pipeline
from lineshaft.cli.terminal import console, printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.role import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineshaft.sdk.user import GrantView, UserView

NO_ROLE: Final = "none"

_DISABLED: Final = "disabled"
_STYLES: Final = {_DISABLED: "red"}
_ROLES: Final = tuple(role.value for role in Role)
_PIPELINE_ROLES: Final = tuple(role for role in _ROLES if role != Role.ADMIN)

_name = click.argument("name", shell_complete=complete_user, help="The user's name.")
_pipeline = click.argument(
    "pipeline", shell_complete=complete_pipeline, help="The pipeline's name where no other has it, or its id."
)


@click.group(
    "user",
    cls=CommandGroup,
    examples=(
        "lineshaft user create ada --role runner",
        "# On one pipeline alone",
        "lineshaft user grant ada shop maintainer",
    ),
)
def user() -> None:
    """Look after users, and what they may do.

    Roles, each all that the ones before it may: viewer, runner, approver, maintainer, admin.
    """


@user.command(
    "create",
    cls=Command,
    short_help="Make a user, and ask for the password.",
    examples=(
        "lineshaft user create ada",
        "lineshaft user create ada --role runner",
        "pwgen -s 20 1 | tee password | lineshaft user create bot --password-stdin",
    ),
)
@click.argument("name", help="What they sign in with: one word; no other user has it.")
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    help="For all pipelines and for what belongs to none. [default: none, so that only grants count]",
)
@password_stdin
@with_output
@connected
def create_user(
    connection: Connection, name: str, role: str | None, *, password_stdin: bool, output: Output
) -> None:
    """Make a user. The password is asked for twice; it has 8 to 1024 characters."""
    password = new_password(from_stdin=password_stdin)
    with connection.client() as client, waiting(f"Asking {client.url} for a user"):
        made = client.create_user(name, password, role=_role(role))
    _print(made, output, f"'{made.name}' may sign in, {_as(made)}.")
    if made.role is None and output is Output.TEXT:
        print_note(f"`lineshaft user grant {printable(made.name)} PIPELINE ROLE` lets them see a pipeline.")


@user.command(
    "list",
    cls=Command,
    examples=("lineshaft user list", "# Who has a role on a pipeline", "lineshaft user list --pipeline shop"),
)
@click.option(
    "--pipeline",
    metavar="PIPELINE",
    shell_complete=complete_pipeline,
    help="Those who have a role on this pipeline, with that role.",
)
@with_output
@connected
def list_users(connection: Connection, pipeline: str | None, output: Output) -> None:
    """List users by name, with their roles everywhere; or those on one pipeline."""
    with connection.client() as client, waiting(f"Asking {client.url} for users"):
        if pipeline is not None:
            grants = list(client.grants(find_pipeline(client, pipeline)))
            _print_grants(grants, output)
            return
        found = list(client.users())
    if output is Output.JSON:
        print_json([each.document for each in found])
        return
    rows = [
        (
            each.name,
            _text(each.role),
            _DISABLED if each.disabled_at is not None else "active",
            last_text(each.last_seen_at),
            "-" if each.created_at is None else instant_text(each.created_at),
        )
        for each in found
    ]
    print_table(("NAME", "ROLE", "STATE", "LAST SEEN", "CREATED"), rows, _STYLES)


@user.command("show", cls=Command, examples=("lineshaft user show ada",))
@_name
@with_output
@connected
def show_user(connection: Connection, name: str, output: Output) -> None:
    """Show a user, with the roles on single pipelines."""
    with connection.client() as client, waiting(f"Asking {client.url} for the user"):
        found = client.user(name)
    if output is Output.JSON:
        print_json(found.document)
    else:
        _print_user(found)


@user.command(
    "set-role",
    cls=Command,
    short_help="Give a user another role everywhere.",
    examples=("lineshaft user set-role ada maintainer", "lineshaft user set-role ada none"),
)
@_name
@click.argument("role", type=click.Choice((*_ROLES, NO_ROLE)), help="The role; `none` takes it away.")
@with_output
@connected
def set_role(connection: Connection, name: str, role: str, output: Output) -> None:
    """Give a user another role for all pipelines and for what belongs to none; grants stay."""
    with connection.client() as client, waiting(f"Asking {client.url} to change the user"):
        changed = client.set_role(name, None if role == NO_ROLE else Role(role))
    _print(changed, output, f"'{changed.name}' acts from now on {_as(changed)}.")


@user.command(
    "set-password",
    cls=Command,
    short_help="Change a password: yours, or another user's.",
    examples=("# Your own", "lineshaft user set-password", "lineshaft user set-password ada"),
)
@click.argument(
    "name", required=False, shell_complete=complete_user, help="The user's name; your own by default."
)
@password_stdin
@with_output
@connected
def set_password(connection: Connection, name: str | None, *, password_stdin: bool, output: Output) -> None:
    """Change a password, which ends the user's browser sessions.

    Of your own the present one is asked for first, and with --password-stdin read from the first line.
    """
    if name is None:
        _set_own_password(connection, output, from_stdin=password_stdin)
        return
    password = new_password(from_stdin=password_stdin)
    with connection.client() as client, waiting(f"Asking {client.url} to change the user"):
        changed = client.set_password(name, password)
    _print(changed, output, f"'{changed.name}' has another password.")


@user.command("disable", cls=Command, examples=("lineshaft user disable ada",))
@_name
@with_output
@connected
def disable_user(connection: Connection, name: str, output: Output) -> None:
    """Let a user in no more, which ends their browser sessions and tokens; roles stay."""
    with connection.client() as client, waiting(f"Asking {client.url} to change the user"):
        changed = client.disable_user(name)
    _print(changed, output, f"'{changed.name}' is disabled.")


@user.command("enable", cls=Command, examples=("lineshaft user enable ada",))
@_name
@with_output
@connected
def enable_user(connection: Connection, name: str, output: Output) -> None:
    """Let a user in again."""
    with connection.client() as client, waiting(f"Asking {client.url} to change the user"):
        changed = client.enable_user(name)
    _print(changed, output, f"'{changed.name}' may sign in again.")


@user.command(
    "delete", cls=Command, examples=("lineshaft user delete ada", "lineshaft user delete ada --yes")
)
@_name
@click.option("--yes", is_flag=True, help="Do not ask whether that is meant.")
@with_output
@connected
def delete_user(connection: Connection, name: str, *, yes: bool, output: Output) -> None:
    """Delete a user, with their roles, tokens and browser sessions. The audit log keeps what they did."""
    confirm(printable(f"Delete '{name}', with their roles, tokens and sessions?"), yes=yes)
    with connection.client() as client, waiting(f"Asking {client.url} to delete the user"):
        client.delete_user(name)
    if output is Output.JSON:
        print_json({"name": name})
    else:
        click.echo(printable(f"'{name}' is deleted."))


@user.command(
    "grant",
    cls=Command,
    short_help="Give a user a role on a pipeline.",
    examples=("lineshaft user grant ada shop runner",),
)
@_name
@_pipeline
@click.argument("role", type=click.Choice(_PIPELINE_ROLES), help="What they are to be there.")
@with_output
@connected
def grant_role(connection: Connection, name: str, pipeline: str, role: str, output: Output) -> None:
    """Give a user a role on a pipeline, in place of the one that they have there.

    The higher of this one and the one that they have everywhere counts.
    """
    with connection.client() as client, waiting(f"Asking {client.url} for the role"):
        given = client.grant(find_pipeline(client, pipeline), name, Role(role))
    if output is Output.JSON:
        print_json(given.document)
    else:
        click.echo(printable(f"'{name}' is {given.role.value} of '{pipeline}'."))


@user.command(
    "revoke",
    cls=Command,
    short_help="Take a user's role on a pipeline away.",
    examples=("lineshaft user revoke ada shop",),
)
@_name
@_pipeline
@with_output
@connected
def revoke_role(connection: Connection, name: str, pipeline: str, output: Output) -> None:
    """Take a user's role on a pipeline away; the one that they have everywhere stays."""
    with connection.client() as client, waiting(f"Asking {client.url} to take the role away"):
        pipeline_id = find_pipeline(client, pipeline)
        client.revoke_grant(pipeline_id, name)
    if output is Output.JSON:
        print_json({"user": name, "pipeline_id": str(pipeline_id)})
    else:
        click.echo(printable(f"'{name}' has no role of their own on '{pipeline}' any more."))


def _set_own_password(connection: Connection, output: Output, *, from_stdin: bool) -> None:
    from lineshaft.sdk.client import Client

    with connection.client() as client:
        name, url = client.me().name, client.url
    present = present_password(f"Present password of '{printable(name)}'", from_stdin=from_stdin)
    new = new_password(from_stdin=from_stdin)
    # Whoever shows a token cannot do this, and most do who have signed in.
    as_user = replace(connection.client_config(), username=name, password=present, token=None)
    with Client(as_user) as client, waiting(f"Asking {url} to change the password"):
        client.change_own_password(present, new)
    if output is Output.JSON:
        print_json({"name": name})
    else:
        click.echo(printable(f"'{name}' has another password."))


def _print(changed: "UserView", output: Output, text: str) -> None:
    if output is Output.JSON:
        print_json(changed.document)
    else:
        click.echo(printable(text))


def _print_grants(grants: "Sequence[GrantView]", output: Output) -> None:
    if output is Output.JSON:
        print_json([grant.document for grant in grants])
    elif grants:
        print_table(("NAME", "ROLE"), [(grant.user or "", grant.role.value) for grant in grants], {})
    else:
        print_note("Nobody has a role on this pipeline alone; `lineshaft user list` shows roles everywhere.")


def _print_user(found: "UserView") -> None:
    from rich.text import Text

    told = {
        "role": _text(found.role),
        "state": "active" if found.disabled_at is None else _DISABLED,
        "signs in": _signs_in(found),
        "created": "-" if found.created_at is None else instant_text(found.created_at),
        "last seen": last_text(found.last_seen_at),
    }
    out = console(sys.stdout)
    out.print(Text(printable(found.name), style="bold"))
    for title, text in told.items():
        out.print(Text(f"  {title:<10} ") + Text(printable(text), style=_STYLES.get(text, "")))
    for line in grant_lines(found.grants):
        out.print(Text(line))


def grant_lines(grants: "Sequence[GrantView]") -> list[str]:
    """Say roles on single pipelines, each on a line."""
    lines = [
        printable(f"    {grant.role.value:<10} {grant.pipeline or f'{grant.pipeline_id} (deleted)'}")
        for grant in grants
    ]
    return ["  pipelines", *lines] if lines else []


def _signs_in(found: "UserView") -> str:
    ways = ["by password"] if found.has_password else []
    ways += [f"at {found.issuer}"] if found.issuer is not None else []
    named = ", named by the server's settings" if found.from_settings else ""
    return (" or ".join(ways) or "not at all") + named


def _role(text: str | None) -> Role | None:
    return None if text is None else Role(text)


def _text(role: Role | None) -> str:
    return NO_ROLE if role is None else role.value


def _as(found: "UserView") -> str:
    return "without a role everywhere" if found.role is None else f"as {found.role.value} everywhere"
