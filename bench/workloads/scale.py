"""Runs of 500, 1,000 and 5,000 nodes that do nothing."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from systems.buildbot import Buildbot
from systems.system import Job, Server, System
from workloads.workload import Figure, Sample, seconds_of_run, take_turns

_JOBS: Final = {size: Job(f"scale-{size}", ("true",) * size, parallel=True) for size in (500, 1000, 5000)}


class Scale:
    """Whether a run's time grows with its nodes and no faster: the milliseconds a node stay what they are."""

    name = "scale"
    repetitions = 3
    figures: Mapping[str, Figure] = {
        f"scale-{size}": Figure(f"a run of {size:,} parallel `true` nodes, for each node", "ms")
        for size in _JOBS
    }

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Time runs of each size; Buildbot, which would take half an hour, is left out."""
        quick = [each for each in systems if not isinstance(each, Buildbot)]
        return take_turns(quick, list(_JOBS.values()), repetitions, folder, _measure)


def _measure(server: Server) -> Mapping[str, float]:
    return {f"scale-{size}": 1000 * seconds_of_run(server, job) / size for size, job in _JOBS.items()}
