"""A hundred triggers by eight clients at once."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from measure.signal_pipe import SignalPipe
from systems.system import Client, Job, Server, System
from workloads.workload import Figure, Sample, take_turns

_TRIGGERS: Final = 100
_CLIENTS: Final = 8


class Storm:
    """A job a trigger, since a trigger supersedes the run that its pipeline has under way."""

    name = "storm"
    repetitions = 3
    figures: Mapping[str, Figure] = {
        "storm": Figure("100 triggers by 8 clients until all ended", "s", aim=0.6)
    }

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Time from the first trigger to the last end."""
        with SignalPipe(folder / "spoken") as pipe:
            jobs = [Job(f"storm-{number}", (pipe.command(str(number)),)) for number in range(_TRIGGERS)]
            yield from take_turns(
                systems, jobs, repetitions, folder, lambda server: {"storm": _seconds(server, jobs, pipe)}
            )


def _seconds(server: Server, jobs: Sequence[Job], pipe: SignalPipe) -> float:
    with ExitStack() as stack:
        watcher = stack.enter_context(server.watcher())
        clients = [stack.enter_context(server.client()) for _ in range(_CLIENTS)]
        pool = stack.enter_context(ThreadPoolExecutor(_CLIENTS))
        begin = time.perf_counter()
        answers = [
            pool.submit(_trigger, client, jobs[number::_CLIENTS]) for number, client in enumerate(clients)
        ]
        spoken = [jobs[int(pipe.next())].name for _ in jobs]
        runs = {name: run for answer in answers for name, run in answer.result().items()}
        watcher.wait([runs[name] for name in spoken])
        seconds = time.perf_counter() - begin
        for job in jobs:
            clients[0].check(runs[job.name], job)
    return seconds


def _trigger(client: Client, jobs: Sequence[Job]) -> dict[str, str]:
    return {job.name: client.trigger(job) for job in jobs}
