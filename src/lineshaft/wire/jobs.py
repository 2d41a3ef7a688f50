"""Pipelines and runs in the words of RestfulCI: jobs, and runs of jobs."""

import json
from collections.abc import Iterable
from typing import Any, Final

from lineshaft.model.artifact import Artifact
from lineshaft.model.definition import Definition, Format
from lineshaft.model.input import Input
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.wire.run import time_text

_IN_PROGRESS: Final = "IN_PROGRESS"
_STATUSES: Final = {
    State.SUCCEEDED: "SUCCESS",
    State.CANCELLED: "ABORT",
    State.SKIPPED: "ABORT",
}
"""The status of a run that has ended; all that is not here failed."""


def job_document(pipeline: Pipeline) -> dict[str, Any]:
    """Say a pipeline as a job: one with a repository is a git job, any other a freestyle job."""
    definition = pipeline.definition
    said: dict[str, Any] = {"id": str(pipeline.id), "name": pipeline.name}
    if definition.repository is None:
        said |= {"type": "FREESTYLE", **_only_task(definition)}
    else:
        said |= {"type": "GIT", "remoteOrigin": definition.repository}
        if pipeline.config_file is not None:
            said["configFilepath"] = pipeline.config_file.path
    return {**said, "parameters": [_parameter(each) for each in definition.inputs]}


def job_run_document(run: Run, results: Iterable[Artifact]) -> dict[str, Any]:
    """Say a run of a job; what is not known is left out.

    Args:
        run: the run.
        results: what its tasks have found.
    """
    source = run.source
    said: dict[str, Any] = {
        "id": run.number,
        "uuid": str(run.id),
        "job": {"id": str(run.pipeline_id), "name": run.tree.root.name},
        "type": "GIT" if source is not None and source.repository else "FREESTYLE",
        "inputs": [{"name": name, "value": _text(value)} for name, value in run.inputs.items()],
        "status": _STATUSES.get(run.state, "FAIL") if run.state.ended else _IN_PROGRESS,
        "triggerAt": time_text(run.created_at),
        "results": [job_result_document(each) for each in results],
    }
    if source is not None:
        named = {"commitSha": source.commit, "branchName": source.branch}
        said |= {name: value for name, value in named.items() if value}
    return said | (_end(run) if run.state.ended else {})


def job_result_document(artifact: Artifact) -> dict[str, Any]:
    """Say what a task of a job's run has found."""
    kind = None if artifact.type is None else artifact.type.value
    return {"id": str(artifact.id), "type": kind, "containerPath": artifact.name}


def _end(run: Run) -> dict[str, Any]:
    ended_at = run.root.ended_at or run.created_at
    said: dict[str, Any] = {
        "completeAt": time_text(ended_at),
        "durationInSecond": int((ended_at - run.created_at).total_seconds()),
    }
    codes = [node.exit_code for node in run.nodes if node.exit_code is not None]
    if codes:
        said["exitCode"] = next((code for code in codes if code != 0), 0)
    if run.state is not State.SUCCEEDED:
        reasons = (node.reason.text for node in run.nodes if node.reason is not None)
        message = next(reasons, None)
        said |= {} if message is None else {"errorMessage": message}
    return said


def _parameter(asked: Input) -> dict[str, Any]:
    said: dict[str, Any] = {"name": asked.name, "isRequired": asked.required}
    if asked.default is not None:
        said["defaultValue"] = _text(asked.default)
    if asked.choices:
        said["choices"] = [_text(each) for each in asked.choices]
    return said


def _only_task(definition: Definition) -> dict[str, Any]:
    """Tell image and command of a pipeline that has one task and nothing else."""
    steps = json.loads(definition.text).get("steps", []) if definition.format is Format.NATIVE else []
    if len(steps) != 1:
        return {}
    (task,) = steps
    said = {"dockerImage": task.get("image"), "command": task.get("exec")}
    return {name: value for name, value in said.items() if isinstance(value, str | list)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def result_name(artifact: Artifact) -> str:
    """Name a result's file by the node that has kept it."""
    return f"{artifact.path}/{artifact.name}"
