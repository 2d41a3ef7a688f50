"""A control plane of which all that is written can be seen, for the tests of what is removed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection, NullPool, create_engine, select
from sqlalchemy.ext.asyncio import create_async_engine

from definitions import read_definition
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.errors import UnavailableError
from lineshaft.model.event import RunStarted
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.retention import Kept, RetentionService
from lineshaft.store import open_store
from lineshaft.store.schema import metadata
from planes import LEASE_TIME
from scene import Held, Scene

T = TypeVar("T")
Rows = set[tuple[str, str]]

DAY = timedelta(days=1)


class CrashError(Exception):
    """The process ends here."""


async def at_once(_: float) -> None:
    """Pause for no time, but let others go on."""
    await asyncio.sleep(0)


def crashing_at(number: int) -> Callable[[float], Any]:
    """Make a pause that does not end, for the n-th time that it is asked for, counted from 0."""
    left = number

    async def pause(_: float) -> None:
        nonlocal left
        if left == 0:
            raise CrashError
        left -= 1

    return pause


class FailingBlobs(BlobFolder):
    """A blob store that deletes nothing while it is away."""

    away = False

    async def delete(self, key: str) -> None:
        if self.away:
            raise UnavailableError("The blob store is away.")
        await super().delete(key)


@dataclass
class House:
    """A control plane, the moves of its worker, and all that is written."""

    url: str
    folder: Path
    clock: ManualClock
    plane: ControlPlane
    blobs: FailingBlobs
    scene: Scene

    def retention(self, kept: Kept, pause: Callable[[float], Any] = at_once) -> RetentionService:
        return RetentionService(
            self.plane.store, self.clock, kept, self.plane.files.expiry, pause=pause, chance=Random(1)
        )

    async def keep(self, kept: Kept) -> None:
        """Remove what is not kept, its blobs too."""
        await self.retention(kept).go_round()
        await self.plane.settle()

    async def ended_run(self, pipeline: Pipeline) -> Run:
        """Run a pipeline to its end, its logs being blobs then, and let a day pass."""
        run = await self.scene.waiting_run(pipeline)
        await self.scene.apply(run.id, RunStarted())
        while claimed := await self.scene.claim():
            await self.plane.store.write(logging(claimed[0]))
            run = await self.scene.report(claimed[0])
        assert run.state is State.SUCCEEDED
        await self.plane.settle()
        self.clock.advance(DAY)
        return run

    async def database(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection of its own to the database."""
        if self.url.startswith("sqlite"):
            engine = create_engine(self.url, poolclass=NullPool)
            with engine.begin() as connection:
                return do(connection)
        server = create_async_engine(
            self.url.replace("postgresql://", "postgresql+asyncpg://"), poolclass=NullPool
        )
        async with server.begin() as connection_to_server:
            return await connection_to_server.run_sync(do)

    async def rows(self) -> Rows:
        """Read all rows of all tables, as texts."""

        def read(connection: Connection) -> Rows:
            return {
                (table.name, str(tuple(row)))
                for table in metadata.sorted_tables
                for row in connection.execute(select(table))
            }

        return await self.database(read)

    def files(self) -> set[str]:
        """List the files and folders of the blob store."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}

    def blobs_of(self, run: Run) -> set[str]:
        return {path for path in self.files() if str(run.id) in path}


def logging(held: Held) -> Callable[[Transaction], int]:
    return lambda transaction: transaction.logs.append(held.address, held.token, 0, b"hello\n")


def mentioning(rows: Rows, run: Run) -> Rows:
    return {row for row in rows if str(run.id) in row[1]}


@asynccontextmanager
async def opened(url: str, folder: Path, clock: ManualClock) -> AsyncIterator[House]:
    ids = RandomIds()
    store = await open_store(url, ids=ids, read_definition=read_definition)
    blobs = FailingBlobs(folder)
    plane = ControlPlane(store, blobs, clock, ids, check=lambda _: None, lease_time=LEASE_TIME)
    try:
        yield House(url, folder, clock, plane, blobs, Scene(store, clock))
    finally:
        await store.close()
