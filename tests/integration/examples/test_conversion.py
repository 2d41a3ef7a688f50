"""The examples of other systems' files: as they are, converted, and on a server, they run alike."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from command_line import CommandLine
from git_server import git
from integration.examples.expected import EXAMPLES, Example

_EXAMPLES: Final = Path(__file__).parents[3] / "examples"
_IDS: Final = re.compile(r"\b([0-9a-f]{32}|[0-9a-f]{16})\b")
_URLS: Final = re.compile(r"http://127\.0\.0\.1:\d+/[\w-]+")

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)


def repository(example: Example, folder: Path) -> Path:
    """Make a repository of its own of an example, and return the file in it."""
    file = _EXAMPLES / example.file
    root = next(parent for parent in file.parents if parent.name == example.root)
    copy = folder / root.name
    shutil.copytree(root, copy)
    git("init", "--quiet", "--initial-branch=main", folder=copy)
    git("add", "--all", folder=copy)
    git("commit", "--quiet", "--message", "Begin", folder=copy)
    git("tag", "v1.0", folder=copy)
    return copy / file.relative_to(root)


def run_here(lineshaft: CommandLine, file: Path, source: Path, example: Example) -> list[Mapping[str, Any]]:
    """Run a file without a server, and return its runs, each with the logs of its tasks."""
    options = ("--ignore-images", "--logs", "--output", "json", "--source", source)
    result = lineshaft("run", file, *options, *example.arguments)
    runs: list[Mapping[str, Any]] = []
    logs: dict[str, str] = {}
    for line in map(json.loads, result.out.splitlines()):
        if "log" in line:
            logs[line["path"]] = line["log"]
        elif "run" in line:
            runs.append({**line["run"], "logs": logs})
            logs = {}
    assert runs, result.err
    return runs


def run_there(lineshaft: CommandLine, file: Path, source: Path, example: Example) -> list[Mapping[str, Any]]:
    """Make the pipelines of a file on a server, run each, and return what `run_here` does."""
    made = lineshaft("create-pipeline", file, "--repository", source)
    assert made.code == 0, made.err
    return [_run_there(lineshaft, json.loads(line)["id"], example) for line in made.out.splitlines()]


def _run_there(lineshaft: CommandLine, pipeline: str, example: Example) -> Mapping[str, Any]:
    lineshaft("trigger-pipeline", pipeline, "--watch", *example.arguments)
    run = json.loads(lineshaft("show", f"{pipeline}/latest", "--output", "json").out)
    begun = [node["path"] for node in run["nodes"] if node["kind"] != "group" and node["attempt"]]
    return {**run, "logs": {path: lineshaft("logs", run["id"], path).out for path in begun}}


def judge(runs: list[Mapping[str, Any]], example: Example) -> None:
    """Hold runs of an example against what they have to come to."""
    assert len(runs) == len(example.runs)
    for run, expected in zip(runs, example.runs, strict=True):
        assert {node["path"]: _end(node) for node in run["nodes"]} == expected.nodes
        assert _end(run) == expected.state
        assert {path: _lasting(log) for path, log in run["logs"].items()} == expected.logs
        nodes = {node["path"]: node for node in run["nodes"]}
        for earlier, later in expected.order:
            assert nodes[earlier]["ended_at"] <= nodes[later]["started_at"], f"{later} began before {earlier}"


def _end(what: Mapping[str, Any]) -> str:
    return what["state"] if what["reason"] is None else f"{what['state']}:{what['reason']['code']}"


def _lasting(log: str) -> str:
    """Leave out of a log what is another in every run."""
    return _IDS.sub("ID", _URLS.sub("URL", log))


@each_example
def test_an_example_runs_as_it_is_and_converted(
    example: Example, lineshaft: CommandLine, tmp_path: Path
) -> None:
    file = repository(example, tmp_path)
    source = tmp_path / example.root
    judge(run_here(lineshaft, file, source, example), example)

    converted = json.loads(lineshaft("convert", file, "--output", "json").out)
    assert converted["files"] == {}
    assert len(converted["texts"]) == len(example.runs)
    file.unlink()
    for text, expected in zip(converted["texts"], example.runs, strict=True):
        (source / "lineshaft.yml").write_text(text)
        runs = run_here(lineshaft, source / "lineshaft.yml", source, example)
        judge(runs, Example(example.file, example.root, (expected,), example.arguments))


@each_example
def test_an_example_runs_on_a_server(
    example: Example,
    lineshaft: CommandLine,
    server_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = repository(example, tmp_path)
    monkeypatch.setenv("LINESHAFT_URL", server_url)
    monkeypatch.setenv("LINESHAFT_PASSWORD", "admin")
    judge(run_there(lineshaft, file, tmp_path / example.root, example), example)
