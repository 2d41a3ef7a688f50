"""Two hundred stages that do nothing, side by side."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from systems.system import Job, System
from workloads.workload import Figure, Sample, seconds_of_run, take_turns

_JOB: Final = Job("parallel", ("true",) * 200, parallel=True)


class Parallel:
    """What stages cost that do not wait for each other, as many at once as there are slots."""

    name = "parallel"
    repetitions = 3
    figures: Mapping[str, Figure] = {
        "parallel": Figure("200 parallel `true` stages, 8 at a time", "s", aim=0.5)
    }

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Time runs from the trigger to the end."""
        return take_turns(
            systems, [_JOB], repetitions, folder, lambda server: {"parallel": seconds_of_run(server, _JOB)}
        )
