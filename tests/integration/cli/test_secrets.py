"""`secret` on the command line, against a server in the test's own process."""

import asyncio
import base64
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine, Result, isolated
from desk import DeskWorker
from http_server import http_server
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress, Wanted
from lineshaft.ports.cipher import FakeCipher
from lineshaft.sdk.client import Client
from lineshaft.sdk.config import ClientConfig
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.secrets.lookup import DatabaseSecrets
from planes import PASSWORD, temporary_plane

VALUE = "correct-horse-battery"


class Site:
    """A server, and the command line that talks to it."""

    def __init__(self, plane: ControlPlane, lineshaft: CommandLine, stdin: pytest.MonkeyPatch) -> None:
        self.plane = plane
        self._lineshaft = lineshaft
        self._patch = stdin

    async def __call__(self, *arguments: str, stdin: bytes = b"") -> Result:
        """Run a command line, while the server goes on."""
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        return await asyncio.to_thread(self._lineshaft, *arguments)

    async def document(self, *arguments: str, stdin: bytes = b"") -> Any:
        """Run a command line that prints JSON."""
        result = await self(*arguments, "--output", "json", stdin=stdin)
        assert result.code == ExitCode.OK, result.err
        return json.loads(result.out)

    async def value(self, name: str) -> str | None:
        """Tell the value of a secret for all pipelines."""
        pipeline = await DeskWorker(self.plane).pipeline("name: any\nsteps: []")
        wanted = Wanted(name, pipeline.id, "any")
        found = await DatabaseSecrets(self.plane.store, FakeCipher()).fetch([wanted])
        return found[wanted].value if wanted in found else None


@pytest.fixture
async def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> AsyncIterator[Site]:
    async with temporary_plane(tmp_path / "blobs", cipher=FakeCipher()) as plane, http_server(plane) as url:
        for name, value in isolated(tmp_path, url, PASSWORD).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "200")
        yield Site(plane, CommandLine(capsysbinary), monkeypatch)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (VALUE.encode(), VALUE),
        (f"{VALUE}\n".encode(), VALUE),
        (f"{VALUE}\r\n".encode(), VALUE),
        (f" {VALUE} \n".encode(), f" {VALUE} "),
        (f"{VALUE}\n{VALUE}\n".encode(), f"{VALUE}\n{VALUE}\n"),
    ],
)
async def test_a_value_comes_from_standard_input(site: Site, given: bytes, kept: str) -> None:
    result = await site("secret", "set", "TOKEN", stdin=given)

    assert (result.code, result.out) == (ExitCode.OK, "TOKEN is set, for all pipelines.\n")
    assert await site.value("TOKEN") == kept


async def test_a_value_comes_from_a_file(site: Site, tmp_path: Path) -> None:
    (tmp_path / "value").write_text(f"{VALUE}\n")

    made = await site.document("secret", "set", "TOKEN", "--from-file", str(tmp_path / "value"))

    assert (made["name"], made["version"], made["updated_by"]) == ("TOKEN", 1, "admin")
    assert await site.value("TOKEN") == VALUE


async def test_a_value_is_no_argument(site: Site) -> None:
    result = await site("secret", "set", "TOKEN", VALUE)
    assert result.code == ExitCode.WRONG_USAGE


async def test_what_cannot_be_masked_is_refused_with_the_reason(site: Site) -> None:
    result = await site("secret", "set", "TOKEN", stdin=b"hunt3r7")

    assert result.code == ExitCode.INVALID_INPUT
    assert "fewer than 8 characters" in result.err
    assert "hunt3r7" not in result.err


@pytest.mark.parametrize("given", [b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", b"x" * 70_000])
async def test_bytes_and_what_is_too_long_are_refused(site: Site, given: bytes) -> None:
    assert (await site("secret", "set", "TOKEN", stdin=given)).code == ExitCode.INVALID_INPUT


async def test_a_file_that_is_not_there_is_told(site: Site) -> None:
    assert (await site("secret", "set", "TOKEN", "--from-file", "/nowhere")).code == ExitCode.NOT_FOUND


async def test_secrets_are_listed_with_whom_they_are_for(site: Site) -> None:
    pipeline = await DeskWorker(site.plane).pipeline("name: shop\nsteps: []")
    await site("secret", "set", "B", stdin=VALUE.encode())
    await site("secret", "set", "A", "--environment", "prod", stdin=VALUE.encode())
    await site("secret", "set", "C", "--pipeline", "shop", stdin=VALUE.encode())

    listed = await site("secret", "list")
    own = await site.document("secret", "list", "--pipeline", "shop")

    heading, first, second = listed.out.splitlines()
    assert heading.split() == ["NAME", "ENVIRONMENT", "VERSION", "SET", "BY"]
    assert (first.split()[:3], second.split()[:3]) == (["A", "prod", "1"], ["B", "any", "1"])
    assert [(each["name"], each["pipeline_id"]) for each in own] == [("C", str(pipeline.id))]


async def test_a_long_list_is_gone_through_by_pages(site: Site) -> None:
    for number in range(5):
        for environment in (None, "prod"):
            await site.plane.secrets.keeping.set(
                SecretAddress(f"S{number}", None, environment), VALUE, INSIDE_ACTOR
            )

    def read() -> list[tuple[str, str | None]]:
        with Client(ClientConfig.load(url=os.environ["LINESHAFT_URL"], password=PASSWORD)) as client:
            return [(each.name, each.environment) for each in client.secrets(page_size=3)]

    found = await asyncio.to_thread(read)

    assert found == [(f"S{number}", environment) for number in range(5) for environment in (None, "prod")]


async def test_an_empty_list_says_how_to_make_one(site: Site) -> None:
    listed = await site("secret", "list")
    assert (listed.code, listed.out) == (ExitCode.OK, "")
    assert "lineshaft secret set NAME" in listed.err


async def test_a_secret_is_deleted_at_its_exact_place(site: Site) -> None:
    await site("secret", "set", "TOKEN", "--environment", "prod", stdin=VALUE.encode())

    missed = await site("secret", "delete", "TOKEN")
    deleted = await site("secret", "delete", "TOKEN", "--environment", "prod")

    assert (missed.code, deleted.code) == (ExitCode.NOT_FOUND, ExitCode.OK)
    assert deleted.out == "TOKEN for all pipelines in the environment prod is deleted.\n"
    assert await site.document("secret", "list") == []


async def test_sealing_anew_tells_how_many_and_which_cannot_be_opened(site: Site) -> None:
    await site("secret", "set", "TOKEN", "--environment", "prod", stdin=VALUE.encode())
    before = await site("secret", "reseal")
    (secret,) = await site.plane.secrets.keeping.page(None, after=None, limit=1)
    lost = replace(secret.value, key_id="lost")
    await site.plane.store.write(lambda transaction: transaction.secrets.reseal(secret, lost))

    after = await site("secret", "reseal")

    assert (before.code, before.out) == (ExitCode.OK, "0 sealed anew with the key fake.\n")
    assert after.code == ExitCode.UNAVAILABLE
    assert "TOKEN for all pipelines in the environment prod cannot be opened" in after.err


async def test_a_new_key_is_printed_alone(site: Site) -> None:
    result = await site("secret", "new-key")
    assert len(base64.b64decode(result.out.strip(), validate=True)) == 32


async def test_who_types_a_value_is_not_shown_it(site: Site) -> None:
    arguments = [sys.executable, "-m", "lineshaft", "secret", "set", "TOKEN"]
    screen = await asyncio.to_thread(_typed, arguments, f"{VALUE}\n".encode())

    assert b"Value of TOKEN: " in screen
    assert VALUE.encode() not in screen
    assert await site.value("TOKEN") == VALUE


def _typed(arguments: list[str], text: bytes) -> bytes:
    """Run a program at a terminal, type when it asks, and return what the screen shows."""
    controller, terminal = pty.openpty()
    # Without a session of its own it would ask at the terminal that the tests were started from.
    process = subprocess.Popen(
        arguments, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    screen = b""
    try:
        while b"Value of TOKEN: " not in screen:
            screen += os.read(controller, 4096)
        os.write(controller, text)
        while piece := _piece(controller):
            screen += piece
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    return screen


def _piece(controller: int) -> bytes:
    try:
        return os.read(controller, 4096)
    except OSError:
        return b""  # The program has ended, and the terminal has no other end any more.


async def test_a_secret_for_the_server_alone_is_set_listed_and_deleted(site: Site) -> None:
    set_ = await site("secret", "set", "TOKEN", "--for-server", stdin=VALUE.encode())
    listed = await site("secret", "list", "--for-server")
    shared = await site.document("secret", "list")
    deleted = await site("secret", "delete", "TOKEN", "--for-server")

    assert (set_.code, set_.out) == (ExitCode.OK, "TOKEN is set, for the server alone.\n")
    assert listed.out.splitlines()[1].split()[:3] == ["TOKEN", "-", "1"]
    assert shared == []
    assert deleted.out == "TOKEN for the server alone is deleted.\n"
    assert await site.document("secret", "list", "--for-server") == []


@pytest.mark.parametrize("beside", [("--pipeline", "shop"), ("--environment", "prod")])
@pytest.mark.parametrize("command", ["set", "delete"])
async def test_a_secret_for_the_server_alone_is_for_nothing_else(
    site: Site, command: str, beside: tuple[str, str]
) -> None:
    refused = await site("secret", command, "TOKEN", "--for-server", *beside, stdin=VALUE.encode())

    assert refused.code == ExitCode.WRONG_USAGE
    assert "no pipeline and no environment" in refused.err
