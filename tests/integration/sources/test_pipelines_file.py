"""Pipelines that the server's file keeps."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lineshaft.definition import read_native
from lineshaft.model.audit_entry import Action
from lineshaft.model.run import Source
from lineshaft.model.upkeep import Upkeep
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.store import AuditFilter
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.services.sources.pipelines_file import PipelinesFile
from pipelines_files import WrittenPipelines, entry
from planes import temporary_plane

ADDRESS = "https://git.example/team/shop"
OTHER = b"name: shop\nsteps: [{name: a, run: make}]\n"


@pytest.fixture
def written() -> WrittenPipelines:
    return WrittenPipelines()


@pytest.fixture
async def plane(
    database_url: str, tmp_path: Path, clock: ManualClock, written: WrittenPipelines
) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock, url=database_url, pipelines_text=written) as opened:
        yield opened


def file_of(plane: ControlPlane) -> PipelinesFile:
    assert plane.sources.file is not None
    return plane.sources.file


async def names(plane: ControlPlane) -> list[str]:
    return [each.name for each in await plane.pipelines.page(name=None, after=None, limit=100)]


async def test_pipelines_are_made_changed_and_deleted_as_the_file_says(
    plane: ControlPlane, written: WrittenPipelines
) -> None:
    written.write(shop=entry(ADDRESS, ref="main"), site=entry(ADDRESS))
    await file_of(plane).look()
    shop, site = await plane.pipelines.managed()

    written.write(shop=entry(ADDRESS, ref="next", cwd="ci"), blog=entry(ADDRESS))
    await file_of(plane).look()
    blog, changed = await plane.pipelines.managed()

    assert (shop.name, site.name, blog.name) == ("shop", "site", "blog")
    assert (changed.id, changed.upkeep) == (shop.id, Upkeep("next"))
    assert changed.definition.hash != shop.definition.hash
    assert await names(plane) == ["blog", "shop"]


async def test_what_the_file_says_again_changes_nothing(
    plane: ControlPlane, written: WrittenPipelines, clock: ManualClock
) -> None:
    written.write(shop=entry(ADDRESS))
    await file_of(plane).look()
    before = (await plane.pipelines.managed())[0].updated_at
    clock.advance(written.pause)

    written.write(shop=entry(ADDRESS))
    await file_of(plane).look()

    assert (await plane.pipelines.managed())[0].updated_at == before


async def test_a_bad_entry_leaves_its_pipeline_as_it_was_and_is_told_once(
    plane: ControlPlane, written: WrittenPipelines, caplog: pytest.LogCaptureFixture
) -> None:
    written.write(shop=entry(ADDRESS), site=entry(ADDRESS))
    await file_of(plane).look()
    before = await plane.pipelines.managed()

    for _ in range(2):
        written.write(shop={"repository": ADDRESS, "exec": 7}, site=entry(ADDRESS, ref="next"))
        await file_of(plane).look()

    after = await plane.pipelines.managed()
    assert after[0].definition.hash == before[0].definition.hash
    assert after[1].upkeep == Upkeep("next")
    (told,) = [each for each in caplog.messages if "'shop'" in each]
    assert "must be a list of a program and its arguments" in told


@pytest.mark.parametrize("text", [None, "", " ", "{", "[]", "null"])
async def test_a_file_that_cannot_be_read_deletes_nothing_and_is_told_once(
    plane: ControlPlane, written: WrittenPipelines, caplog: pytest.LogCaptureFixture, text: str | None
) -> None:
    written.write(shop=entry(ADDRESS))
    await file_of(plane).look()

    for _ in range(2):
        written.write_text(text)
        await file_of(plane).look()

    assert await names(plane) == ["shop"]
    assert [each.levelno for each in caplog.records if "pipelines.json" in each.getMessage()] == [
        logging.WARNING
    ]


async def test_a_file_that_holds_no_entry_deletes_the_last_pipeline(
    plane: ControlPlane, written: WrittenPipelines, caplog: pytest.LogCaptureFixture
) -> None:
    written.write(shop=entry(ADDRESS))
    await file_of(plane).look()

    written.write_text("{}")
    await file_of(plane).look()

    assert await names(plane) == []
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_server_without_a_file_lets_go_of_what_one_has_kept(
    database_url: str, tmp_path: Path, written: WrittenPipelines, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lineshaft.pipelines")
    written.write(shop=entry(ADDRESS, ref="next"))
    async with temporary_plane(tmp_path, url=database_url, pipelines_text=written) as before:
        await file_of(before).look()
        (shop,) = await before.pipelines.managed()

    async with temporary_plane(tmp_path, url=database_url) as plane:
        await plane.pipelines.let_go()
        await plane.pipelines.let_go()

        assert await plane.pipelines.managed() == []
        kept = await plane.pipelines.get(shop.id)
        assert (kept.definition.hash, kept.upkeep) == (shop.definition.hash, shop.upkeep)
        changed = await plane.pipelines.replace(shop.id, read_native(OTHER))
        assert changed.definition.hash != shop.definition.hash
        wanted = AuditFilter(action=Action.PIPELINE_LET_GO)
        (told,) = await plane.store.read(lambda it: it.audit.page(wanted, before=None, limit=9))
        assert (told.target, told.pipeline_id) == ("shop", shop.id)
    assert "'shop' is like any other from now on" in caplog.text


async def test_a_file_does_not_take_back_what_was_let_go(
    plane: ControlPlane, written: WrittenPipelines, caplog: pytest.LogCaptureFixture
) -> None:
    written.write(shop=entry(ADDRESS))
    await file_of(plane).look()
    await plane.pipelines.let_go()

    written.write(shop=entry(ADDRESS, ref="next"))
    await file_of(plane).look()

    assert await plane.pipelines.managed() == []
    assert "which the file does not keep" in caplog.text


async def test_a_pipeline_that_somebody_else_made_is_not_taken_over(
    plane: ControlPlane, written: WrittenPipelines, caplog: pytest.LogCaptureFixture
) -> None:
    own = await plane.pipelines.create(read_native(OTHER))

    written.write(shop=entry(ADDRESS), site=entry(ADDRESS))
    await file_of(plane).look()

    assert (await plane.pipelines.get(own.id)).definition.hash == own.definition.hash
    assert await names(plane) == ["shop", "site"]
    assert "which the file does not keep" in caplog.text


async def test_runs_work_on_the_ref_of_the_entry_unless_somebody_names_one(
    plane: ControlPlane, written: WrittenPipelines
) -> None:
    written.write(shop=entry(ADDRESS, ref="next"))
    await file_of(plane).look()
    (shop,) = await plane.pipelines.managed()

    usual = await plane.runs.trigger(shop.id)
    asked = await plane.runs.trigger(shop.id, RunRequest(ref="main"))

    assert usual.source == Source(ADDRESS, ref="next", branch="next")
    assert asked.source == Source(ADDRESS, ref="main", branch="main")


async def test_two_servers_with_one_file_make_each_pipeline_once(postgres_url: str, tmp_path: Path) -> None:
    entries = {f"p{number}": entry(ADDRESS) for number in range(8)}
    one, two = WrittenPipelines(), WrittenPipelines()
    one.write(**entries)
    two.write(**entries)
    async with (
        temporary_plane(tmp_path, url=postgres_url, pipelines_text=one) as first,
        temporary_plane(tmp_path, url=postgres_url, pipelines_text=two) as second,
    ):
        await asyncio.gather(file_of(first).look(), file_of(second).look())
        made = await names(first)
        one.write(p0=entry(ADDRESS, ref="next"))
        two.write(p0=entry(ADDRESS, ref="next"))
        await asyncio.gather(file_of(first).look(), file_of(second).look())

        assert made == sorted(entries)
        assert await names(second) == ["p0"]
