"""`connection` on the command line, against a server in the test's own process."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine, Result, isolated
from http_server import http_server
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress
from lineshaft.ports.cipher import FakeCipher
from planes import PASSWORD, temporary_plane

URL = "https://git.example/team"


class Site:
    """The command line, and the server that it talks to."""

    def __init__(self, lineshaft: CommandLine) -> None:
        self._lineshaft = lineshaft

    async def __call__(self, *arguments: str) -> Result:
        return await asyncio.to_thread(self._lineshaft, "connection", *arguments)

    async def document(self, *arguments: str) -> Any:
        result = await self(*arguments, "--output", "json")
        assert result.code == ExitCode.OK, result.err
        return json.loads(result.out)


@pytest.fixture
async def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> AsyncIterator[Site]:
    async with temporary_plane(tmp_path / "blobs", cipher=FakeCipher()) as plane, http_server(plane) as url:
        for name, value in isolated(tmp_path, url, PASSWORD).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "200")
        own, shared = SecretAddress("TOKEN", for_server=True), SecretAddress("SHARED")
        for address in (own, shared):
            await plane.secrets.keeping.set(address, "correct-horse-battery", INSIDE_ACTOR)
        yield Site(CommandLine(capsysbinary))


async def test_a_connection_is_set_listed_shown_and_removed(site: Site) -> None:
    made = await site("set", "code", "--kind", "git", "--url", URL, "--token-secret", "TOKEN")
    assert (made.code, made.out) == (ExitCode.OK, f"code is set: git at {URL}.\n")

    listed = (await site("list")).out.splitlines()
    assert [line.split() for line in listed[1:]] == [["code", "git", URL, "-", "TOKEN"]]
    shown = (await site("show", "code")).out
    assert "token           TOKEN\n" in shown
    assert "forks           not trusted\n" in shown

    assert (await site("remove", "code")).out == "code is removed.\n"
    assert (await site("show", "code")).code == ExitCode.NOT_FOUND
    assert "There are no connections" in (await site("list")).err


async def test_json_is_what_the_api_shows(site: Site) -> None:
    arguments = ("--kind", "gitlab", "--url", URL, "--token-secret", "TOKEN", "--git-user", "robot")

    made = await site.document("set", "lab", *arguments, "--no-statuses", "--trust-forks", "--api-url", URL)

    assert (made["api_url"], made["username"]) == (URL, "robot")
    assert (made["statuses"], made["trusts_forks"]) == (False, True)
    assert await site.document("show", "lab") == made
    assert await site.document("list") == [made]
    assert await site.document("remove", "lab") == {"name": "lab"}


async def test_what_no_connection_can_be_is_told_with_its_reason(site: Site) -> None:
    refused = await site("set", "code", "--kind", "git", "--url", URL, "--token-secret", "NONE")

    assert refused.code == ExitCode.INVALID_INPUT
    assert "lineshaft secret set NONE --for-server" in refused.err


async def test_a_secret_that_any_task_may_name_is_warned_of(site: Site) -> None:
    made = await site("set", "code", "--kind", "git", "--url", URL, "--token-secret", "SHARED")
    shown = await site("show", "code")

    assert (made.code, made.out) == (ExitCode.OK, f"code is set: git at {URL}.\n")
    for told in (made.err, shown.err):
        assert "Its token SHARED is a secret that any task may name and is given" in told
