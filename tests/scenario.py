"""Scenarios: a pipeline in a file, and beside it how a run of it has to end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

FOLDER: Final = Path(__file__).parent / "scenarios"
REFUSED: Final = "refused"
"""The state that a scenario expects whose pipeline, or whose run, is not to be accepted."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a run is started with.

    Attributes:
        inputs: by name.
        changed: the changed paths; None says nothing of them.
        overrides: `key.path=value` each.
        only: the nodes to run; all when there are none.
        begin: the node to begin at; empty for the first.
        pipelines: files of the pipelines that it may call.
        secrets: by name.
    """

    inputs: Mapping[str, str]
    changed: Sequence[str] | None
    overrides: Sequence[str]
    only: Sequence[str]
    begin: str
    pipelines: Sequence[Path]
    secrets: Mapping[str, str]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read the part of an expectation that says it."""
        return cls(
            inputs=document.get("inputs", {}),
            changed=document.get("changed"),
            overrides=document.get("overrides", ()),
            only=document.get("only", ()),
            begin=document.get("from", ""),
            pipelines=[FOLDER / "pipelines" / name for name in document.get("pipelines", ())],
            secrets=document.get("secrets", {}),
        )

    def arguments(self) -> list[str]:
        """Say it on the command line."""
        arguments = [f"--input={name}={value}" for name, value in self.inputs.items()]
        arguments += [f"--changed={path}" for path in self.changed or ()]
        arguments += [f"--override={override}" for override in self.overrides]
        arguments += [f"--only={path}" for path in self.only]
        arguments += [f"--pipeline={path}" for path in self.pipelines]
        return [*arguments, *([f"--from={self.begin}"] if self.begin else [])]

    def body(self) -> dict[str, Any]:
        """Say it in the API's words."""
        said = {
            "inputs": dict(self.inputs),
            "changed": self.changed,
            "overrides": dict(each.split("=", 1) for each in self.overrides),
            "only": list(self.only),
            "from": self.begin or None,
        }
        return {key: value for key, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A pipeline and its end.

    Attributes:
        path: the pipeline's file.
        given: what the run is started with.
        expected: the states by path, and what else is to hold.
    """

    path: Path
    given: Given
    expected: Mapping[str, Any]

    @classmethod
    def all(cls) -> list[Self]:
        """Read every scenario, in their files' order."""
        return [cls.read(path) for path in sorted(FOLDER.glob("*.yaml"))]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the scenario of a pipeline's file."""
        expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
        return cls(path, Given.read(expected.get("given", {})), expected)

    @property
    def refused(self) -> bool:
        """Whether no run may come of it."""
        return bool(self.expected["state"] == REFUSED)

    def judge_refusal(self, text: str) -> None:
        """Hold what was said of a pipeline, or of a run, against what has to be said."""
        for words in self.expected["problems"]:
            assert words in text

    def judge(self, run: Mapping[str, Any], logs: Mapping[str, str]) -> None:
        """Hold a run that has ended, as the API shows it, against what was expected.

        Args:
            run: the run.
            logs: the logs that could be read, by path.
        """
        expected = self.expected
        nodes = {node["path"]: node for node in run["nodes"]}
        free = set(expected.get("free", ()))
        ends = {path: _end(node) for path, node in nodes.items() if path not in free}
        assert ends == expected["nodes"]
        assert _end(run) == expected["state"]
        for field in ("exit_code", "attempt"):
            wanted = expected.get(f"{field}s", {})
            assert {path: nodes[path][field] for path in wanted} == wanted
        for earlier, later in expected.get("order", ()):
            assert nodes[earlier]["ended_at"] <= nodes[later]["started_at"], f"{later} began before {earlier}"
        for path, text in expected.get("logs", {}).items():
            assert logs.get(path, text) == text


def _end(what: Mapping[str, Any]) -> str:
    """Write a state with its reason's code."""
    reason = what["reason"]
    return str(what["state"]) if reason is None else f"{what['state']}:{reason['code']}"
