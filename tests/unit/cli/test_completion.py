import socket
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from command_line import isolated
from fake_api import FakeApi
from lineshaft.cli.app import root
from lineshaft.cli.completion import PATIENCE, complete_artifact, complete_node, complete_run

SHOP = "name: shop\nsteps:\n  - {name: lint, run: ls}\n  - {name: test, steps: [{name: unit, run: ls}]}\n"


def completed(incomplete: str, *files: str) -> list[str]:
    command = root.commands["run"]
    context = click.Context(command)
    context.params["files"] = files
    only = next(parameter for parameter in command.params if parameter.name == "only")
    return complete_node(context, only, incomplete)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_nodes_of_the_pipeline_here_are_offered(folder: Path) -> None:
    (folder / "lineshaft.yml").write_text(SHOP)
    assert completed("") == ["lint", "test", "test/unit"]
    assert completed("te") == ["test", "test/unit"]


def test_the_nodes_of_the_file_that_is_named_are_offered(folder: Path) -> None:
    (folder / "other.yml").write_text(SHOP)
    assert completed("l", "other.yml") == ["lint"]


@pytest.mark.parametrize("text", ["", "name: [", "name: x"])
def test_a_file_that_cannot_be_read_offers_nothing(folder: Path, text: str) -> None:
    (folder / "lineshaft.yml").write_text(text)
    assert completed("") == []


def test_nothing_is_offered_where_no_pipeline_is_or_it_comes_from_standard_input() -> None:
    assert completed("") == []
    assert completed("", "-") == []


LONG = 3_600.0


def runs_for(incomplete: str, patience_seconds: float = LONG) -> list[tuple[str, str | None]]:
    """Complete the name of a run, and tell each with its help."""
    command = root.commands["watch"]
    context = click.Context(command)
    context.meta[PATIENCE] = patience_seconds
    return [(item.value, item.help) for item in complete_run(context, command.params[0], incomplete)]


@pytest.fixture
def served(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("served")
def test_the_runs_of_a_pipeline_are_offered_with_the_newest_first(api: FakeApi) -> None:
    shop = api.add_pipeline("shop", "unit")
    api.cancel(api.start_run(shop))
    api.start_run(shop)
    api.start_run(api.add_pipeline("shopping", "unit"))
    assert runs_for("shop/") == [
        ("shop/latest", "its newest run"),
        ("shop/2", "queued"),
        ("shop/1", "cancelled"),
    ]
    assert runs_for("shop/1") == [("shop/1", "cancelled")]
    assert runs_for("shop/l") == [("shop/latest", "its newest run")]


@pytest.mark.usefixtures("served")
def test_the_runs_of_all_pipelines_that_begin_so_are_offered(api: FakeApi) -> None:
    for name in ("shop", "shopping", "other"):
        api.start_run(api.add_pipeline(name, "unit"))
    assert {name for name, _ in runs_for("sh")} == {"shop/1", "shopping/1"}
    assert {name for name, _ in runs_for("")} == {"shop/1", "shopping/1", "other/1"}
    assert runs_for("nothing/") == []


@pytest.mark.usefixtures("served")
def test_an_id_that_was_begun_is_completed_with_what_it_is(api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "unit"))
    assert runs_for(f"{run_id}"[:20]) == [(f"{run_id}", "shop/1 queued")]
    assert runs_for("0fff") == []


def test_where_no_server_answers_no_run_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in isolated(tmp_path, "http://127.0.0.1:1", "x").items():
        monkeypatch.setenv(name, value)
    assert runs_for("") == []


def test_a_server_that_says_nothing_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for name, value in isolated(tmp_path, f"http://127.0.0.1:{port}", "x").items():
            monkeypatch.setenv(name, value)
        assert runs_for("", patience_seconds=0.01) == []
        asked, _ = silent.accept()
        asked.close()
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("served")
def test_no_artifact_is_offered_without_a_run_or_for_what_is_none() -> None:
    command = root.commands["watch"]
    context = click.Context(command)
    context.meta[PATIENCE] = LONG
    for reference in (None, "shop", "shop/1"):
        context.params["reference"] = reference
        assert complete_artifact(context, command.params[0], "") == []
