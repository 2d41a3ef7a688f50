"""Resources and drivers on the command line, against a server in the test's own process."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from command_line import CommandLine, Result, isolated
from driver_program import DeskDriver
from http_server import http_server
from lineshaft.cli.app import root
from lineshaft.cli.completion import PATIENCE, complete_driver, complete_resource, complete_resource_type
from lineshaft.cli.exit_code import ExitCode
from lineshaft.definition.compiling.read import read_native
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.driver import DriverMessage
from planes import PASSWORD, temporary_plane

SCHEMA = {
    "type": "object",
    "required": ["image"],
    "properties": {"image": {"type": "string"}, "replicas": {"type": "integer", "minimum": 1}},
}
SPEC = '{"image": "shop", "replicas": 2}'
CONVEYOR = "name: conveyor\nresource: app\nsteps: [{name: compile, driver: compile}]\n"
COMPILE = DriverMessage(name="compile", resources=("app",))


@dataclass(frozen=True)
class Site:
    """The command line, and the server that it talks to."""

    lineshaft: CommandLine
    plane: ControlPlane
    folder: Path
    clock: ManualClock

    async def __call__(self, *arguments: str) -> Result:
        return await asyncio.to_thread(self.lineshaft, *arguments)

    async def document(self, *arguments: str) -> Any:
        result = await self(*arguments, "--output", "json")
        assert result.code == ExitCode.OK, result.err
        return json.loads(result.out)

    async def define(self) -> None:
        (self.folder / "app.json").write_text(json.dumps(SCHEMA))
        result = await self("resource", "define", "app", "--schema", "app.json", "--resync", "12h")
        assert (result.code, result.out) == (ExitCode.OK, "app is defined, at version 1.\n"), result.err


@pytest.fixture
async def site(
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> AsyncIterator[Site]:
    async with temporary_plane(tmp_path / "blobs", clock) as plane, http_server(plane) as url:
        for name, value in isolated(tmp_path, url, PASSWORD).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.chdir(tmp_path)
        yield Site(CommandLine(capsysbinary), plane, tmp_path, clock)


async def test_a_type_is_defined_listed_shown_and_deleted(site: Site) -> None:
    assert "There are no types" in (await site("resource", "definitions")).err
    await site.define()

    listed = (await site("resource", "definitions")).out.splitlines()
    shown = await site.document("resource", "definitions", "app")
    deleted = await site("resource", "undefine", "app")

    assert [line.split() for line in listed[1:]] == [["app", "1", "12h"]]
    assert (shown["schema"], shown["resync"]) == (SCHEMA, "12h")
    assert deleted.out == "app is not defined any more.\n"
    assert (await site("resource", "definitions", "app")).code == ExitCode.NOT_FOUND


async def test_a_resource_is_made_changed_shown_listed_and_deleted(site: Site) -> None:
    await site.define()

    made = await site("resource", "apply", "app", "shop", "--spec", SPEC, "--metadata", "channel=stable")
    same = await site("resource", "apply", "app", "shop", "--spec", SPEC, "--metadata", "channel=stable")
    changed = await site("resource", "patch", "app", "shop", "--patch", '{"spec": {"replicas": 3}}')
    shown = (await site("resource", "show", "app", "shop")).out
    listed = (await site("resource", "list", "app", "--metadata", "channel=stable")).out.splitlines()
    versions = await site.document("resource", "versions", "app", "shop")
    deleted = await site("resource", "delete", "app", "shop", "--if-version", "2")

    assert made.out == "app/shop is created, at version 1.\n"
    assert "No driver hears of it" in made.err
    assert same.out == "app/shop says so already, at version 1.\n"
    assert changed.out == "app/shop is updated, at version 2.\n"
    assert 'spec        {"image": "shop", "replicas": 3}\n' in shown
    assert "metadata    channel=stable\n" in shown
    assert listed[1].split()[:5] == ["app", "shop", "2", "0", "-"]
    assert [(each["version"], each["event"]) for each in versions] == [(2, "updated"), (1, "created")]
    assert deleted.out == "app/shop is deleted, at version 3.\n"
    assert (await site("resource", "show", "app", "shop")).code == ExitCode.NOT_FOUND
    assert "There are no such resources" in (await site("resource", "list")).err


async def test_where_a_spec_does_not_fit_each_place_is_told(site: Site) -> None:
    await site.define()

    refused = await site("resource", "apply", "app", "shop", "--spec", '{"image": 1}')

    assert refused.code == ExitCode.INVALID_INPUT
    assert "/spec/image" in refused.err


@pytest.mark.parametrize(
    ("spec", "told"), [("[1]", "--spec must be a JSON object"), ("{", "--spec is no valid")]
)
async def test_what_is_no_json_object_never_reaches_the_server(site: Site, spec: str, told: str) -> None:
    refused = await site("resource", "apply", "app", "shop", "--spec", spec)

    assert refused.code in (ExitCode.WRONG_USAGE, ExitCode.INVALID_INPUT)
    assert told in refused.err


async def test_a_change_on_top_of_another_version_is_refused(site: Site) -> None:
    await site.define()
    await site("resource", "apply", "app", "shop", "--spec", SPEC, "--if-version", "0")

    refused = await site("resource", "apply", "app", "shop", "--spec", '{"image": "a"}', "--if-version", "0")

    assert refused.code == ExitCode.CONFLICT
    assert (await site.document("resource", "show", "app", "shop"))["version"] == 1


async def test_a_resource_that_names_a_pipeline_is_carried_along_it_and_tells_what_came_of_it(
    site: Site,
) -> None:
    await site.define()
    await site.plane.pipelines.create(read_native(CONVEYOR.encode()))
    driver = DeskDriver(site.plane, COMPILE)
    await driver.register()

    made = await site("resource", "apply", "app", "shop", "--spec", SPEC, "--pipeline", "conveyor")
    await driver.do_all()
    run = await site("show", "conveyor/latest")
    watched = await site("watch", "conveyor/latest")
    shown = (await site("resource", "show", "app", "shop")).out

    assert "lineshaft watch " in made.err
    assert "resource: app/shop version 1, created" in run.out
    assert "It carries app/shop version 1, created." in watched.err
    assert "observed    1\n" in shown
    assert "state       succeeded by run " in shown
    assert 'result      compile succeeded  {"path": "compile"}\n' in shown


async def test_a_resource_is_resynced_alone_or_with_all_of_its_type(site: Site) -> None:
    await site.define()
    await site("resource", "apply", "app", "shop", "--spec", SPEC)

    alone = await site("resource", "resync", "app", "shop")
    every = await site("resource", "resync", "app")
    wrong = await site("resource", "resync", "app", "--watch")

    assert alone.out == "app/shop is resynced, at version 1.\n"
    assert every.out == "1 resource goes to their drivers again.\n"
    assert wrong.code == ExitCode.WRONG_USAGE


async def test_drivers_are_listed_and_one_that_is_gone_is_forgotten(site: Site) -> None:
    assert "No driver has registered yet" in (await site("drivers")).err
    await DeskDriver(site.plane, COMPILE).register()

    listed = (await site("drivers")).out.splitlines()
    refused = await site("driver", "forget", "compile")
    site.clock.advance(timedelta(hours=1))
    forgotten = await site("driver", "forget", "compile")

    assert listed[1].split()[:3] == ["compile", "1", "0"]
    assert refused.code == ExitCode.CONFLICT
    assert forgotten.out == "compile is forgotten.\n"
    assert await site.document("drivers") == []


async def test_a_broadcast_goes_to_those_that_hear_it(site: Site) -> None:
    assert "No driver hears it" in (await site("broadcast", "flush")).err
    driver = DeskDriver(site.plane, COMPILE)
    await driver.register()

    sent = await site.document("broadcast", "flush", "--payload", '{"a": 1}', "--driver", "compile")
    leases = await driver.claim()

    assert sent["drivers"] == ["compile"]
    (lease,) = leases.values()
    assert lease.driver is not None
    assert (lease.driver.event, lease.driver.payload) == ("flush", {"a": 1})


async def test_explain_tells_that_a_driver_is_not_connected(site: Site) -> None:
    await site.define()
    await site.plane.pipelines.create(read_native(CONVEYOR.encode()))
    await site("resource", "apply", "app", "shop", "--spec", SPEC, "--pipeline", "conveyor")

    explained = await site("explain", "conveyor/latest", "compile")

    assert "compile is queued" in explained.out
    assert "'compile'" in explained.out


async def test_types_resources_and_drivers_are_offered_by_what_they_begin_with(site: Site) -> None:
    await site.define()
    await site("resource", "apply", "app", "shop", "--spec", SPEC)
    await DeskDriver(site.plane, COMPILE).register()
    context = click.Context(root)
    context.meta[PATIENCE] = 3_600.0
    context.params["type_name"] = "app"
    parameter = root.params[0]

    def offered(begun: str) -> list[list[str]]:
        asked = (complete_resource_type, complete_resource, complete_driver)
        return [complete(context, parameter, begun) for complete in asked]

    assert await asyncio.to_thread(offered, "") == [["app"], ["shop"], ["compile"]]
    assert await asyncio.to_thread(offered, "sh") == [[], ["shop"], []]
