"""Streams of a run whose tree grows while they are read."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from desk import SUCCEEDED, DeskWorker
from lineshaft.server.log_stream import log_events
from planes import temporary_plane

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
