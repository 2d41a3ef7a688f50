"""Logs: where a node's log is, reading it by byte ranges, following it, and moving it to the blob store."""

from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress, LogState
from lineshaft.model.errors import LogRemovedError, NodeNotFoundError
from lineshaft.model.node import Task
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import NodeRun, Run
from lineshaft.model.tree import Place
from lineshaft.model.work import PipelineWork
from lineshaft.ports.blobs import Blobs, log_key
from lineshaft.ports.store import OutboxEntry, Store, Transaction
from lineshaft.ports.wakeups import log_topic
from lineshaft.services.finding import find_place, find_run
from lineshaft.services.runs import LOOK_AGAIN

NO_LOG: Final = LogState(size_bytes=0, blob=None, complete=True)


@dataclass(frozen=True, slots=True)
class NodeLog:
    """The log of one attempt of a node, as it was when it was looked up.

    Attributes:
        address: which attempt; None when the node has had none.
        state: its size and whereabouts.
        run: the run that was asked about, as it was then.
        node: the node's index in that run.
    """

    address: AttemptAddress | None
    state: LogState
    run: Run
    node: int


class LogService:
    """The use cases of logs."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs

    async def find(self, run_id: UUID, path: str, attempt: int | None = None) -> NodeLog:
        """Find the log of a node's attempt, by default the latest.

        Raises:
            RunNotFoundError: there is no such run.
            NodeNotFoundError: the run has no such node, or the node no such attempt.
            LogRemovedError: the log was too old to be kept.
        """
        return await self._store.read(lambda transaction: _find(transaction, run_id, path, attempt))

    async def read(self, log: NodeLog, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` up to `stop`, which must not be behind the log's end.

        Raises:
            LogRemovedError: the log is removed meanwhile.
        """
        if log.address is not None:
            async for data in self._bytes(log.address, start, stop):
                yield data

    async def _bytes(self, address: AttemptAddress, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        while start < stop:
            at = start
            state = await self._state(address)
            if state.removed or state.size_bytes < stop:
                raise LogRemovedError
            if state.blob is not None:
                async for data in self._blobs.read(state.blob, start, stop):
                    yield data
                return
            data = await self._store.read(_chunk(address, at))
            if data:
                start += len(data)
                yield data[: stop - at]
            # No data: the log was sealed between the two looks, and the next look finds the blob.

    async def follow(self, log: NodeLog, start: int = 0) -> AsyncGenerator[bytes | None, None]:
        """Go through a log's bytes from `start` as they come, until it is complete.

        Yields:
            Each byte once, in order; None now and then while nothing comes.
        """
        if log.address is None:
            return
        with self._store.wakeups.listen(log_topic(log.address)) as listener:
            while True:
                state = await self._state(log.address)
                async for data in self.read(log, start, state.size_bytes):
                    start += len(data)
                    yield data
                if state.complete:
                    return
                if not await listener.wait(LOOK_AGAIN):
                    yield None

    async def seal(self, entry: OutboxEntry) -> None:
        """Move an ended attempt's log to the blob store. Idempotent, as all that the outbox asks for.

        A log that is removed meanwhile leaves no blob.
        """
        address = AttemptAddress(
            UUID(entry.payload["run_id"]), entry.payload["node"], entry.payload["attempt"]
        )
        key = log_key(address)
        state = await self._store.read(lambda transaction: transaction.logs.state(address))
        if state is not None and (state.blob is not None or not state.size_bytes):
            return
        if state is not None and not state.removed:
            # A reader of the chunks finds out by itself that they are removed.
            with suppress(LogRemovedError):
                await self._blobs.put(key, self._bytes(address, 0, state.size_bytes))
                if await self._store.write(lambda transaction: transaction.logs.seal(address, key)):
                    return
        # Whoever removed the log may have had its blob deleted before it was put here.
        await self._blobs.delete(key)

    async def delete_blobs(self, entry: OutboxEntry) -> None:
        """Delete the blobs of logs and of kept files that were removed. Idempotent."""
        for key in entry.payload["keys"]:
            await self._blobs.delete(key)

    async def _state(self, address: AttemptAddress) -> LogState:
        return await self._store.read(lambda transaction: transaction.logs.state(address)) or NO_LOG


def _find(transaction: Transaction, run_id: UUID, path: str, attempt: int | None) -> NodeLog:
    asked = find_run(transaction, run_id)
    node = find_place(asked, path).index
    run = who_ran(transaction, asked, path)
    if run is None:
        raise LogRemovedError("The log was removed with the run that wrote it.")
    place = find_place(run, path)
    latest = run.nodes[place.index].attempt
    if attempt is None and (latest == 0 or _is_call(place)):
        none_yet = LogState(size_bytes=0, blob=None, complete=run.nodes[place.index].state.ended)
        return NodeLog(None, none_yet, asked, node)
    address = AttemptAddress(run.id, place.index, latest if attempt is None else attempt)
    state = transaction.logs.state(address)
    if state is None:
        raise NodeNotFoundError(
            f"Node '{path}' has no attempt {attempt}.", advice=f"It has had {latest} attempts, from 1."
        )
    if state.removed:
        raise LogRemovedError
    return NodeLog(address, state, asked, node)


def who_ran(transaction: Transaction, run: Run, path: str) -> Run | None:
    """Find the run that a node's attempts belong to: one that kept the node goes on from it.

    Returns:
        None where that run was removed.
    """
    while run.retry_of is not None:
        place = run.tree.find(path)
        if place is None or not _is_kept(run.nodes[place.index]):
            break
        former = transaction.runs.get(run.retry_of)
        if former is None:
            return None
        run = former
    return run


def _is_kept(node: NodeRun) -> bool:
    return node.reason is not None and node.reason.code is ReasonCode.KEPT


def _is_call(place: Place) -> bool:
    """Whether another run does the node's work, so that it writes no log of its own."""
    return isinstance(place.node, Task) and isinstance(place.node.work, PipelineWork)


def _chunk(address: AttemptAddress, offset: int) -> Callable[[Transaction], bytes]:
    return lambda transaction: transaction.logs.chunk(address, offset)
