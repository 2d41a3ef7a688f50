"""Fifty stages that do nothing, one after the other."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from systems.system import Job, System
from workloads.workload import Figure, Sample, seconds_of_run, take_turns

_JOB: Final = Job("sequential", ("true",) * 50)


class Sequential:
    """What one stage costs after another."""

    name = "sequential"
    repetitions = 5
    figures: Mapping[str, Figure] = {"sequential": Figure("50 sequential `true` stages", "s", aim=0.13)}

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Time runs from the trigger to the end."""
        return take_turns(
            systems, [_JOB], repetitions, folder, lambda server: {"sequential": seconds_of_run(server, _JOB)}
        )
