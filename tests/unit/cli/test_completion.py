from pathlib import Path

import click
import pytest

from lineshaft.cli.app import root
from lineshaft.cli.completion import complete_node

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
