import json
from pathlib import Path

import pytest

from command_line import CommandLine
from lineshaft.cli.exit_code import ExitCode

SHOP = """
name: shop
inputs:
  level: {default: fast, choices: [fast, full]}
steps:
  - {name: lint, run: ruff check .}
  - name: test
    parallel: true
    steps:
      - name: unit
        matrix: {python: ["3.11", "3.12"]}
        run: tox
      - {name: api, if: 'changed("api/**")', run: pytest}
      - {name: slow, if: inputs.level == "full", run: pytest}
  - {name: tell, if: failed(), run: ./tell}
  - name: ship
    if: branch == "main" && event == "push"
    setup: {run: ./freeze on}
    run: ./ship
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lineshaft.yml").write_text(SHOP)
    return tmp_path


def decisions(lineshaft: CommandLine, *arguments: str) -> dict[str, str]:
    document = json.loads(lineshaft("plan", "--format", "json", *arguments).out)
    return {node["path"]: node["decision"] for node in document["nodes"]}


def test_a_plan_is_a_tree_that_says_what_is_skipped_and_why(lineshaft: CommandLine) -> None:
    assert lineshaft("plan", "--changed", "README.md").out.splitlines() == [
        "shop  3 to run, 4 skipped, 1 decided later  one behind the other",
        "├── ● lint  run",
        "├── ● test  side by side",
        "│   ├── ● unit  side by side",
        "│   │   ├── ● 3.11  run",
        "│   │   └── ● 3.12  run",
        '│   ├── - api  run  skipped  Its condition is false: changed("api/**")',
        '│   └── - slow  run  skipped  Its condition is false: inputs.level == "full"',
        "├── ? tell  run  decided later  It is decided when its turn comes: failed()",
        '└── - ship  group  skipped  Its condition is false: branch == "main" && event == "push"',
        "    ├── - setup  run  skipped  The group around it is skipped.",
        "    └── - run  run  skipped  The group around it is skipped.",
    ]


def test_a_plan_says_in_which_image_a_task_runs_and_beside_what(lineshaft: CommandLine, folder: Path) -> None:
    (folder / "lineshaft.yml").write_text("""
name: shop
steps:
  - {name: a, run: x, image: {build: {}}}
  - {name: b, run: x, image: go, services: {db: {image: postgres}, mail: {image: smtp}}}
""")
    assert lineshaft("plan").out.splitlines()[1:] == [
        "├── ● a  run in an image of Dockerfile",
        "└── ● b  run in go beside db, mail",
    ]
    first, second = json.loads(lineshaft("plan", "--format", "json").out)["nodes"]
    assert (first["image"], first["services"]) == ({"dockerfile": "Dockerfile", "context": "."}, [])
    assert (second["image"], second["services"]) == ("go", ["db", "mail"])


def test_inputs_changes_and_what_started_it_decide(lineshaft: CommandLine) -> None:
    found = decisions(lineshaft, "--input", "level=full", "--changed", "api/a.py")
    assert (found["test/api"], found["test/slow"]) == ("runs", "runs")


def test_an_override_holds_for_the_plan(lineshaft: CommandLine) -> None:
    assert decisions(lineshaft, "-o", "steps.ship.if=true")["ship/run"] == "runs"


def test_what_is_not_asked_for_is_skipped(lineshaft: CommandLine) -> None:
    found = decisions(lineshaft, "--only", "test/unit")
    assert {path for path, decision in found.items() if decision != "skipped"} == {
        *("test", "test/unit", "test/unit/3.11", "test/unit/3.12"),
    }
    assert decisions(lineshaft, "--from", "test")["lint"] == "skipped"


def test_a_node_that_is_not_there_is_told(lineshaft: CommandLine) -> None:
    assert lineshaft("plan", "--only", "nope").code == ExitCode.NOT_FOUND


def test_an_input_that_does_not_fit_is_told_without_a_place(lineshaft: CommandLine) -> None:
    result = lineshaft("plan", "--input", "level=huge")
    assert result.code == ExitCode.INVALID_INPUT
    assert "level must be one of" in result.err
    assert "lineshaft.yml" not in result.err


def test_a_plan_can_be_drawn(lineshaft: CommandLine) -> None:
    lines = lineshaft("plan", "--graph", "--changed", "api/a").out.splitlines()
    assert lines[0] == "flowchart TD"
    assert lines[-1] == "  class n7,n9,n10,n11 skipped"


def test_a_graph_and_json_do_not_go_together(lineshaft: CommandLine) -> None:
    assert lineshaft("plan", "--graph", "--format", "json").code == ExitCode.WRONG_USAGE


def test_a_ref_outside_of_git_is_refused(lineshaft: CommandLine) -> None:
    assert lineshaft("plan", "--ref", "main").code == ExitCode.INVALID_INPUT
