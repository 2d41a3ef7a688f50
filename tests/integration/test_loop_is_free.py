"""The event loop goes on while large definitions are read."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Request

from desk import DeskWorker
from lineshaft.server.definitions import requested_definition
from lineshaft.services.run_request import RunRequest
from planes import temporary_plane

T = TypeVar("T")

ENOUGH_TURNS = 50
MORE_THAN_TWO_BATCHES = 2
LARGE = "name: large\nparallel: true\nsteps:\n" + "".join(f"- {{name: n{n}, run: x}}\n" for n in range(2_000))


async def turns_during(work: Awaitable[T]) -> tuple[int, T]:
    """Count the turns that the event loop takes until some work is done; each await in it takes a few."""
    task = asyncio.ensure_future(work)
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    return turns, task.result()


async def test_a_definition_in_a_request_is_read_beside_the_event_loop() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": LARGE.encode(), "more_body": False}

    headers = [(b"content-type", b"application/yaml")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)

    turns, definition = await turns_during(requested_definition(request))

    assert len(definition.tree) == 2_001
    assert turns > ENOUGH_TURNS


async def test_a_definition_is_overridden_in_no_transaction(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path) as plane:
        pipeline = await DeskWorker(plane).pipeline(LARGE)
        request = RunRequest(overrides=(("steps.n1.run", "y"),))
        starting = asyncio.ensure_future(plane.runs.trigger(pipeline.id, request))

        writes = 0
        while not starting.done():
            await plane.store.write(lambda transaction: transaction.pipelines.get(pipeline.id))
            writes += 1

        assert (await starting).definition_hash != pipeline.definition.hash
        assert writes > MORE_THAN_TWO_BATCHES
