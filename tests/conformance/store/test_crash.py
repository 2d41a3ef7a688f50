import asyncio
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from definitions import definition, read_definition
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.event import RunEvent
from lineshaft.model.run import Run
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store import open_store
from scene import Scene
from trees import sequence, task

WRITER = Path(__file__).with_name("acknowledging_writer.py")
LINE = b"0123456789abcdef" * 64


@pytest.mark.parametrize("acknowledged", [1, 2, 13, 50])
async def test_what_was_acknowledged_survives_the_kill_of_its_writer(
    database_url: str, acknowledged: int
) -> None:
    lines = await killed_after(acknowledged, database_url)

    versions: dict[UUID, int] = {}
    sizes: dict[AttemptAddress, int] = {}
    for line in lines:
        match line.split():
            case ["run", of_run, version]:
                versions[UUID(of_run)] = int(version)
            case ["log", of_run, node, size]:
                sizes[AttemptAddress(UUID(of_run), int(node), 1)] = int(size)
            case _:
                pytest.fail(f"the writer said: {line}")
    store = await open_store(database_url, ids=RandomIds(), read_definition=read_definition)
    for run_id, acknowledged_version in versions.items():
        found, events = await store.read(partial(look_at_run, run_id=run_id))
        assert found is not None
        assert found.version >= acknowledged_version
        assert [event.number for event in events] == list(range(1, found.event_count + 1))
    for address, acknowledged_size in sizes.items():
        log = await store.read(partial(read_log, address=address))
        assert len(log) >= acknowledged_size
        assert log == LINE * (len(log) // len(LINE))
    assert await Scene(store).run(definition(sequence(task("only"), name="next")))
    await store.close()


async def killed_after(count: int, url: str) -> list[str]:
    """Start the writer, kill it once it has acknowledged so much, and return all that it had acknowledged."""
    writer = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WRITER),
        url,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(WRITER.parents[2])},
    )
    assert writer.stdout is not None
    lines = [await writer.stdout.readline() for _ in range(count)]
    assert all(lines)
    writer.kill()
    lines += (await writer.stdout.read()).splitlines(keepends=True)
    await writer.wait()
    return [line.decode() for line in lines if line.endswith(b"\n")]  # The last one may be cut short.


def look_at_run(transaction: Transaction, run_id: UUID) -> tuple[Run | None, Sequence[RunEvent]]:
    return transaction.runs.get(run_id), transaction.runs.events(run_id, after=0, limit=1000)


def read_log(transaction: Transaction, address: AttemptAddress) -> bytes:
    log = b""
    while data := transaction.logs.chunk(address, len(log)):
        log += data
    return log
