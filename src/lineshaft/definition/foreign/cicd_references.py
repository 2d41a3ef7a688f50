"""What names what in a document of `Dialect.CICD`: stages are unique, needs are known and no circle."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.foreign.cicd_document import STAGES_DEFAULT
from lineshaft.definition.foreign.document import nearest

_SHOWN_STAGES: Final = 20
_SHOWN_CIRCLE_NAMES: Final = 12


def check_references(value: Any, findings: Findings) -> None:
    """Find names that are given twice or that name nothing, and circles of needs.

    Apart from the document's other rules, because those of one job do not see the next.

    Args:
        value: what the text says, which may break any rule.
        findings: takes what is wrong.
    """
    if not isinstance(value, dict):
        return
    listed = value.get("stages", STAGES_DEFAULT)
    stages = _stages(listed if isinstance(listed, list | tuple) else (), findings)
    jobs = value.get("jobs")
    if isinstance(jobs, dict):
        references = _References(jobs, stages, findings)
        references.check_names()
        references.check_circles()


def _stages(listed: list[Any] | tuple[Any, ...], findings: Findings) -> dict[str, int]:
    """Map each stage to its place; of a repeated one the first."""
    first: dict[str, int] = {}
    for index, stage in enumerate(listed):
        if isinstance(stage, str) and first.setdefault(stage, index) != index:
            findings.add(
                ("stages", index), f"must be unique; stages.{first[stage]} is {shown(stage)} already"
            )
    return first


class _References:
    """The jobs of one document, by what they name."""

    def __init__(self, jobs: Mapping[Any, Any], stages: Mapping[str, int], findings: Findings) -> None:
        self._jobs: dict[str, dict[str, Any]] = {
            name: job for name, job in jobs.items() if isinstance(name, str) and isinstance(job, dict)
        }
        self._stages = stages
        self._findings = findings

    def check_names(self) -> None:
        """Find stages and jobs that are not there, and needs of jobs that run later."""
        for name, job in self._jobs.items():
            stage = job.get("stage")
            if isinstance(stage, str) and self._stages and stage not in self._stages:
                self._findings.add(("jobs", name, "stage"), self._unknown_stage(stage))
            for index, need in self._needs(name):
                message = self._need_problem(job, need)
                if message:
                    self._findings.add(("jobs", name, "needs", index), message)

    def _unknown_stage(self, stage: str) -> str:
        some = ", ".join(map(shown, list(self._stages)[:_SHOWN_STAGES]))
        return f"is unknown: the stages are {some}{nearest(stage, self._stages)}"

    def _need_problem(self, job: Mapping[str, Any], need: str) -> str:
        if need not in self._jobs:
            near = "" if self._findings.full else nearest(need, self._jobs)
            return f"is unknown: there is no job {shown(need)}{near}"
        own, other = self._place(job), self._place(self._jobs[need])
        if own is not None and other is not None and other > own:
            return f"must be a job of the same stage or of one before; {shown(need)} belongs to a later one"
        return ""

    def _place(self, job: Mapping[str, Any]) -> int | None:
        stage = job.get("stage")
        return self._stages.get(stage) if isinstance(stage, str) else None

    def _needs(self, name: str) -> list[tuple[int, str]]:
        needs = self._jobs[name].get("needs")
        listed = enumerate(needs if isinstance(needs, list) else ())
        return [(index, need) for index, need in listed if isinstance(need, str)]

    def check_circles(self) -> None:
        """Find needs that lead back to where they began; each is told at the need that closes the circle."""
        done: set[str] = set()
        for start in self._jobs:
            if start not in done:
                self._follow(start, done)

    def _follow(self, start: str, done: set[str]) -> None:
        # With a stack of its own, because a chain of needs may be longer than the interpreter's.
        trail: list[tuple[str, Iterator[tuple[int, str]]]] = [(start, iter(self._needs(start)))]
        on_trail = {start: 0}
        while trail:
            name, needs = trail[-1]
            index, need = next(needs, (0, None))
            if need is None:
                trail.pop()
                del on_trail[name]
                done.add(name)
            elif need in on_trail:
                circle = [] if self._findings.full else [step for step, _ in trail[on_trail[need] :]]
                self._findings.add(("jobs", name, "needs", index), _circle_message([*circle, need]))
            elif need in self._jobs and need not in done:
                on_trail[need] = len(trail)
                trail.append((need, iter(self._needs(need))))


def _circle_message(names: list[str]) -> str:
    if len(names) > _SHOWN_CIRCLE_NAMES:
        half = _SHOWN_CIRCLE_NAMES // 2
        names = [*names[:half], f"… ({len(names) - 2 * half:,} more) …", *names[-half:]]
    return f"makes a circle: {' -> '.join(names)}; take one of these needs away"
