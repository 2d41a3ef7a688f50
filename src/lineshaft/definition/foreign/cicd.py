"""`Dialect.CICD`: files of a folder `.cicd-pipelines`, read as they stand and turned into native documents.

Stages run one behind the other, so each becomes a group of a sequence. In a stage jobs run by their needs,
and a job that fails has the others of its stage cancelled: the group is parallel or a graph, and fails fast.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.foreign.cicd_document import CicdDocument, JobDocument
from lineshaft.definition.foreign.cicd_references import check_references
from lineshaft.definition.foreign.quoting import script, template_text
from lineshaft.definition.foreign.reading import (
    Foreign,
    Names,
    Native,
    Note,
    fit_name,
    lies_in_workspace,
    renamed,
)
from lineshaft.definition.native.shape import check_shape


def cicd_to_native(value: Any, findings: Findings) -> Foreign | None:
    """Turn a document into a native one.

    Args:
        value: what its text says.
        findings: takes everything that is wrong with it.

    Returns:
        One document; None when something is wrong.
    """
    check_references(value, findings)
    document = check_shape(CicdDocument, value, findings)
    if document is None or findings:
        return None
    notes: list[Note] = []
    steps = [_stage(plan, notes) for plan in _plans(document, notes)]
    name = fit_name(document.name)
    notes += renamed(("name",), document.name, name)
    native: Native = {"name": name}
    if document.default is not None and document.default.image is not None:
        native["defaults"] = {"image": template_text(document.default.image)}
    native["steps"] = steps
    return Foreign((native,), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Plan:
    """A stage that has jobs.

    Attributes:
        name: as the native language takes it.
        jobs: those of this stage, in the order of the document.
        names: what each of these jobs is called.
    """

    name: str
    jobs: Mapping[str, JobDocument]
    names: Mapping[str, str]


def _plans(document: CicdDocument, notes: list[Note]) -> Iterator[_Plan]:
    members: dict[str, dict[str, JobDocument]] = {stage: {} for stage in document.stages}
    for name, job in document.jobs.items():
        members[job.stage][name] = job
    stages = Names()
    for index, stage in enumerate(document.stages):
        jobs = members[stage]
        if jobs:
            yield _plan(stages.take(stage), stage, jobs, notes)
        elif "stages" in document.model_fields_set:
            notes.append(Note(("stages", index), f"is left out: no job belongs to the stage {shown(stage)}"))


def _plan(name: str, stage: str, jobs: Mapping[str, JobDocument], notes: list[Note]) -> _Plan:
    notes += renamed(("stages",), stage, name)
    taken = Names()
    names = {job: taken.take(job) for job in jobs}
    for job, job_name in names.items():
        notes += renamed(("jobs", job), job, job_name)
    return _Plan(name, jobs, names)


def _stage(plan: _Plan, notes: list[Note]) -> Native:
    native: Native = {"name": plan.name}
    steps = [_job(name, job, plan, notes) for name, job in plan.jobs.items()]
    if len(steps) > 1:
        if not any("needs" in step for step in steps):
            native["parallel"] = True
        native["fail_fast"] = True
    return {**native, "steps": steps}


def _job(name: str, job: JobDocument, plan: _Plan, notes: list[Note]) -> Native:
    native: Native = {"name": plan.names[name]}
    needs: list[str] = []
    for index, need in enumerate(job.needs):
        if need in plan.names:
            needs.append(plan.names[need])
        else:
            message = f"is left out: the stage of {shown(need)} has ended before this one begins"
            notes.append(Note(("jobs", name, "needs", index), message))
    if needs:
        native["needs"] = list(dict.fromkeys(needs))
    if job.allow_failure:
        native["allow_failure"] = True
    if job.image is not None:
        native["image"] = template_text(job.image)
    native |= script(_script(job.script))
    artifacts = _artifacts(name, job, notes)
    return {**native, "artifacts": artifacts} if artifacts else native


def _artifacts(name: str, job: JobDocument, notes: list[Note]) -> list[str]:
    kept: list[str] = []
    for index, path in enumerate(job.artifacts.paths if job.artifacts else ()):
        if lies_in_workspace(path):
            kept.append(template_text(path))
        else:
            message = "is left out: only files of the workspace can be kept; have the script copy them there"
            notes.append(Note(("jobs", name, "artifacts", "paths", index), message))
    return kept


def _script(lines: tuple[str, ...]) -> str:
    """Join the lines of a script, each as it was written; the first that fails ends it."""
    if len(lines) == 1:
        return lines[0]
    return "\n".join([*(line.removesuffix("\n") for line in lines), ""])
