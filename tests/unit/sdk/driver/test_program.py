"""A program that serves drivers, from its settings to its end."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from lineshaft.model.errors import BadWorkerKeyError, ConfigurationError, InvalidInputError
from lineshaft.model.state import State
from lineshaft.sdk.driver import Result, Task, driver, serve, serve_async
from lineshaft.sdk.driver.conformance.listener import listening
from lineshaft.sdk.driver.conformance.played_server import PlayedServer
from lineshaft.sdk.driver.naming import host_name, name_of_program, session_name
from lineshaft.sdk.exit_code import ExitCode
from lineshaft.wire.work import DriverWorkMessage
from worker_tasks import lease_of

DRIVERS = ("one",)
SECONDS = 200


@driver(name="one", resources=["app"], concurrency=2)
async def one(task: Task) -> Result:
    """Does one thing."""
    task.log("here")
    return Result.success("done")


@driver(name="two")
def two(task: Task) -> None:
    del task


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("URL", "WORKER_KEY", "KEY_FILE", "CONFIG", "TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"LINESHAFT_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@asynccontextmanager
async def served(**given: Any) -> AsyncIterator[tuple[PlayedServer, asyncio.Task[None], asyncio.Event]]:
    """Serve drivers by a played server; they drain at the end."""
    server, drain = PlayedServer(SECONDS), asyncio.Event()
    async with listening(server.handle) as url:
        serving = asyncio.create_task(
            serve_async(**{"drivers": one, "server": url, "key": server.key, "drain": drain, **given})
        )
        try:
            yield server, serving, drain
            drain.set()
            await serving
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def do_one_task() -> None:
    async with served(name="here") as (server, _, _drain):
        attempt = server.give(lease_of(DriverWorkMessage(driver="one"), repository=None))
        assert await server.until(lambda: attempt.outcome is not None, SECONDS)
    assert attempt.outcome is not None
    assert attempt.outcome.state is State.SUCCEEDED
    assert attempt.log == b"here\n"
    (hello,) = server.hellos
    assert (hello.name, set(hello.kinds), hello.slots) == ("one@here", {"one"}, 2)
    (told,) = hello.drivers
    assert (told.name, told.resources, told.description) == ("one", ("app",), "Does one thing.")
    assert server.violations == []


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_driver_is_served_on_either_loop(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    run(do_one_task())


async def test_several_drivers_of_one_program_have_sessions_of_their_own() -> None:
    server = PlayedServer(SECONDS)
    async with listening(server.handle) as url:
        serving = asyncio.create_task(serve_async([one, two], url, server.key, concurrency=5, name="here"))
        assert await server.until(lambda: len({each.name for each in server.hellos}) == 2, SECONDS)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert {(each.name, each.slots) for each in server.hellos} >= {("one@here", 5), ("two@here", 5)}


async def test_a_wrong_key_ends_it() -> None:
    async with listening(PlayedServer(SECONDS).handle) as url:
        with pytest.raises(BadWorkerKeyError):
            await serve_async(one, url, "lsw_wrong", name="here")


async def test_without_a_key_it_is_told_how_to_get_one() -> None:
    with pytest.raises(ConfigurationError) as refused:
        await serve_async(one, "https://ci.example.org")
    assert refused.value.message == "This program has no key for https://ci.example.org."
    assert "`lineshaft worker-key create one --driver one`" in refused.value.advice


async def test_the_key_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server, drain = PlayedServer(SECONDS), asyncio.Event()
    (tmp_path / "key").write_text(f"# of one\n{server.key}\n")
    (tmp_path / "key").chmod(0o600)
    monkeypatch.setenv("LINESHAFT_KEY_FILE", str(tmp_path / "key"))
    async with listening(server.handle) as url:
        serving = asyncio.create_task(serve_async(one, url, drain=drain, name="here"))
        assert await server.until(lambda: server.session is not None, SECONDS)
        drain.set()
        await serving


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"drivers": []}, "There is no driver to serve"),
        ({"drivers": [one, one]}, "Two drivers are named 'one'"),
        ({"drivers": print}, "is no driver"),
        ({"name": "a b"}, "A program of a driver cannot be named 'a b'"),
        ({"name": "x" * 300}, "cannot be named"),
        ({"concurrency": 0}, "`concurrency` is a whole number"),
        ({"labels": ["two words"]}, "must be one word"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_begins(given: Any, why: str) -> None:
    said = {"drivers": one, "server": "http://127.0.0.1:1", "key": "lsw_x", **given}
    with pytest.raises(InvalidInputError, match=why):
        await serve_async(**said)


def test_a_program_that_cannot_begin_says_why_and_ends_with_the_code_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = logging.getLogger().handlers[:]
    with pytest.raises(SystemExit) as ended:
        serve(one, "https://ci.example.org")
    assert logging.getLogger().handlers == before
    assert ended.value.code == ExitCode.CONFIGURATION
    assert capsys.readouterr().err.startswith("error: This program has no key for https://ci.example.org.\n")


def test_the_second_program_of_a_host_has_another_name_and_a_new_one_takes_what_is_free() -> None:
    server = f"http://{socket.gethostname()}-{id(object())}"
    with name_of_program(server, DRIVERS) as first:
        with name_of_program(server, DRIVERS) as second:
            assert (first, second) == (host_name(), f"{host_name()}:2")
        with name_of_program(server, ("other",)) as other, name_of_program(server, DRIVERS) as again:
            assert (other, again) == (host_name(), f"{host_name()}:2")


def test_a_session_is_named_after_its_driver_and_its_program() -> None:
    assert session_name("compile", "build-1:2") == "compile@build-1:2"
