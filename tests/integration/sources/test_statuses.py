"""Forges are told how runs are going: all of it, in order, at their pace, and in spite of deaths."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from command_line import CommandLine, isolated
from desk import SUCCEEDED, DeskWorker
from fake_forges import TOKEN, FakeForge, fake_forge
from http_server import http_server
from lineshaft.integrations.forges.known import KnownForges
from lineshaft.integrations.outgoing.client import outgoing_client
from lineshaft.integrations.outgoing.guard import Guard
from lineshaft.model.commit_status import CommitStatus, WantedStatus
from lineshaft.model.connection import Connection, ForgeKind
from lineshaft.model.outcome import Outcome
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import SecretAddress
from lineshaft.model.state import State
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.forge import NoForges
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.sources.connections import ConnectionTerms
from lineshaft.services.statuses.telling import MOST_AT_ONCE, MOST_TRIES, TAKEN_FOR
from planes import PASSWORD, USERNAME, temporary_plane
from server_process import TESTS, server_process
from told_runs import COMMIT, start_told

PUBLIC_URL = "https://ci.example"
ONE = "name: shop\nsteps: [{name: a, run: x}]"
TWO = "name: shop\nsteps: [{name: a, run: x}, {name: b, run: x}]"
FAILED = Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "The command ended with exit code 1."), 1)
RUN, NODE = "lineshaft/shop", "lineshaft/shop/a"


@dataclass
class Site:
    """A control plane whose one connection is a fake forge; nothing is told by itself."""

    plane: ControlPlane
    clock: ManualClock
    forge: FakeForge
    worker: DeskWorker

    async def connect(self, name: str = "hub", **terms: Any) -> None:
        said = {"api_url": self.forge.api_url, "token": "TOKEN", **terms}
        made = ConnectionTerms(self.forge.kind, self.forge.url, **said)
        await self.plane.sources.connections.put(name, made, INSIDE_ACTOR)

    async def start(self, text: str = ONE, connection: str | None = "hub") -> Run:
        return await start_told(self.plane.store, self.clock.now(), text, connection, url=self.forge.url)

    async def tell(self) -> None:
        """Tell all that is due now."""
        await self.plane.statuses.begin_due()
        while self.plane.statuses.is_busy:
            await self.plane.statuses.settle()
            await self.plane.statuses.begin_due()

    async def end(self, outcome: Outcome = SUCCEEDED) -> None:
        """Have a task done, and tell of its beginning and of its end."""
        (lease,) = (await self.worker.claim()).values()
        await self.tell()
        self.clock.advance(timedelta(seconds=42))
        await self.worker.report(lease, outcome)
        await self.tell()

    async def kept(self, run: Run) -> dict[str, WantedStatus]:
        return {each.status.context: each for each in await self.plane.statuses.of_run(run.id)}

    def states(self, context: str) -> list[str]:
        """List the states of a context that the forge was told, in its own words."""
        return [str(call.document["state"]) for call in self.forge.calls if context in _words(call.document)]


def _words(document: Any) -> list[str]:
    return [document.get(key) for key in ("context", "name", "key")]


@asynccontextmanager
async def open_site(folder: Path, forge: FakeForge) -> AsyncIterator[Site]:
    clock = ManualClock()
    async with AsyncExitStack() as opened:
        client = await opened.enter_async_context(outgoing_client(Guard(allow_private=True)))
        plane = await opened.enter_async_context(
            temporary_plane(
                folder,
                clock,
                cipher=FakeCipher(),
                forges=KnownForges(client, clock),
                public_url=f"{PUBLIC_URL}/",
            )
        )
        await plane.secrets.keeping.set(SecretAddress("TOKEN"), TOKEN, INSIDE_ACTOR)
        site = Site(plane, clock, forge, DeskWorker(plane))
        await site.connect()
        yield site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    with fake_forge(ForgeKind.GITHUB) as forge:
        async with open_site(tmp_path, forge) as site:
            yield site


WORDS = {
    ForgeKind.GITHUB: ("pending", "pending", "success", "failure"),
    ForgeKind.GITLAB: ("pending", "running", "success", "failed"),
    ForgeKind.BITBUCKET: ("INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED"),
    ForgeKind.GITEA: ("pending", "pending", "success", "failure"),
}


@pytest.mark.parametrize("kind", WORDS)
async def test_each_forge_sees_a_run_begin_go_on_and_end(tmp_path: Path, kind: ForgeKind) -> None:
    pending, running, succeeded, failed = WORDS[kind]
    with fake_forge(kind) as forge:
        async with open_site(tmp_path, forge) as site:
            await site.start(TWO)
            await site.tell()
            await site.end()
            await site.end(FAILED)

            assert site.states("lineshaft/shop/a") == [pending, running, succeeded]
            assert site.states("lineshaft/shop/b") == [pending, running, failed]
            assert site.states("lineshaft/shop") == [pending, running, failed]
            assert {key[:2] for key in forge.statuses} == {("acme/shop", COMMIT)}


async def test_a_status_says_how_long_it_took_or_why_and_links_to_the_run(site: Site) -> None:
    run = await site.start(TWO)
    await site.end()
    await site.end(FAILED)

    first = site.forge.statuses["acme/shop", COMMIT, "lineshaft/shop/a"]
    second = site.forge.statuses["acme/shop", COMMIT, "lineshaft/shop/b"]
    assert first["description"] == "Succeeded in 42 s"
    assert second["description"] == "The command ended with exit code 1."
    assert first["target_url"] == f"{PUBLIC_URL}/v1/runs/{run.id}"


async def test_a_run_that_no_forge_asks_about_is_told_to_none(site: Site) -> None:
    run = await site.start(ONE, connection=None)
    await site.tell()

    assert site.forge.calls == []
    assert await site.kept(run) == {}


async def test_what_was_told_is_not_told_again(site: Site) -> None:
    await site.start()
    await site.tell()
    count = len(site.forge.calls)

    site.clock.advance(timedelta(hours=1))
    await site.tell()

    assert (count, len(site.forge.calls)) == (2, 2)


async def test_a_forge_that_wants_no_more_calls_is_left_alone_for_as_long_as_it_says(site: Site) -> None:
    run = await site.start()
    for _ in range(2):
        site.forge.answer_next(429, {"message": "slow down"}, {"retry-after": "90"})
    await site.tell()
    (lease,) = (await site.worker.claim()).values()

    site.clock.advance(timedelta(seconds=89))
    await site.tell()
    assert len(site.forge.calls) == 2

    site.clock.advance(timedelta(seconds=2))
    await site.tell()
    assert len(site.forge.calls) == 4
    kept = await site.kept(run)
    assert [each.is_told for each in kept.values()] == [True, True]
    # What has changed meanwhile is told as it is by then, and what a forge wishes is no failure.
    assert [each.tries for each in kept.values()] == [0, 0]
    await site.worker.report(lease)


async def test_a_forge_that_does_not_answer_is_tried_again_ever_later(site: Site) -> None:
    run = await site.start()
    for _ in range(6):
        site.forge.answer_next(502, {"message": "bad gateway"})
    calls = []
    for _ in range(8):
        await site.tell()
        calls.append(len(site.forge.calls))
        site.clock.advance(timedelta(seconds=1))

    # After one second, after two more, and after four more.
    assert calls == [2, 4, 4, 6, 6, 6, 6, 8]
    assert [each.is_told for each in (await site.kept(run)).values()] == [True, True]


async def test_a_forge_that_does_not_answer_for_a_day_is_given_up(site: Site) -> None:
    begun = site.clock.now()
    run = await site.start()
    await site.connect(api_url="http://127.0.0.1:9/api/v3")

    while any(each.due_at is not None for each in (await site.kept(run)).values()):
        await site.tell()
        site.clock.advance(timedelta(minutes=10))

    kept = (await site.kept(run))[RUN]
    assert (kept.is_told, kept.tries) == (False, MOST_TRIES)
    assert "does not answer" in (kept.last_error or "")
    assert timedelta(hours=23) < site.clock.now() - begun < timedelta(hours=27)


async def test_what_a_forge_refuses_is_given_up_at_once_with_its_words(site: Site) -> None:
    site.forge.tokens.clear()
    run = await site.start()
    await site.tell()

    site.clock.advance(timedelta(days=1))
    await site.tell()

    assert len(site.forge.calls) == 2
    kept = (await site.kept(run))[RUN]
    assert (kept.is_told, kept.due_at) == (False, None)
    assert "does not take the token" in (kept.last_error or "")
    assert TOKEN not in (kept.last_error or "")


async def test_a_later_state_is_told_although_an_earlier_one_was_given_up(site: Site) -> None:
    site.forge.tokens.clear()
    await site.start()
    await site.tell()
    site.forge.tokens.add(TOKEN)

    await site.end()

    assert site.forge.state_of("acme/shop", COMMIT, NODE) == "success"


async def test_without_a_connection_nothing_is_told(site: Site) -> None:
    run = await site.start()
    await site.plane.sources.connections.remove("hub", INSIDE_ACTOR)

    await site.tell()

    kept = (await site.kept(run))[RUN]
    assert (kept.due_at, site.forge.calls) == (None, [])
    assert "No connection has the name 'hub'" in (kept.last_error or "")


@pytest.mark.parametrize("terms", [{"statuses": False}, {"token": None}], ids=["no statuses", "no token"])
async def test_a_connection_that_wants_no_statuses_any_more_is_told_none(
    site: Site, terms: dict[str, Any]
) -> None:
    run = await site.start()
    await site.connect(**terms)

    await site.tell()

    kept = (await site.kept(run))[RUN]
    assert (kept.due_at, site.forge.calls) == (None, [])
    assert "is told no statuses" in (kept.last_error or "")


async def test_a_token_that_is_missing_for_a_while_is_waited_for(site: Site) -> None:
    run = await site.start()
    await site.plane.secrets.keeping.delete(SecretAddress("TOKEN"), INSIDE_ACTOR)
    await site.tell()
    kept = (await site.kept(run))[RUN]
    assert "lineshaft secret set" in (kept.last_error or "")

    await site.plane.secrets.keeping.set(SecretAddress("TOKEN"), TOKEN, INSIDE_ACTOR)
    site.clock.advance(timedelta(seconds=1))
    await site.tell()

    assert (await site.kept(run))[RUN].is_told


@dataclass
class GatedForges(NoForges):
    """Forges whose calls wait until they are let go."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: list[tuple[str, str]] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    most: Counter[str] = field(default_factory=Counter)
    begun: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def reporter(self, kind: ForgeKind) -> "GatedForges":  # type: ignore[override]
        assert kind is ForgeKind.GITHUB
        return self

    async def report(
        self, connection: Connection, token: str, repository: str, commit: str, status: CommitStatus
    ) -> None:
        key = (connection.name, f"{status.url} {status.context}")
        assert (token, repository, commit) == (TOKEN, "https://git.example/acme/shop", COMMIT)
        assert key not in self.under_way, "two at once for one status"
        self.under_way.append(key)
        of_connection = sum(name == connection.name for name, _ in self.under_way)
        self.most[connection.name] = max(self.most[connection.name], of_connection)
        self.begun.put_nowait(connection.name)
        await self.gate.wait()
        self.under_way.remove(key)
        self.told.append((connection.name, status.context, status.state.value))


@pytest.fixture
async def gated(tmp_path: Path) -> AsyncIterator[tuple[ControlPlane, GatedForges, ManualClock]]:
    forges, clock = GatedForges(), ManualClock()
    async with temporary_plane(
        tmp_path, clock, cipher=FakeCipher(), forges=forges, public_url=PUBLIC_URL
    ) as plane:
        await plane.secrets.keeping.set(SecretAddress("TOKEN"), TOKEN, INSIDE_ACTOR)
        for name in ("hub", "lab"):
            terms = ConnectionTerms(ForgeKind.GITHUB, f"https://{name}.example", token="TOKEN")
            await plane.sources.connections.put(name, terms, INSIDE_ACTOR)
        yield plane, forges, clock


Gated = tuple[ControlPlane, GatedForges, ManualClock]


async def test_a_slow_forge_gets_few_calls_at_once_and_holds_up_no_other(gated: Gated) -> None:
    plane, forges, clock = gated
    for number in range(4):
        text = TWO.replace("name: shop", f"name: shop-{number}")
        await start_told(plane.store, clock.now(), text, "hub")
    await start_told(plane.store, clock.now(), TWO, "lab")
    async with plane.running():
        begun = Counter([await forges.begun.get() for _ in range(MOST_AT_ONCE + 3)])
        assert begun == {"hub": MOST_AT_ONCE, "lab": 3}

        forges.gate.set()
        left = [await forges.begun.get() for _ in range(3 * 4 - MOST_AT_ONCE)]

    assert set(left) == {"hub"}
    assert max(forges.most.values()) == MOST_AT_ONCE


async def test_what_changes_while_it_is_told_is_told_behind_it(gated: Gated) -> None:
    plane, forges, clock = gated
    worker = DeskWorker(plane)
    await start_told(plane.store, clock.now(), ONE)
    await plane.statuses.begin_due()
    assert [await forges.begun.get() for _ in range(2)] == ["hub", "hub"]
    (lease,) = (await worker.claim()).values()
    await worker.report(lease)
    await plane.statuses.begin_due()
    assert forges.begun.empty()

    forges.gate.set()
    await plane.statuses.settle()
    await plane.statuses.begin_due()
    await plane.statuses.settle()

    assert [state for _, context, state in forges.told if context == NODE] == ["pending", "succeeded"]
    assert [state for _, context, state in forges.told if context == RUN] == ["pending", "succeeded"]


async def test_the_status_of_an_older_run_never_comes_behind_that_of_a_newer(gated: Gated) -> None:
    plane, forges, clock = gated
    worker = DeskWorker(plane)
    old = await start_told(plane.store, clock.now(), ONE)
    await plane.statuses.begin_due()
    assert [await forges.begun.get() for _ in range(2)] == ["hub", "hub"]
    new = await start_told(plane.store, clock.now(), ONE)
    await plane.statuses.begin_due()
    assert forges.begun.empty()
    taken = [lease for _ in range(2) for lease in (await worker.claim()).values()]
    leases = {lease.address.run_id: lease for lease in taken}
    await worker.report(leases.pop(new.id))

    forges.gate.set()
    await plane.statuses.settle()
    await plane.statuses.begin_due()
    await plane.statuses.settle()
    await worker.report(leases.pop(old.id), FAILED)
    await plane.statuses.begin_due()
    await plane.statuses.settle()

    assert [state for _, context, state in forges.told if context == RUN] == ["pending", "succeeded"]
    assert [state for _, context, state in forges.told if context == NODE] == ["pending", "succeeded"]
    assert all(each.is_told for each in await plane.statuses.of_run(new.id))
    for each in await plane.statuses.of_run(old.id):
        assert (each.is_told, each.due_at) == (False, None)
        assert each.last_error == f"The run {new.id}, which is newer, is shown in its place."


async def test_a_server_that_stops_lets_go_of_what_it_has_not_told(gated: Gated) -> None:
    plane, forges, clock = gated
    await start_told(plane.store, clock.now(), ONE)
    async with plane.running():
        await forges.begun.get()
        await forges.begun.get()

    forges.under_way.clear()
    forges.gate.set()
    await plane.statuses.begin_due()
    await plane.statuses.settle()

    assert len(forges.told) == 2


async def test_what_a_dead_server_has_held_is_told_when_its_time_is_over(
    gated: Gated,
) -> None:
    plane, forges, clock = gated
    run = await start_told(plane.store, clock.now(), ONE)
    until = clock.now() + TAKEN_FOR
    now = clock.now()
    await plane.store.write(
        lambda transaction: transaction.statuses.take(now, until, limit=9, passing_over=())
    )
    forges.gate.set()

    await plane.statuses.begin_due()
    await plane.statuses.settle()
    assert forges.told == []

    clock.advance(TAKEN_FOR)
    await plane.statuses.begin_due()
    await plane.statuses.settle()
    assert len(forges.told) == 2
    assert all(each.is_told for each in await plane.statuses.of_run(run.id))


async def test_the_api_and_the_command_line_tell_what_was_told(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run = await site.start(TWO)
    await site.end()
    site.forge.tokens.clear()
    await site.end(FAILED)
    async with (
        http_server(site.plane) as url,
        httpx2.AsyncClient(base_url=url, auth=(USERNAME, PASSWORD), timeout=60) as api,
    ):
        items = (await api.get(f"/v1/runs/{run.id}/statuses")).json()["items"]
        nowhere = await api.get(f"/v1/runs/{RandomIds().new_id()}/statuses")
        for name, value in isolated(tmp_path, url, PASSWORD).items():
            monkeypatch.setenv(name, value)
        lineshaft = CommandLine(capsysbinary)
        said = await asyncio.to_thread(lineshaft, "explain", "shop/1")
        as_json = await asyncio.to_thread(lineshaft, "explain", "shop/1", "--output", "json")

    assert [(each["context"], each["state"], each["told"]) for each in items] == [
        ("lineshaft/shop", "failed", False),
        ("lineshaft/shop/a", "succeeded", True),
        ("lineshaft/shop/b", "failed", False),
    ]
    assert (items[0]["commit"], items[0]["connection"]) == (COMMIT, "hub")
    assert nowhere.status_code == 404
    lines = said.out.splitlines()
    assert lines[0].startswith("shop/1 failed: ")
    assert lines[2] == "  lineshaft/shop/a  succeeded: Succeeded in 42 s  (hub was told)"
    assert "hub was not told, which is given up: The forge of the connection" in lines[3]
    assert json.loads(as_json.out)["statuses"] == items


START_AND_DIE = f"""
import asyncio, os, signal, sys
sys.path.insert(0, {str(TESTS)!r})
from told_runs import start_told
from lineshaft.definition import read_definition
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.store import open_store

async def start(data, url):
    store = await open_store(
        f"sqlite:///{{data}}/lineshaft.db", ids=RandomIds(), read_definition=read_definition
    )
    text = "name: shop\\nsteps: [{{name: a, run: x, labels: [nobody]}}]"
    await start_told(store, SystemClock().now(), text, url=url)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(start(*sys.argv[1:]))
"""
"""Commits what is to be told, and is killed before it could be."""


def test_what_was_committed_is_told_after_a_kill_before_the_call(tmp_path: Path) -> None:
    with fake_forge(ForgeKind.GITEA) as forge:
        with (
            server_process(tmp_path) as server,
            httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=60) as api,
        ):
            assert api.put("/v1/secrets/TOKEN", json={"value": TOKEN}).status_code == 200
            terms = {"kind": "gitea", "url": forge.url, "token": "TOKEN"}
            assert api.put("/v1/connections/hub", json=terms).status_code == 200
            server.stop()
        killed = subprocess.run(
            [sys.executable, "-c", START_AND_DIE, str(tmp_path), forge.url], env=os.environ, check=False
        )
        assert (killed.returncode, forge.calls) == (-signal.SIGKILL, [])

        with server_process(tmp_path) as server:
            forge.wait_until(lambda forge: len(forge.statuses) == 2)
            server.stop()

        assert forge.state_of("acme/shop", COMMIT, NODE) == "pending"
