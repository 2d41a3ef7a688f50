"""GET of a run's status."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from measure.load import requests_per_second
from systems.system import Server, System
from workloads.workload import WARM_UP, Figure, Sample, take_turns

_CONNECTIONS: Final = 16
_SECONDS: Final = 5
_WARM_UP_SECONDS: Final = 1


class Status:
    """How often the status of a run that has ended can be read; the limit's is an empty FastAPI route."""

    name = "status"
    repetitions = 3
    figures: Mapping[str, Figure] = {
        "status": Figure(
            f"GET of a run's status, {_CONNECTIONS} connections", "req/s", aim=4000, more_is_better=True
        )
    }

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Ask for the status of one and the same run."""
        return take_turns(systems, [], repetitions, folder, _measure)


def _measure(server: Server) -> dict[str, float]:
    with server.client() as client, server.watcher() as watcher:
        run = client.trigger(WARM_UP)
        watcher.wait([run])
        client.check(run, WARM_UP)
    target = server.status(run)
    requests_per_second(target, connections=_CONNECTIONS, seconds=_WARM_UP_SECONDS)
    return {"status": requests_per_second(target, connections=_CONNECTIONS, seconds=_SECONDS)}
