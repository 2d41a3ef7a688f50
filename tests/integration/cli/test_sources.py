"""`deliveries`, `polls`, `refresh-pipeline` and `approve` on the command line, against a server."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine, Result, isolated
from delivery_site import ADDRESS, DeliverySite
from forge_calls import GITHUB, payload
from http_server import http_server
from lineshaft.cli.exit_code import ExitCode
from lineshaft.integrations.forges.known import KnownForges
from lineshaft.integrations.outgoing.client import outgoing_client
from lineshaft.integrations.outgoing.guard import Guard
from lineshaft.model.config_file import ConfigFile
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.memory_repositories import MemoryRepositories
from planes import PASSWORD, temporary_plane

NOWHERE = "019a3c52-7d10-7c4e-9a63-0d2b8f1e4a55"


class Site:
    """The command line, the server that it talks to, and a forge that tells that server of changes."""

    def __init__(self, lineshaft: CommandLine, forge: DeliverySite) -> None:
        self._lineshaft = lineshaft
        self.forge = forge

    async def __call__(self, *arguments: object) -> Result:
        return await asyncio.to_thread(self._lineshaft, *arguments)

    async def table(self, *arguments: object) -> list[list[str]]:
        """Run a command, and return what is in its table, below the headings."""
        result = await self(*arguments)
        assert result.code == ExitCode.OK, result.err
        return [line.split(maxsplit=5) for line in result.out.splitlines()[1:]]

    async def document(self, *arguments: object) -> Any:
        result = await self(*arguments)
        assert result.code == ExitCode.OK, result.err
        return json.loads(result.out)

    async def held_run(self) -> str:
        """Have a pull request from a fork make a run that waits, and return its head."""
        await self.forge.pipeline({"pull_request": None})
        common = self.forge.repository.commit({"a": "1"})
        head = self.forge.repository.commit({"b": "1"}, branch="topic", parents=(common,))
        asked = payload(GITHUB, "pull_request_from_fork", {"pull_request.head.sha": head})
        await self.forge.handled("pull_request", asked)
        return head


@pytest.fixture
async def site(
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> AsyncIterator[Site]:
    repositories = MemoryRepositories()
    async with (
        outgoing_client(Guard(allow_private=True)) as client,
        temporary_plane(
            tmp_path / "blobs",
            clock,
            cipher=FakeCipher(),
            forges=KnownForges(client, clock),
            repositories=repositories,
        ) as plane,
        http_server(plane) as url,
    ):
        for name, value in isolated(tmp_path, url, PASSWORD).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "200")
        forge = DeliverySite(plane, repositories)
        repositories.add(ADDRESS)
        await forge.connect()
        yield Site(CommandLine(capsysbinary), forge)


async def test_deliveries_are_listed_shown_and_repeated(site: Site) -> None:
    assert "Nothing came in." in (await site("deliveries")).err
    pipeline = await site.forge.pipeline()
    delivery = await site.forge.push(site.forge.repository.commit({"a": "1"}))
    (run,) = await site.forge.runs(pipeline)

    ((shown, _, *rest),) = await site.table("deliveries")
    assert (shown, rest) == (str(delivery.id), ["hub", "push", "main", "1 run"])
    assert await site.table("deliveries", "list", "--pipeline", "shop", "--limit", 5) == [
        [shown, "2026-01-01T00:00:00Z", *rest]
    ]
    facts = (await site("deliveries", "show", delivery.id)).out
    assert "from       hub (github)\n" in facts
    assert "ref        refs/heads/main\n" in facts
    assert f"shop      {run.id}" in facts

    again = await site.document("deliveries", "redeliver", delivery.id, "--output", "json")
    assert (again["redelivers"], again["state"]) == (str(delivery.id), "received")
    assert f"repeats    {delivery.id}\n" in (await site("deliveries", "show", again["id"])).out
    assert [each["id"] for each in await site.document("deliveries", "--output", "json")] == [
        again["id"],
        str(delivery.id),
    ]
    assert (await site("deliveries", "show", NOWHERE)).code == ExitCode.NOT_FOUND


async def test_a_delivery_that_started_nothing_says_why(site: Site) -> None:
    await site.forge.pipeline({"push": {"branches": ["x"]}})
    delivery = await site.forge.push(site.forge.repository.commit({"a": "1"}))

    assert "Its `branches` leave out 'main'." in (await site("deliveries", "show", delivery.id)).out
    ((*_, why),) = await site.table("deliveries")
    assert why == "Its `branches` leave out 'main'."


async def test_polls_tell_when_a_repository_is_looked_at_and_have_it_done_now(site: Site) -> None:
    await site.forge.pipeline()
    assert "is not polled" in (await site("polls", "shop")).err
    await site.forge.pipeline({"poll": "5m"}, name="looking")

    before = await site.document("polls", "looking", "--output", "json")
    ((_, last, failures),) = await site.table("polls", "looking")
    assert (len(before), last, failures) == (1, "-", "0")
    ((now, *_),) = await site.table("polls", "looking", "--now")
    assert now == "2026-01-01T00:00:00Z"

    assert (await site("polls", "shop", "--now")).code == ExitCode.CONFLICT
    assert (await site("polls", "nothing")).code == ExitCode.NOT_FOUND


async def test_a_pipelines_file_is_read_again(site: Site) -> None:
    site.forge.repository.commit({"ci.yml": "steps: [{name: old, run: 'true'}]"})
    kept = await site.forge.plane.sources.kept.create("kept", ConfigFile(ADDRESS, path="ci.yml"))
    site.forge.repository.commit({"ci.yml": "steps: [{name: new, run: 'true'}]"})

    assert (await site.document("refresh-pipeline", "kept"))["id"] == str(kept.id)
    assert (await site.forge.plane.pipelines.get(kept.id)).definition.tree.places[1].path == "new"

    site.forge.repository.commit({"ci.yml": "steps: [{name: new, rnu: 'true'}]"})
    broken = await site("refresh-pipeline", "kept")
    assert broken.code == ExitCode.INVALID_INPUT
    assert "steps.0.rnu" in broken.err
    await site.forge.pipeline()
    assert (await site("refresh-pipeline", "shop")).code == ExitCode.CONFLICT


async def test_a_run_is_approved_for_its_commit_where_nobody_can_be_asked(site: Site) -> None:
    head = await site.held_run()

    nobody = await site("approve", "shop/1")
    assert (nobody.code, "--commit" in nobody.err) == (ExitCode.WRONG_USAGE, True)
    other = await site("approve", "shop/1", "--commit", "e" * 40)
    assert (other.code, head in other.err) == (ExitCode.CONFLICT, True)

    approved = await site("approve", "shop/1", "--commit", head)
    assert (approved.code, approved.out) == (ExitCode.OK, "shop/1 is approved, and queued.\n")
    assert (await site("approve", "shop/1", "--commit", head)).code == ExitCode.CONFLICT
