"""`Format.CICD`: files of a folder `.cicd-pipelines`, read as they stand and turned into native documents.

Stages run one behind the other, so each becomes a group of a sequence. In a stage jobs run by their needs, and a job
that fails has the others of its stage cancelled, so the group is parallel or a graph, and fails fast.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lineshaft.definition.cicd_document import CicdDocument, JobDocument
from lineshaft.definition.document import check_document, nearest
from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.foreign import Foreign, Names, Native, Note
from lineshaft.definition.position import Path
from lineshaft.definition.quoting import script, template_text

_SHOWN_CYCLE_NAMES: Final = 12


def cicd_to_native(value: Any, findings: Findings) -> Foreign | None:
    """Turn a document into a native one.

    Args:
        value: what its text says.
        findings: takes everything that is wrong with it.

    Returns:
        One document; None when something is wrong.
    """
    document = check_document(CicdDocument, value, findings)
    _check_stages(value, findings)
    _check_jobs(value, findings)
    if document is None or findings:
        return None
    notes: list[Note] = []
    steps = [_stage(plan, notes) for plan in _plans(document, notes)]
    native: Native = {"name": document.name}
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
            names = Names()
            yield _Plan(stages.take(stage), jobs, {name: names.take(name) for name in jobs})
        elif "stages" in document.model_fields_set:
            notes.append(Note(("stages", index), f"is left out: no job belongs to the stage {shown(stage)}"))


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
    if job.artifacts is not None and job.artifacts.paths:
        native["artifacts"] = [template_text(path) for path in job.artifacts.paths]
    return native


def _script(lines: tuple[str, ...]) -> str:
    """Join the lines of a script so that the first that fails ends it, each as it was written."""
    if len(lines) == 1:
        return lines[0]
    return "".join(f"{line}\n" for line in ("set -e", *(line.removesuffix("\n") for line in lines)))


def _check_stages(value: Any, findings: Findings) -> None:
    stages = value.get("stages") if isinstance(value, dict) else None
    first: dict[str, int] = {}
    for index, stage in enumerate(stages if isinstance(stages, list) else ()):
        if isinstance(stage, str) and first.setdefault(stage, index) != index:
            findings.add(("stages", index), f"must be unique; stages.{first[stage]} is {shown(stage)} already")


def _check_jobs(value: Any, findings: Findings) -> None:
    # Apart from the other rules, because those of one job do not see the next, and are told all the same.
    if not isinstance(value, dict) or not isinstance(value.get("jobs"), dict):
        return
    jobs = {name: job for name, job in value["jobs"].items() if isinstance(name, str) and isinstance(job, dict)}
    stages = _stages_of(value)
    for name, job in jobs.items():
        stage = job.get("stage")
        if isinstance(stage, str) and stages and stage not in stages:
            known = f"the stages are {', '.join(map(shown, list(stages)[:20]))}"
            findings.add(("jobs", name, "stage"), f"is unknown: {known}{nearest(stage, stages)}")
        for index, need in _needs(job):
            _check_need(need, ("jobs", name, "needs", index), job, jobs, stages, findings)
    _check_cycles(jobs, findings)


def _stages_of(value: Mapping[str, Any]) -> dict[str, int]:
    stages = value.get("stages", CicdDocument.model_fields["stages"].get_default(call_default_factory=True))
    known = [stage for stage in stages if isinstance(stage, str)] if isinstance(stages, list) else []
    return {stage: index for index, stage in reversed(list(enumerate(known)))}


def _check_need(
    need: str,
    path: Path,
    job: Mapping[str, Any],
    jobs: Mapping[str, Mapping[str, Any]],
    stages: Mapping[str, int],
    findings: Findings,
) -> None:
    if need not in jobs:
        if findings.full:
            findings.add(path, "")
        else:
            findings.add(path, f"is unknown: there is no job {shown(need)}{nearest(need, jobs)}")
        return
    own, other = (_place(one, stages) for one in (job, jobs[need]))
    if own is not None and other is not None and other > own:
        findings.add(
            path, f"must be a job of the same stage or of one before; {shown(need)} belongs to a later one"
        )


def _place(job: Mapping[str, Any], stages: Mapping[str, int]) -> int | None:
    stage = job.get("stage")
    return stages.get(stage) if isinstance(stage, str) else None


def _needs(job: Mapping[str, Any]) -> list[tuple[int, str]]:
    needs = job.get("needs")
    listed = enumerate(needs if isinstance(needs, list) else ())
    return [(index, need) for index, need in listed if isinstance(need, str)]


def _check_cycles(jobs: Mapping[str, Mapping[str, Any]], findings: Findings) -> None:
    # With a stack of its own, because a chain of needs may be longer than the interpreter's.
    done: set[str] = set()
    for start in jobs:
        trail: list[tuple[str, Iterator[tuple[int, str]]]] = []
        on_trail: dict[str, int] = {}
        if start not in done:
            trail.append((start, iter(_needs(jobs[start]))))
            on_trail[start] = 0
        while trail:
            name, needs = trail[-1]
            index, need = next(needs, (0, None))
            if need is None:
                trail.pop()
                del on_trail[name]
                done.add(name)
            elif need in on_trail:
                cycle = [step for step, _ in trail[on_trail[need] :]] if not findings.full else []
                findings.add(("jobs", name, "needs", index), _cycle_message([*cycle, need]))
            elif need in jobs and need not in done:
                on_trail[need] = len(trail)
                trail.append((need, iter(_needs(jobs[need]))))


def _cycle_message(names: list[str]) -> str:
    if len(names) > _SHOWN_CYCLE_NAMES:
        half = _SHOWN_CYCLE_NAMES // 2
        names = [*names[:half], f"… ({len(names) - 2 * half:,} more) …", *names[-half:]]
    return f"makes a circle: {' -> '.join(names)}; take one of these needs away"
