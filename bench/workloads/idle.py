"""A server that has nothing to do."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from measure.memory import MEGABYTE, held_by
from systems.system import System
from workloads.workload import Figure, Sample, rotated

_IDLE_SECONDS: Final = 5


class Idle:
    """What a server and its worker hold when idle, and how soon they answer."""

    name = "idle"
    repetitions = 3
    figures: Mapping[str, Figure] = {
        "idle_memory": Figure("idle memory, server and worker (resident)", "MB", aim=80),
        "idle_unique": Figure("the same without shared pages (unique)", "MB"),
        "cold_start": Figure("cold start to the first 200", "s", aim=0.8),
        "first_start": Figure("the first start of all, on an empty folder", "s"),
    }

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Start each on an empty folder, and again on what it left there; the second one stays idle."""
        for round_number in range(repetitions):
            for system in rotated(systems, round_number):
                for figure, value in _measure(system, folder).items():
                    yield Sample(system.name, figure, value)


def _measure(system: System, folder: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"{system.name}-".lower()) as own:
        system.prepare(Path(own), ())
        with system.launch(Path(own), ()) as server:
            first_start = server.cold_start_seconds
        with system.launch(Path(own), ()) as server:
            time.sleep(_IDLE_SECONDS)
            memory = held_by(server.pids)
            return {
                "idle_memory": memory.resident / MEGABYTE,
                "idle_unique": memory.unique / MEGABYTE,
                "cold_start": server.cold_start_seconds,
                "first_start": first_start,
            }
