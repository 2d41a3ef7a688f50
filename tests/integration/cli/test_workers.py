"""`worker` and `worker-key` on the command line, against a server in the test's own process."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from command_line import CommandLine, Result, isolated
from desk import DeskWorker
from http_server import http_server
from lineshaft.cli.completion import PATIENCE, complete_worker, complete_worker_key
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.errors import BadWorkerKeyError
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import ManualClock
from lineshaft.sdk.client import Client
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.worker import WorkerView
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.worker import Hello
from planes import LEASE_TIME, PASSWORD, USERNAME, temporary_plane

GIB = 1024**3
TASK = "name: shop\nsteps: [{name: a, run: x, resources: {cpus: 1.5, memory: 1GiB}}]\n"


class Site:
    """A server, the command line that talks to it, and workers that do what a test tells them."""

    def __init__(self, plane: ControlPlane, clock: ManualClock, url: str, lineshaft: CommandLine) -> None:
        self.plane = plane
        self.clock = clock
        self.config = ClientConfig(url, USERNAME, PASSWORD)
        self._lineshaft = lineshaft

    async def __call__(self, *arguments: str) -> Result:
        """Run a command line, while the server goes on."""
        return await asyncio.to_thread(self._lineshaft, *arguments)

    async def document(self, *arguments: str) -> Any:
        """Run a command line that prints JSON."""
        result = await self(*arguments, "--output", "json")
        assert result.code == ExitCode.OK, result.err
        return json.loads(result.out)

    async def worker(self, name: str = "build-1", **offer: Any) -> DeskWorker:
        """Have a worker register."""
        kinds = frozenset({WorkKind.RUN, WorkKind.BUILD})
        worker = DeskWorker(self.plane, hello=Hello(name=name, kinds=kinds, slots=2, **offer))
        await worker.claim()
        return worker


@pytest.fixture
async def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> AsyncIterator[Site]:
    clock = ManualClock()
    async with temporary_plane(tmp_path / "blobs", clock) as plane, http_server(plane) as url:
        for name, value in isolated(tmp_path, url, PASSWORD).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "200")
        yield Site(plane, clock, url, CommandLine(capsysbinary))


async def test_workers_are_listed_by_name(site: Site) -> None:
    await site.worker("b")
    await site.worker("a", labels=frozenset({"linux", "gpu"}), cpus=4, memory_bytes=8 * GIB)

    listed = await site("worker", "list")

    heading, first, second = listed.out.splitlines()
    assert heading.split()[:4] == ["NAME", "STATE", "SEEN", "LABELS"]
    assert first.split()[:2] == ["a", "idle"]
    assert " ".join(first.split()).endswith(" ago gpu,linux 2 of 2 4 of 4 8 GiB of 8 GiB - build,run")
    assert second.split()[:2] == ["b", "idle"]
    assert " ".join(second.split()).endswith(" ago - 2 of 2 - - - build,run")


async def test_a_list_of_no_workers_says_how_to_start_one(site: Site) -> None:
    listed = await site("worker", "list")

    assert (listed.code, listed.out) == (ExitCode.OK, "")
    assert "`lineshaft worker --help` shows how to start one" in listed.err


async def test_a_list_for_programs_is_what_the_api_says(site: Site) -> None:
    await site.worker("a/b")

    (listed,) = await site.document("worker", "list")

    assert listed == await site.document("worker", "show", "a/b")
    assert (listed["name"], listed["slots"]) == ("a/b", {"total": 2, "free": 2})


async def test_a_worker_is_shown_with_what_it_runs(site: Site) -> None:
    worker = await site.worker(cpus=2, memory_bytes=4 * GIB, version="1.2.3")
    await worker.start(TASK)
    await worker.claim()

    shown = (await site("worker", "show", "build-1")).out

    assert shown.startswith("build-1\n")
    for line in (
        "  state        busy",
        "  kinds        build, run",
        "  labels       none",
        "  free slots   1 of 2",
        "  free cpus    0.5 of 2",
        "  free memory  3 GiB of 4 GiB",
        "  load         -",
        "  version      1.2.3",
        "  registered   2026-01-01T00:00:00Z",
        "  runs         1 task",
        "    shop/1 a (1.5 cpus, 1 GiB)",
    ):
        assert line in shown.splitlines()


@pytest.mark.parametrize("command", ["show", "drain", "forget"])
async def test_a_worker_that_is_not_there_is_told_with_what_to_do(site: Site, command: str) -> None:
    refused = await site("worker", command, "nobody")

    assert refused.code == ExitCode.NOT_FOUND
    assert refused.err == (
        "error: No worker has the name 'nobody'.\n`lineshaft worker list` shows those there are.\n"
    )


async def test_a_worker_that_is_drained_takes_no_more(site: Site) -> None:
    worker = await site.worker()

    drained = await site("worker", "drain", "build-1", "--wait")

    assert (drained.code, drained.out) == (ExitCode.OK, "'build-1' is draining, and runs no tasks.\n")
    await worker.start(TASK)
    assert await worker.claim() == {}


async def test_draining_for_programs_prints_the_worker(site: Site) -> None:
    await site.worker()

    assert (await site.document("worker", "drain", "build-1"))["state"] == "draining"


class Meanwhile:
    """Does something in the loop of the test at the first look at a worker that drains."""

    def __init__(self, do: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._do = do
        self._loop = asyncio.get_running_loop()
        self.seen: list[tuple[str, ...]] = []

    def __call__(self, worker: WorkerView) -> None:
        """Hear of a look, in the client's thread."""
        self.seen.append(tuple(task.node for task in worker.running))
        if len(self.seen) == 1:
            asyncio.run_coroutine_threadsafe(self._do(), self._loop).result()


async def drained(site: Site, do: Callable[[], Coroutine[Any, Any, object]]) -> WorkerView | None:
    """Drain the worker `build-1`, which runs a task, and wait for that; do something meanwhile."""
    meanwhile = Meanwhile(do)

    def drain() -> WorkerView | None:
        with Client(site.config) as client:
            worker = client.drain_worker("build-1")
            return client.wait_until_drained(worker, every=timedelta(0), on_look=meanwhile)

    worker = await asyncio.to_thread(drain)
    assert set(meanwhile.seen) == {("a",)}
    return worker


async def test_a_drain_is_waited_for_until_nothing_runs(site: Site) -> None:
    worker = await site.worker()
    await worker.start(TASK)
    (lease,) = (await worker.claim()).values()

    last = await drained(site, lambda: worker.report(lease))

    assert last is not None
    assert (last.state, last.running) == ("draining", ())


async def test_a_drain_is_over_when_the_worker_was_started_anew(site: Site) -> None:
    worker = await site.worker()
    await worker.start(TASK)
    await worker.claim()
    site.clock.advance(timedelta(seconds=1))

    last = await drained(site, site.worker)

    assert last is not None
    assert last.takes_more


async def test_a_drain_is_over_when_the_worker_is_gone(site: Site) -> None:
    worker = await site.worker()
    await worker.start(TASK)
    await worker.claim()

    async def go() -> None:
        site.clock.advance(LEASE_TIME)
        await site.plane.fleet.workers.forget("build-1")

    assert await drained(site, go) is None


async def test_a_drain_that_is_not_waited_for_tells_what_still_runs(site: Site) -> None:
    worker = await site.worker()
    await worker.start(TASK)
    (lease,) = (await worker.claim()).values()

    told = await site("worker", "drain", "build-1")

    assert told.out == "'build-1' is draining, and runs 1 task.\n"
    await worker.report(lease)


async def test_only_a_worker_that_is_offline_is_forgotten(site: Site) -> None:
    await site.worker()

    refused = await site("worker", "forget", "build-1")
    site.clock.advance(LEASE_TIME)
    forgotten = await site("worker", "forget", "build-1")

    assert refused.code == ExitCode.CONFLICT
    assert "Drain it" in refused.err
    assert (forgotten.code, forgotten.out) == (ExitCode.OK, "'build-1' is forgotten.\n")
    assert await site.document("worker", "list") == []


async def test_a_key_is_printed_alone_so_that_a_file_can_take_it(site: Site) -> None:
    made = await site("worker-key", "create", "build-1", "--worker", "gpu-1", "--expires", "90d")

    key = made.out.removesuffix("\n")
    assert key.isprintable()
    assert (await site.plane.fleet.worker_keys.caller(key.encode())).worker == "gpu-1"
    assert "The key is not told again. It expires at " in made.err


async def test_a_key_for_programs_is_what_the_api_says(site: Site) -> None:
    made = await site.document("worker-key", "create", "build-1")

    assert (made["name"], made["worker"], made["expires_at"]) == ("build-1", None, None)
    assert (await site.plane.fleet.worker_keys.caller(made["key"].encode())).worker is None


async def test_a_second_key_of_a_name_is_refused(site: Site) -> None:
    await site("worker-key", "create", "build-1")

    refused = await site("worker-key", "create", "build-1")

    assert refused.code == ExitCode.CONFLICT
    assert "Choose another name, or revoke that one first." in refused.err


@pytest.mark.parametrize("time", ["90", "0d", "-1d", "1y", "d", "100000d", ""])
async def test_a_lifetime_that_is_none_is_refused(site: Site, time: str) -> None:
    refused = await site("worker-key", "create", "build-1", f"--expires={time}")

    assert refused.code == ExitCode.WRONG_USAGE
    assert "is no time such as 90d, 12h or 30m" in refused.err


async def test_keys_are_listed_without_the_keys_themselves(site: Site) -> None:
    made = await site("worker-key", "create", "build-1")

    listed = await site("worker-key", "list")
    (document,) = await site.document("worker-key", "list")

    assert listed.out.splitlines()[1].split()[:6] == [
        "build-1",
        "any",
        "any",
        "2026-01-01T00:00:00Z",
        "never",
        "never",
    ]
    assert made.out.strip() not in listed.out
    assert "key" not in document


async def test_a_list_of_no_keys_says_how_to_make_one(site: Site) -> None:
    assert "`lineshaft worker-key create NAME` makes one" in (await site("worker-key", "list")).err


@pytest.mark.parametrize("by", ["name", "id"])
async def test_a_key_that_is_revoked_is_worth_nothing(site: Site, by: str) -> None:
    made = await site.document("worker-key", "create", "build-1")

    revoked = await site("worker-key", "revoke", made[by])

    assert (revoked.code, revoked.out) == (ExitCode.OK, "'build-1' is revoked.\n")
    with pytest.raises(BadWorkerKeyError):
        await site.plane.fleet.worker_keys.caller(made["key"].encode())


async def test_a_key_that_is_not_there_is_told_with_the_nearest_name(site: Site) -> None:
    await site("worker-key", "create", "build-1")

    near = await site("worker-key", "revoke", "biuld-1")
    far = await site("worker-key", "revoke", "x")

    assert (near.code, far.code) == (ExitCode.NOT_FOUND, ExitCode.NOT_FOUND)
    assert near.err.endswith("Did you mean 'build-1'?\n")
    assert far.err.endswith("List them all: `lineshaft worker-key list`.\n")


async def test_names_are_completed(site: Site) -> None:
    await site.worker("build-1")
    await site.worker("gpu-1")
    await site("worker-key", "create", "build-key")
    context = click.Context(click.Command("show"))
    context.meta[PATIENCE] = 3_600.0
    name = click.Argument(["name"])

    assert await asyncio.to_thread(complete_worker, context, name, "b") == ["build-1"]
    assert await asyncio.to_thread(complete_worker_key, context, name, "") == ["build-key"]


def test_without_a_server_no_name_is_completed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in isolated(tmp_path, "http://127.0.0.1:1", PASSWORD).items():
        monkeypatch.setenv(name, value)

    assert complete_worker(click.Context(click.Command("show")), click.Argument(["name"]), "") == []


async def test_a_key_for_drivers_is_good_for_these_alone(site: Site) -> None:
    made = await site.document("worker-key", "create", "k", "--driver", "test", "--driver", "compile")

    assert made["kinds"] == ["compile", "test"]
    caller = await site.plane.fleet.worker_keys.caller(made["key"].encode())
    assert caller.kinds == frozenset({"compile", "test"})
    assert "compile, test" in (await site("worker-key", "list")).out
