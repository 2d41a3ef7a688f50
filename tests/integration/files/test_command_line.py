"""`results`, `artifacts`, `tests` and `cache` on the command line."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from command_line import CommandLine, Result, isolated
from integration.files.conftest import Stage
from integration.files.test_results import LONG, PACKED, REPORT, XML
from integration.files.test_tests import case, tell
from lineshaft.cli.app import root
from lineshaft.cli.completion import PATIENCE, complete_artifact, complete_result
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.artifact import PART_BYTES
from lineshaft.model.test_case import TestState
from planes import PASSWORD
from worker_files_scene import keep, keep_cache

Call = Callable[..., Any]


@pytest.fixture
def lineshaft(
    stage: Stage, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Call:
    for name, value in isolated(tmp_path, stage.url, PASSWORD).items():
        monkeypatch.setenv(name, value)
    command_line = CommandLine(capfdbinary)

    async def call(*arguments: object) -> Result:
        return await asyncio.to_thread(command_line, *arguments)

    return call


async def documents(lineshaft: Call, *arguments: object) -> Any:
    result = await lineshaft(*arguments, "--output", "json")
    assert result.code == ExitCode.OK, result.err
    return json.loads(result.out)


async def test_an_artifact_is_downloaded_and_unpacked(stage: Stage, lineshaft: Call, tmp_path: Path) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, PACKED, "dist")

    result = await lineshaft("artifacts", "download", "shop/latest", "--to", tmp_path / "all", "--extract")

    assert result.code == ExitCode.OK, result.err
    assert (tmp_path / "all/build/dist/sub/long.bin").read_bytes() == LONG
    assert not (tmp_path / "all/build/dist.zip").exists()


async def test_one_that_is_named_is_put_into_the_folder_itself(
    stage: Stage, lineshaft: Call, tmp_path: Path
) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, XML, "junit", **REPORT)
    await keep(stage.scene.files, held, b"other", "other", **REPORT)

    (told,) = await documents(lineshaft, "results", "download", "shop/1", "junit", "--to", tmp_path / "one")

    assert told["file"] == f"{tmp_path / 'one/junit.xml'}"
    assert (tmp_path / "one/junit.xml").read_bytes() == XML
    assert [each.name for each in (tmp_path / "one").iterdir()] == ["junit.xml"]


async def test_a_download_goes_on_where_it_was_cut_off(stage: Stage, lineshaft: Call, tmp_path: Path) -> None:
    data = bytes(range(256)) * (PART_BYTES // 200)
    held = await stage.scene.first()
    await keep(stage.scene.files, held, data, "dist")
    (told,) = await documents(lineshaft, "artifacts", "list", "shop/1")
    part = tmp_path / f".dist.zip.{told['sha256'][:16]}.part"
    part.write_bytes(data[:1000])

    result = await lineshaft("artifacts", "download", "shop/1", "dist", "--to", tmp_path)

    assert result.code == ExitCode.OK, result.err
    assert (tmp_path / "dist.zip").read_bytes() == data
    assert not part.exists()


async def test_a_part_with_other_bytes_is_found_out_and_thrown_away(
    stage: Stage, lineshaft: Call, tmp_path: Path
) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, PACKED, "dist")
    (told,) = await documents(lineshaft, "artifacts", "list", "shop/1")
    (tmp_path / f".dist.zip.{told['sha256'][:16]}.part").write_bytes(b"x" * 1000)

    first = await lineshaft("artifacts", "download", "shop/1", "dist", "--to", tmp_path)
    second = await lineshaft("artifacts", "download", "shop/1", "dist", "--to", tmp_path)

    assert (first.code, second.code) == (ExitCode.UNAVAILABLE, ExitCode.OK)
    assert (tmp_path / "dist.zip").read_bytes() == PACKED


async def test_what_is_there_already_is_not_downloaded_again(
    stage: Stage, lineshaft: Call, tmp_path: Path
) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, PACKED, "dist")
    await lineshaft("artifacts", "download", "shop/1", "dist", "--to", tmp_path)

    again = await lineshaft("artifacts", "download", "shop/1", "dist", "--to", tmp_path)

    assert "is there already" in again.err


@pytest.mark.parametrize("name", ["../../evil", "a//b", "..", "a\\..\\b"])
async def test_a_name_that_leads_out_of_the_folder_is_refused(
    stage: Stage, lineshaft: Call, tmp_path: Path, name: str
) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, PACKED, name)

    result = await lineshaft("artifacts", "download", "shop/1", "--to", tmp_path / "deep/to")

    assert result.code == ExitCode.INVALID_INPUT
    assert not (tmp_path / "evil.zip").exists()
    assert not (tmp_path / "deep").exists()


async def test_a_name_that_nobody_has_used_is_not_found(
    stage: Stage, lineshaft: Call, tmp_path: Path
) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, PACKED, "dist")

    result = await lineshaft("artifacts", "download", "shop/1", "none", "--to", tmp_path)

    assert result.code == ExitCode.NOT_FOUND
    assert "'build/dist'" in result.err


async def test_an_artifact_is_deleted(stage: Stage, lineshaft: Call) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, PACKED, "dist")

    await lineshaft("artifacts", "delete", "shop/1", "build/dist")

    assert await documents(lineshaft, "artifacts", "list", "shop/1") == []


async def test_results_are_listed_with_their_tests(stage: Stage, lineshaft: Call) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, XML, "junit", **REPORT)
    await tell(stage, held, case("a"), case("b", TestState.FAILED))

    result = await lineshaft("results", "list", "shop/1")

    assert "1 passed, 1 failed" in result.out


async def test_the_tests_of_a_run_are_listed(stage: Stage, lineshaft: Call) -> None:
    held = await stage.scene.first()
    await tell(stage, held, case("a"), case("b", TestState.FAILED, message="expected 1\nbut"))

    result = await lineshaft("tests", "shop/latest")
    failed = await documents(lineshaft, "tests", held.address.run_id, "--state", "failed")

    assert result.err == "note: 1 passed, 1 failed.\n"
    assert [line.split() for line in result.out.splitlines()] == [
        ["STATE", "SECONDS", "NODE", "TEST", "MESSAGE"],
        ["failed", "1.500", "build", "tests.Shop.b", "expected", "1"],
        ["passed", "1.500", "build", "tests.Shop.a"],
    ]
    assert [each["name"] for each in failed] == ["b"]


@pytest.mark.parametrize(
    ("flag", "row"),
    [
        ("--newly-failing", ["#2", "#1", "build", "tests.Shop.a"]),
        ("--slowest", ["1.500", "1.500", "2", "build", "tests.Shop.a"]),
        ("--flaky", ["0", "1", "build", "tests.Shop.a"]),
    ],
)
async def test_what_many_runs_tell_of_a_test_is_listed(
    stage: Stage, lineshaft: Call, flag: str, row: list[str]
) -> None:
    commit = "c0ffee" + "0" * 34
    await tell(stage, await stage.scene.first(ref=commit), case("a"))
    await tell(stage, await stage.scene.first(ref=commit), case("a", TestState.FAILED))

    result = await lineshaft("tests", "shop", flag)

    assert result.code == ExitCode.OK, result.err
    assert result.out.splitlines()[1].split() == row


async def test_caches_are_listed_and_deleted(stage: Stage, lineshaft: Call) -> None:
    held = await stage.scene.first()
    first = await keep_cache(stage.scene.files, held, "a")
    await keep_cache(stage.scene.files, held, "b")

    assert len(await documents(lineshaft, "cache", "list", "shop")) == 2
    await lineshaft("cache", "delete", "shop", first)
    assert [each["key"] for each in await documents(lineshaft, "cache", "list", "shop")] == ["b"]
    assert await documents(lineshaft, "cache", "delete", "shop", "--all") == {"deleted": 1}
    assert (await lineshaft("cache", "delete", "shop")).code == ExitCode.WRONG_USAGE


@pytest.mark.usefixtures("lineshaft")
async def test_names_of_results_and_artifacts_are_completed(stage: Stage) -> None:
    held = await stage.scene.first()
    await keep(stage.scene.files, held, PACKED, "dist")
    await keep(stage.scene.files, held, XML, "junit", **REPORT)
    command = root.commands["watch"]
    context = click.Context(command)
    context.meta[PATIENCE] = 3_600.0

    async def complete(complete: Call, reference: str, incomplete: str) -> list[tuple[str, str]]:
        context.params["reference"] = reference
        found = await asyncio.to_thread(complete, context, command.params[0], incomplete)
        return [(item.value, item.help) for item in found]

    ((name, size),) = await complete(complete_artifact, "shop/latest", "")
    assert (name, size[0].isdigit()) == ("build/dist", True)
    assert [name for name, _ in await complete(complete_result, "shop/1", "build/")] == ["build/junit"]
    assert await complete(complete_result, "shop/1", "test") == []
    assert await complete(complete_artifact, "shop/7", "") == []
