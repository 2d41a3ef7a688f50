"""What names what in a document of `Dialect.CICD`: stages are unique, needs are known and no circle."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.foreign.cicd_document import STAGES_DEFAULT
from lineshaft.definition.native.shape import nearest
from lineshaft.definition.position import Path

_ADVISED_NAMES: Final = 200
_SHOWN_NAMES: Final = 8
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
            message = f"must be unique; stages.{first[stage]} is {shown(stage)} already"
            findings.add(("stages", index), message, advice="leave one of them out")
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
                self._unknown(("jobs", name, "stage"), "stage", stage, self._stages)
            for index, need in self._needs(name):
                self._check_need(("jobs", name, "needs", index), job, need)

    def _unknown(self, path: Path, kind: str, name: str, known: Iterable[str]) -> None:
        if self._findings.full:
            self._findings.add(path, "")
            return
        some = list(islice(known, _ADVISED_NAMES))
        advice = nearest(name, some) or f"known are {', '.join(map(shown, some[:_SHOWN_NAMES]))}"
        span = self._findings.positions.value(path)
        self._findings.add(path, f"is unknown: there is no {kind} {shown(name)}", advice=advice, span=span)

    def _check_need(self, path: Path, job: Mapping[str, Any], need: str) -> None:
        if need not in self._jobs:
            self._unknown(path, "job", need, self._jobs)
            return
        own, other = self._place(job), self._place(self._jobs[need])
        if own is not None and other is not None and other > own:
            message = f"is a job of a later stage: {shown(need)} has not begun by then"
            self._findings.add(path, message, advice="name jobs of the same stage, or of one before")

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
                message = f"makes a circle: {_told([*circle, need])}"
                self._findings.add(("jobs", name, "needs", index), message, advice="leave one of them out")
            elif need in self._jobs and need not in done:
                on_trail[need] = len(trail)
                trail.append((need, iter(self._needs(need))))


def _told(names: list[str]) -> str:
    if len(names) > _SHOWN_CIRCLE_NAMES:
        half = _SHOWN_CIRCLE_NAMES // 2
        names = [*names[:half], f"… ({len(names) - 2 * half:,} more) …", *names[-half:]]
    return " -> ".join(names)
