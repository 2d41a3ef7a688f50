"""Streams of a run whose tree grows while they are read."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from desk import SUCCEEDED, DeskWorker
from lineshaft.model.run import Run
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import CountingIds
from lineshaft.ports.no_repositories import NO_REPOSITORIES
from lineshaft.ports.secret_store import GivenSecrets
from lineshaft.ports.store import Store
from lineshaft.server.log_stream import log_events
from lineshaft.services.fleet.placing import Placing
from lineshaft.services.progress import Progress
from lineshaft.services.runs import RunService
from lineshaft.services.sources.reading import NoLogins, SourceReader
from planes import LEASE_TIME, temporary_plane

GENERATING = """
name: g
steps:
  - {name: gen, run: make, generates: nodes.yml}
  - {name: after, run: make}
"""


async def ended_with(stream: AsyncGenerator[bytes, None]) -> str:
    """Read a stream to its end, and return the state that it ends with."""
    last = b""
    async for event in stream:
        last = event
    return str(json.loads(last.partition(b"data: ")[2])["state"])


async def test_the_log_of_a_node_behind_generated_ones_is_waited_for(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path) as plane:
        worker = DeskWorker(plane)
        run = await worker.start(GENERATING)
        log = await plane.logs.find(run.id, "after")
        (making,) = (await worker.claim()).values()
        await worker.report(making, replace(SUCCEEDED, generated="[{name: made, run: make}]"))
        (made,) = (await worker.claim()).values()
        await worker.report(made)
        (after,) = (await worker.claim()).values()
        assert (await worker.report(after)).state.ended

        assert await ended_with(log_events(plane, "after", log, 0)) == "succeeded"


class LateMemory:
    """A store whose process remembers a run a moment later than its database has it."""

    def __init__(self, store: Store, remembered: Run) -> None:
        self._store = store
        self._remembered = remembered

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def recent(self, run_id: UUID) -> Run | None:
        return self._remembered if run_id == self._remembered.id else None


async def test_a_run_is_found_with_the_events_that_are_known_of_it(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path) as plane:
        worker = DeskWorker(plane)
        before = await worker.start(GENERATING)
        (making,) = (await worker.claim()).values()
        grown = await worker.report(making, replace(SUCCEEDED, generated="[{name: made, run: make}]"))
        late = cast("Store", LateMemory(plane.store, before))
        runs = RunService(
            late,
            ManualClock(),
            Progress(CountingIds(), None),
            lambda _: None,
            Placing(LEASE_TIME),
            ids=CountingIds(),
            secrets=GivenSecrets({}),
            reader=SourceReader(NO_REPOSITORIES, NoLogins()),
        )

        assert await runs.get(before.id) is before
        assert len((await runs.get(before.id, events=grown.event_count)).tree) == len(grown.tree)
