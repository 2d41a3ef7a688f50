"""What a workload is, and how the systems take turns at it."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from systems.system import Job, Server, System

WARM_UP: Final = Job("warm-up", ("true",))
"""Run on every server before anything is measured, so that nothing is loaded for the first time later."""

_WARM_UP_RUNS: Final = 3

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that a workload measures, and a row of the table.

    Attributes:
        title: as it stands in the table.
        unit: of every value.
        aim: the value to be reached by Lineshaft; None where there is none.
        more_is_better: whether a greater value is better than a small one.
    """

    title: str
    unit: str
    aim: float | None = None
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured value of one system."""

    system: str
    figure: str
    value: float


class Workload(Protocol):
    """Work that every system does alike."""

    @property
    def name(self) -> str:
        """The name by which the command line chooses it."""

    @property
    def repetitions(self) -> int:
        """How often each system does it unless the command line says otherwise."""

    @property
    def figures(self) -> Mapping[str, Figure]:
        """What it measures, by keys that are unique among all workloads."""

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Let the systems do it, taking turns.

        Raises:
            BenchmarkError: a system gave a wrong result.
        """


@contextmanager
def started(system: System, jobs: Sequence[Job], folder: Path) -> Iterator[Server]:
    """Start a server on a new folder and warm it up; both are gone when the context is left."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"{system.name}-".lower()) as own:
        every = (*jobs, WARM_UP)
        system.prepare(Path(own), every)
        with system.launch(Path(own), every) as server:
            for _ in range(_WARM_UP_RUNS):
                seconds_of_run(server, WARM_UP)
            yield server


def take_turns(
    systems: Sequence[System],
    jobs: Sequence[Job],
    repetitions: int,
    folder: Path,
    measure: Callable[[Server], Mapping[str, float]],
    *,
    unmeasured: int = 0,
) -> Iterator[Sample]:
    """Start a server a system, and let each do the work in turn, each round begun by another one.

    Args:
        systems: each gets one server for all rounds.
        jobs: what the servers are to know.
        repetitions: how many rounds are measured.
        folder: for the servers' data.
        measure: does the work once, and returns values by the keys of figures.
        unmeasured: how often each does the work beforehand, where its first time is known to differ.
    """
    with ExitStack() as stack:
        servers = [stack.enter_context(started(each, jobs, folder)) for each in systems]
        for server in servers * unmeasured:
            measure(server)
        for round_number in range(repetitions):
            for server in rotated(servers, round_number):
                for figure, value in measure(server).items():
                    yield Sample(server.name, figure, value)


def rotated(items: Sequence[_Item], by: int) -> list[_Item]:
    """Begin with another item."""
    start = by % len(items)
    return [*items[start:], *items[:start]]


def seconds_of_run(server: Server, job: Job) -> float:
    """Trigger a run and wait for its end; return the seconds between, if the run was right."""
    with server.client() as client, server.watcher() as watcher:
        begin = time.perf_counter()
        run = client.trigger(job)
        watcher.wait([run])
        seconds = time.perf_counter() - begin
        client.check(run, job)
    return seconds
