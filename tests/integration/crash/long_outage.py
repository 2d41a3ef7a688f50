"""A database that is away for a minute, which is longer than leases live, beside whatever else is tested."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from integration.crash.ending import check
from integration.crash.moments import MOMENTS, Scene
from postgres import running_postgres
from station import Plan, station

_OUTAGE_SECONDS = 60.0
_LEASE_SECONDS = 30.0
_MOMENTS = ("running", "deploying")


class LongOutage:
    """Runs that went on when their database was stopped."""

    def __init__(self, scenes: dict[str, Scene]) -> None:
        self._scenes = scenes
        self.over = threading.Event()

    def check(self) -> None:
        """Wait until the database is back, and check that no run has lost anything."""
        self.over.wait()
        for name, scene in self._scenes.items():
            check(scene, MOMENTS[name], worker_died=False)


@contextmanager
def long_outage(folder: Path) -> Iterator[LongOutage]:
    """Bring runs to moments, and stop their database for a minute, while the context goes on."""
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres())
        asyncio.run(server.create("proof"))
        plan = Plan(folder, server.url("proof"), lease_seconds=_LEASE_SECONDS)
        opened = stack.enter_context(station(plan))
        opened.start_worker("one")
        scenes = {}
        for name in _MOMENTS:
            scene = scenes[name] = Scene(opened, folder / f"case-{name}")
            stack.enter_context(scene.stack)
            MOMENTS[name].reach(scene)
        outage = LongOutage(scenes)
        server.stop()

        def end() -> None:
            server.start()
            outage.over.set()

        timer = threading.Timer(_OUTAGE_SECONDS, end)
        timer.start()
        stack.callback(_end_now, timer, outage, end)
        for scene in scenes.values():
            scene.let_go()
        yield outage


def _end_now(timer: threading.Timer, outage: LongOutage, end: Callable[[], None]) -> None:
    """End an outage for whose end nobody has waited."""
    timer.cancel()
    timer.join()
    if not outage.over.is_set():
        end()
