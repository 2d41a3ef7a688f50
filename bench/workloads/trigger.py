"""From a trigger over HTTP to the start of the first process, on an idle server."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from measure.signal_pipe import SignalPipe
from systems.system import Job, Server, System
from workloads.workload import Figure, Sample, take_turns

_CALM_SECONDS: Final = 0.1


class Trigger:
    """The process itself says that it has started: the first act of its shell is to write to a pipe."""

    name = "trigger"
    repetitions = 50
    figures: Mapping[str, Figure] = {
        "trigger": Figure("trigger over HTTP to the first process's start, idle", "ms", aim=10)
    }

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Trigger one run at a time; none begins before the one ahead of it has ended and all is calm."""
        with SignalPipe(folder / "started") as pipe, ThreadPoolExecutor(1) as listener:
            job = Job("trigger", (pipe.command("started"),))

            def hear() -> float:
                pipe.next()
                return time.perf_counter()

            def measure(server: Server) -> dict[str, float]:
                with server.client() as client, server.watcher() as watcher:
                    heard = listener.submit(hear)
                    time.sleep(_CALM_SECONDS)
                    begin = time.perf_counter()
                    run = client.trigger(job)
                    milliseconds = (heard.result() - begin) * 1e3
                    watcher.wait([run])
                    client.check(run, job)
                return {"trigger": milliseconds}

            yield from take_turns(systems, [job], repetitions, folder, measure)
