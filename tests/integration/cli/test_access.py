"""`login`, `user` and `token` on the command line, against a server in the test's own process."""

import asyncio
import io
import json
import socket
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from accounts import BY, SECRET, Accounts, principal
from command_line import CommandLine, Result, isolated
from http_server import http_server
from lineshaft.cli.completion import PATIENCE, complete_pipeline, complete_token, complete_user
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.role import Role, Scope
from lineshaft.ports.clock import ManualClock, SystemClock
from lineshaft.services.access.tokens import TokenRequest
from planes import PASSWORD, temporary_plane
from terminal_session import TerminalSession


@dataclass(kw_only=True)
class Site(Accounts):
    """A server, and the command line that talks to it."""

    lineshaft: CommandLine
    monkeypatch: pytest.MonkeyPatch
    folder: Path

    async def __call__(self, *arguments: str, stdin: str = "") -> Result:
        """Run a command line, while the server goes on."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        return await asyncio.to_thread(self.lineshaft, *arguments)

    async def done(self, *arguments: str, stdin: str = "") -> str:
        """Run a command line that does what it is told, and return what it prints."""
        result = await self(*arguments, stdin=stdin)
        assert result.code == ExitCode.OK, result.err
        return result.out

    async def document(self, *arguments: str, stdin: str = "") -> Any:
        """Run a command line that prints JSON."""
        return json.loads(await self.done(*arguments, "--output", "json", stdin=stdin))

    def without_password(self) -> None:
        """Leave it to the command line how it signs in."""
        self.monkeypatch.setenv("LINESHAFT_PASSWORD", "")

    @property
    def credentials(self) -> Path:
        """The file with what was signed in with."""
        return self.folder / "lineshaft" / "credentials.json"


@pytest.fixture
async def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> AsyncIterator[Site]:
    # The command line says times by the machine's clock.
    clock = ManualClock(SystemClock().now())
    async with temporary_plane(tmp_path / "blobs", clock) as plane, http_server(plane) as url:
        for name, value in isolated(tmp_path, url, PASSWORD).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("LINESHAFT_TOKEN", "")
        monkeypatch.setenv("COLUMNS", "200")
        lineshaft = CommandLine(capsysbinary)
        yield Site(plane, clock, url, lineshaft=lineshaft, monkeypatch=monkeypatch, folder=tmp_path)


async def signed_in(site: Site, name: str = "ada", *arguments: str) -> None:
    """Have a user sign in from here."""
    await site.done("login", "--username", name, "--password-stdin", *arguments, stdin=f"{SECRET}\n")
    site.without_password()


async def test_a_user_is_made_with_a_password_from_standard_input(site: Site) -> None:
    made = await site("user", "create", "ada", "--role", "runner", "--password-stdin", stdin=f"{SECRET}\n")

    assert (made.code, made.out) == (ExitCode.OK, "'ada' may sign in, as runner everywhere.\n")
    assert (await site.find("ada")).role is Role.RUNNER
    assert await site.plane.access.credentials.check("ada", SECRET)


async def test_a_user_without_a_role_is_told_what_lets_them_see_something(site: Site) -> None:
    made = await site("user", "create", "ada", "--password-stdin", stdin=SECRET)

    assert made.out == "'ada' may sign in, without a role everywhere.\n"
    assert "`lineshaft user grant ada PIPELINE ROLE`" in made.err


@pytest.mark.parametrize("command", [("user", "create", "ada"), ("user", "set-password"), ("login",)])
async def test_nobody_is_asked_for_a_password_where_nobody_is(site: Site, command: tuple[str, ...]) -> None:
    refused = await site(*command)

    assert refused.code == ExitCode.WRONG_USAGE
    assert "give --password-stdin" in refused.err


async def test_an_empty_line_is_no_password(site: Site) -> None:
    refused = await site("user", "create", "ada", "--password-stdin", stdin="\n")

    assert (refused.code, "holds no password" in refused.err) == (ExitCode.WRONG_USAGE, True)


async def test_a_password_that_does_not_do_is_told_with_the_reason(site: Site) -> None:
    refused = await site("user", "create", "ada", "--password-stdin", stdin="password")

    assert refused.code == ExitCode.INVALID_INPUT
    assert "password is one of the commonest passwords" in refused.err


async def test_users_are_listed_and_shown(site: Site) -> None:
    await site.user("ada", Role.VIEWER)
    shop = await site.pipeline()
    await site.done("user", "grant", "ada", "shop", "maintainer")
    await site.done("user", "disable", "ada")

    heading, ada, admin = (await site.done("user", "list")).splitlines()
    shown = await site.done("user", "show", "ada")

    assert heading.split()[:3] == ["NAME", "ROLE", "STATE"]
    assert ada.split()[:4] == ["ada", "viewer", "disabled", "never"]
    assert admin.split()[:3] == ["admin", "admin", "active"]
    for line in ("  role       viewer", "  state      disabled", "    maintainer shop"):
        assert line in shown.splitlines()
    document = await site.document("user", "show", "ada")
    assert [grant["pipeline_id"] for grant in document["grants"]] == [str(shop)]


async def test_a_role_is_set_and_taken_away(site: Site) -> None:
    await site.user("ada")

    assert await site.done("user", "set-role", "ada", "admin") == (
        "'ada' acts from now on as admin everywhere.\n"
    )
    assert (await site.document("user", "set-role", "ada", "none"))["role"] is None


async def test_roles_on_a_pipeline_are_given_listed_and_taken(site: Site) -> None:
    await site.user("ada")
    shop = await site.pipeline()

    nobody = await site("user", "list", "--pipeline", "shop")
    given = await site.done("user", "grant", "ada", "shop", "runner")
    listed = await site.done("user", "list", "--pipeline", "shop")
    taken = await site.document("user", "revoke", "ada", str(shop))
    again = await site("user", "revoke", "ada", "shop")

    assert "Nobody has a role on this pipeline alone" in nobody.err
    assert given == "'ada' is runner of 'shop'.\n"
    assert [line.split() for line in listed.splitlines()] == [["NAME", "ROLE"], ["ada", "runner"]]
    assert taken == {"user": "ada", "pipeline_id": str(shop)}
    assert again.code == ExitCode.NOT_FOUND


async def test_nobody_is_made_an_admin_of_a_pipeline(site: Site) -> None:
    refused = await site("user", "grant", "ada", "shop", "admin")

    assert refused.code == ExitCode.WRONG_USAGE


async def test_a_user_is_disabled_and_enabled(site: Site) -> None:
    await site.user("ada")

    assert await site.done("user", "disable", "ada") == "'ada' is disabled.\n"
    assert (await site.find("ada")).disabled_at is not None
    assert await site.done("user", "enable", "ada") == "'ada' may sign in again.\n"


async def test_a_user_is_deleted_by_whoever_is_sure(site: Site) -> None:
    await site.user("ada")

    unsure = await site("user", "delete", "ada")
    assert (unsure.code, "give --yes" in unsure.err) == (ExitCode.WRONG_USAGE, True)
    assert await site.done("user", "delete", "ada", "--yes") == "'ada' is deleted.\n"
    assert (await site("user", "delete", "ada", "--yes")).code == ExitCode.NOT_FOUND


async def test_the_last_admin_stays(site: Site) -> None:
    refused = await site("user", "delete", "admin", "--yes")

    assert refused.code == ExitCode.CONFLICT
    assert "`lineshaft user set-role NAME admin`" in refused.err


async def test_the_password_of_another_is_set(site: Site) -> None:
    await site.user("ada")

    await site.done("user", "set-password", "ada", "--password-stdin", stdin="another password\r\n")

    assert await site.plane.access.credentials.check("ada", "another password")


async def test_ones_own_password_is_changed_though_one_has_signed_in(site: Site) -> None:
    await site.user("ada", Role.RUNNER)
    await signed_in(site)

    changed = await site.done(
        "user", "set-password", "--password-stdin", stdin=f"{SECRET}\nanother password\n"
    )

    assert changed == "'ada' has another password.\n"
    assert await site.plane.access.credentials.check("ada", "another password")
    assert (await site.document("whoami"))["means"] == "token"


async def test_a_token_is_printed_alone_and_signs_in(site: Site) -> None:
    shop = await site.pipeline()

    made = await site("token", "create", "ci", "--pipeline", "shop", "--expires", "7d")
    token = made.out.removesuffix("\n")
    whoami = await site.document("whoami", "--token", token)

    assert token.startswith("lst_")
    assert "not told again" in made.err
    assert (whoami["means"], whoami["token"]["pipelines"]) == ("token", [str(shop)])
    (kept,) = await site.tokens("admin")
    assert kept.scope == Scope(Role.RUNNER, frozenset({shop}))
    assert kept.expires_at is not None
    assert timedelta(days=6) < kept.expires_at - site.clock.now() < timedelta(days=8)


async def test_a_token_may_live_for_ever(site: Site) -> None:
    made = await site("token", "create", "ci", "--role", "admin", "--expires", "never")

    assert "at most admin, and never expires" in made.err
    assert (await site.tokens("admin"))[0].expires_at is None


@pytest.mark.parametrize("time", ["", "0d", "90", "soon", "-1d", "1w", "NEVER"])
async def test_what_is_no_time_is_refused(site: Site, time: str) -> None:
    assert (await site("token", "create", "ci", "--expires", time)).code == ExitCode.WRONG_USAGE


async def test_tokens_are_listed_without_themselves_and_revoked_by_name_or_id(site: Site) -> None:
    assert "There are no tokens" in (await site("token", "list")).err
    first = (await site.document("token", "create", "one"))["token"]
    await site.done("token", "create", "two")

    listed = await site.done("token", "list")
    documents = await site.document("token", "list")
    await site.done("token", "revoke", "one")
    await site.done("token", "revoke", documents[1]["id"])
    gone = await site("token", "revoke", "one")

    assert [line.split()[0] for line in listed.splitlines()] == ["NAME", "one", "two"]
    assert first not in listed
    assert await site.tokens("admin") == []
    assert gone.code == ExitCode.NOT_FOUND


async def test_the_tokens_of_another_are_listed_and_revoked_by_admins(site: Site) -> None:
    await site.user("ada", Role.RUNNER)
    await site.plane.access.tokens.create(principal("ada", Role.RUNNER), BY, TokenRequest("nightly"))

    assert [each["name"] for each in await site.document("token", "list", "--user", "ada")] == ["nightly"]
    near = await site("token", "revoke", "nightli", "--user", "ada")
    assert "Did you mean 'nightly'?" in near.err
    await site.done("token", "revoke", "nightly", "--user", "ada")
    assert await site.tokens("ada") == []


async def test_signing_in_keeps_a_token_and_no_password(site: Site) -> None:
    await site.user("ada", Role.MAINTAINER)

    told = await site("login", "--username", "ada", "--password-stdin", stdin=f"{SECRET}\n")
    site.without_password()
    whoami = await site.document("whoami")

    assert told.out.startswith(f"Signed in to {site.url} as 'ada', maintainer, until ")
    assert (whoami["name"], whoami["means"]) == ("ada", "token")
    assert whoami["token"]["name"] == f"login@{socket.gethostname()}"
    kept = site.credentials.read_text()
    assert SECRET not in kept
    assert json.loads(kept)[site.url]["token"] not in told.out
    assert stat.S_IMODE(site.credentials.stat().st_mode) == 0o600


async def test_other_credentials_that_go_first_are_told(site: Site) -> None:
    told = await site("login", "--username", "admin", "--password-stdin", stdin=PASSWORD)

    assert "still show other credentials" in told.err


async def test_signing_in_for_programs_does_not_tell_the_token(site: Site) -> None:
    site.without_password()
    told = await site.document("login", "--username", "admin", "--password-stdin", stdin=PASSWORD)

    assert (told["url"], told["user"], told["role"]) == (site.url, "admin", "admin")
    assert "lst_" not in json.dumps(told)


async def test_signing_in_may_be_for_less_and_not_for_long(site: Site) -> None:
    await site.user("ada", Role.MAINTAINER)

    await signed_in(site, "ada", "--role", "viewer", "--expires", "1h")

    (token,) = await site.tokens("ada")
    assert token.scope == Scope(Role.VIEWER)
    assert token.expires_at is not None
    assert token.expires_at < site.clock.now() + timedelta(days=1)


async def test_whoever_signs_in_again_has_one_token(site: Site) -> None:
    await site.user("ada", Role.RUNNER)

    await signed_in(site)
    await signed_in(site)

    (token,) = await site.tokens("ada")
    assert token.name == f"login@{socket.gethostname()}-2"
    assert (await site.document("whoami"))["token"]["id"] == str(token.id)


async def test_a_wrong_password_signs_nobody_in(site: Site) -> None:
    refused = await site("login", "--username", "admin", "--password-stdin", stdin="wrong")

    assert refused.code == ExitCode.NO_ACCESS
    assert not site.credentials.exists()


async def test_whoever_has_no_role_is_told_so(site: Site) -> None:
    await site.user("ada")

    refused = await site("login", "--username", "ada", "--password-stdin", stdin=SECRET)

    assert (refused.code, "'ada' has no role yet" in refused.err) == (ExitCode.NO_ACCESS, True)


async def test_a_token_that_cannot_be_kept_is_revoked(site: Site) -> None:
    site.credentials.parent.write_text("a file where the folder should be")

    refused = await site("login", "--username", "admin", "--password-stdin", stdin=PASSWORD)

    assert refused.code == ExitCode.CONFIGURATION
    assert await site.tokens("admin") == []


async def test_signing_out_revokes_the_token_and_forgets_it(site: Site) -> None:
    await site.user("ada", Role.RUNNER)
    await signed_in(site)

    assert await site.done("logout") == f"Signed out of {site.url}.\n"

    assert await site.tokens("ada") == []
    assert json.loads(site.credentials.read_text()) == {}
    again = await site("logout")
    assert (again.code, "Nobody has signed in" in again.err) == (ExitCode.NOT_FOUND, True)


async def test_a_token_that_was_revoked_already_is_forgotten(site: Site) -> None:
    await site.user("ada", Role.RUNNER)
    await signed_in(site)
    await site.plane.access.users.delete(BY, "ada")

    assert (await site.document("logout"))["username"] == "ada"


async def test_a_token_is_forgotten_though_the_server_is_gone(site: Site) -> None:
    await site.user("ada", Role.RUNNER)
    await signed_in(site)
    entry = json.loads(site.credentials.read_text())[site.url]
    site.credentials.write_text(json.dumps({"http://127.0.0.1:1": entry}))
    gone = ("logout", "--base-url", "http://127.0.0.1:1")

    assert (await site(*gone)).code == ExitCode.UNAVAILABLE
    await site.done(*gone, "--local")

    assert json.loads(site.credentials.read_text()) == {}


async def test_who_one_is_is_told_to_people(site: Site) -> None:
    await site.user("ada", Role.VIEWER)
    shop = await site.pipeline()
    await site.done("user", "grant", "ada", "shop", "maintainer")
    await signed_in(site)

    told = (await site.done("whoami")).splitlines()

    assert told[0] == "ada"
    assert f"  server     {site.url}" in told
    assert "  signed in  token" in told
    assert "  role       viewer" in told
    assert any(line.startswith("  token      'login@") and "at most maintainer" in line for line in told)
    assert told[-2:] == ["  pipelines", "    maintainer shop"]
    assert shop


async def test_a_new_password_is_asked_for_twice_and_not_shown(site: Site) -> None:
    def ask() -> tuple[str, int]:
        environment = isolated(site.folder, site.url, PASSWORD)
        with TerminalSession("user", "create", "ada", environment=environment, alone=True) as terminal:
            # The space behind it is printed once nothing is shown any more that is typed.
            terminal.read_until("New password: ")
            terminal.type(SECRET)
            terminal.read_until("The same again: ")
            terminal.type(SECRET)
            terminal.read_to_end()
            return terminal.plain, terminal.process.wait()

    shown, code = await asyncio.to_thread(ask)

    assert (code, "'ada' may sign in" in shown) == (ExitCode.OK, True)
    assert SECRET not in shown
    assert await site.plane.access.credentials.check("ada", SECRET)


async def test_whoever_signs_in_is_asked_for_name_and_password(site: Site) -> None:
    await site.user("ada", Role.RUNNER)

    def ask() -> tuple[str, int]:
        environment = isolated(site.folder, site.url, "")
        with TerminalSession("login", environment=environment, alone=True) as terminal:
            terminal.read_until("User name [admin]: ")
            terminal.type("ada")
            terminal.read_until("Password: ")
            terminal.type(SECRET)
            terminal.read_to_end()
            return terminal.plain, terminal.process.wait()

    shown, code = await asyncio.to_thread(ask)

    assert (code, "as 'ada', runner, until" in shown) == (ExitCode.OK, True)
    assert SECRET not in shown
    assert len(await site.tokens("ada")) == 1


@pytest.mark.parametrize(("answer", "code"), [("n", ExitCode.INTERRUPTED), ("y", ExitCode.OK)])
async def test_whoever_deletes_a_user_is_asked(site: Site, answer: str, code: ExitCode) -> None:
    await site.user("ada")

    def ask() -> int:
        environment = isolated(site.folder, site.url, PASSWORD)
        with TerminalSession("user", "delete", "ada", environment=environment, alone=True) as terminal:
            terminal.read_until("Delete 'ada', with their roles, tokens and sessions? [y/N]: ")
            terminal.type(answer)
            terminal.read_to_end()
            return terminal.process.wait()

    assert await asyncio.to_thread(ask) == code
    names = [user.name for user in await site.plane.access.users.page(after=None, limit=10)]
    assert ("ada" in names) == (code is ExitCode.INTERRUPTED)


async def test_names_are_completed(site: Site) -> None:
    await site.user("ada", Role.RUNNER)
    await site.pipeline()
    await site.plane.access.tokens.create(principal("ada", Role.RUNNER), BY, TokenRequest("nightly"))
    context = click.Context(click.Command("x"))
    context.meta[PATIENCE] = 3_600.0
    parameter = click.Argument(["name"])

    async def complete(complete: Any, incomplete: str) -> list[str]:
        return list(await asyncio.to_thread(complete, context, parameter, incomplete))

    assert await complete(complete_user, "ad") == ["ada", "admin"]
    assert await complete(complete_pipeline, "s") == ["shop"]
    assert await complete(complete_token, "") == []
    context.params["user"] = "ada"
    assert await complete(complete_token, "n") == ["nightly"]
    context.params["user"] = "nobody"
    assert await complete(complete_token, "n") == []


async def test_the_audit_log_names_the_pipeline_of_a_grant_and_says_nothing_as_a_dash(site: Site) -> None:
    await site.done("create-pipeline", "--data", '{"name": "shop", "stages": []}')
    await site.done("user", "create", "ada", "--password-stdin", stdin=f"{SECRET}\n")
    await site.done("user", "grant", "ada", "shop", "runner")
    await site.done("user", "set-role", "ada", "none")

    granted = await site.done("audit", "--action", "grant.set")
    changed = await site.done("audit", "--action", "user.changed")

    assert "pipeline=shop role=runner" in granted
    assert "changed=role role=- disabled=false" in changed
