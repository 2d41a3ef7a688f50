"""Handling: deliveries become runs in the background, each exactly once, whichever server sees to it."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from lineshaft.model.change import Change, ChangeKind
from lineshaft.model.connection import Connection
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState
from lineshaft.model.errors import (
    ConnectionNotFoundError,
    LineshaftError,
    SourceUnreachableError,
    StoreUnavailableError,
)
from lineshaft.model.pipeline import Pipeline
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Store
from lineshaft.ports.wakeups import DELIVERIES
from lineshaft.services.sources.noting import LEASE, Found, Noting
from lineshaft.services.sources.outdating import Outdating, may_outdate
from lineshaft.services.sources.preparing import Prepared, Preparing, Sender, repository_keys
from lineshaft.services.sources.sentences import told
from lineshaft.telemetry.run_log import log_decisions, log_scheduling, log_superseding

AT_ONCE: Final = 8
"""How many deliveries one process sees to at once."""

_PROLONGED_EVERY: Final = LEASE / 3
_LOOK_AGAIN: Final = timedelta(minutes=1)
_PREPARED_AT_ONCE: Final = 4
_MOST_KEYS: Final = 100
_LOG: Final = logging.getLogger("lineshaft.deliveries")


class Kept(Protocol):
    """Keeps the own definitions of pipelines whose files are in repositories."""

    async def refresh(self, pipeline_id: UUID) -> object:
        """Read a pipeline's file again where its ref points now; what is the same changes nothing.

        Raises:
            LineshaftError: it cannot be read, or the pipeline has none; nothing has changed.
        """
        ...


class Connections(Protocol):
    """Knows the forges."""

    async def get(self, name: str) -> Connection:
        """Find one by its name.

        Raises:
            ConnectionNotFoundError: there is none.
        """
        ...


class DeliveryHandling:
    """Sees to deliveries. Several processes may do so at once: one of them starts the runs."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        connections: Connections,
        preparing: Preparing,
        noting: Noting,
        kept: Kept,
    ) -> None:
        self._store = store
        self._clock = clock
        self._connections = connections
        self._preparing = preparing
        self._noting = noting
        self._kept = kept
        self._in_hand: dict[UUID, asyncio.Task[None]] = {}
        self._prolong_at = clock.now()

    async def run(self) -> None:
        """See to deliveries for ever; ends by cancellation only."""
        try:
            with self._store.wakeups.listen(DELIVERIES) as listener:
                while True:
                    wait = _LOOK_AGAIN
                    try:
                        await self._prolong()
                        await self._take()
                        wait = await self._until_next()
                    except Exception as error:  # noqa: BLE001 - it goes on as long as the process does.
                        _LOG.warning("Deliveries cannot be looked at now: %s", repr(error))
                    if wait > timedelta():
                        await listener.wait(wait)
        finally:
            in_hand = list(self._in_hand.values())
            for task in in_hand:
                task.cancel()
            await asyncio.gather(*in_hand, return_exceptions=True)

    async def handle_due(self) -> int:
        """See to what is due now, some at once, and tell how many that were.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        taken = await self._take()
        await asyncio.gather(*taken)
        return len(taken)

    async def _take(self) -> Sequence[asyncio.Task[None]]:
        room = AT_ONCE - len(self._in_hand)
        now = self._clock.now()
        due_at = await self._store.read(lambda transaction: transaction.deliveries.next_due())
        if room <= 0 or due_at is None or due_at > now:
            return []
        until = now + LEASE
        taken = await self._store.write(lambda transaction: transaction.deliveries.take(now, until, room))
        if not self._in_hand:
            self._prolong_at = now + _PROLONGED_EVERY
        tasks = []
        for delivery in taken:
            if delivery.id not in self._in_hand:
                task = asyncio.create_task(self._see_to(delivery))
                self._in_hand[delivery.id] = task
                tasks.append(task)
        return tasks

    async def _prolong(self) -> None:
        now = self._clock.now()
        if self._in_hand and now >= self._prolong_at:
            held = list(self._in_hand)
            await self._store.write(lambda transaction: transaction.deliveries.prolong(held, now + LEASE))
            self._prolong_at = now + _PROLONGED_EVERY

    async def _until_next(self) -> timedelta:
        """Tell how long nothing is to be done."""
        longest = _PROLONGED_EVERY if self._in_hand else _LOOK_AGAIN
        if len(self._in_hand) >= AT_ONCE:
            return longest
        due_at = await self._store.read(lambda transaction: transaction.deliveries.next_due())
        return longest if due_at is None else min(due_at - self._clock.now(), longest)

    async def _see_to(self, delivery: Delivery) -> None:
        """See to a delivery that was taken; what fails here is tried again."""
        try:
            await self._handle(delivery)
        except StoreUnavailableError as error:
            _LOG.warning("Delivery %s is left for later: %s", delivery.id, error.message)
        except Exception as error:  # noqa: BLE001 - it must not be due for ever, whatever is wrong with it.
            _LOG.warning("Delivery %s could not be seen to: %s", delivery.id, repr(error))
            await self._put_off(delivery, f"The server could not see to it: {error!r}.")
        finally:
            del self._in_hand[delivery.id]
            self._store.wakeups.wake(frozenset({DELIVERIES}))

    async def _put_off(self, delivery: Delivery, why: str) -> None:
        try:
            await self._noting.settle(delivery, why)
        except Exception as error:  # noqa: BLE001 - its lease will be over in a minute.
            _LOG.warning("Delivery %s is left for later: %s", delivery.id, repr(error))

    async def _handle(self, delivery: Delivery) -> None:
        found = await self._find_out(delivery)
        noted = await self._noting.note(found)
        if noted is None:
            return
        for each in noted.started:
            log_scheduling()
            for earlier in each.superseded:
                log_superseding(earlier)
            log_decisions(each.decisions)
        log_decisions(noted.cancelled)
        if not noted.delivery.text and noted.delivery.state is DeliveryState.RECEIVED:
            await self._refresh_all(noted.delivery, found.kept)

    async def _find_out(self, delivery: Delivery) -> Found:
        try:
            connection = await self._connection(delivery)
        except ConnectionNotFoundError as error:
            return Found(delivery, text=told(error))
        sender = Sender(delivery.id, connection)
        done = {outcome.pipeline_id for outcome in delivery.outcomes}
        pairs = [
            (change, pipeline)
            for change in delivery.changes
            for pipeline in await self._pipelines_of(delivery, change)
        ]
        if not pairs and not done:
            address = delivery.changes[0].repositories[0] if delivery.changes else ""
            return Found(delivery, text=f"No pipeline works on its repository, '{address}'.")
        turns = asyncio.Semaphore(_PREPARED_AT_ONCE)

        async def prepare(change: Change, pipeline: Pipeline) -> Prepared:
            async with turns:
                return await self._preparing.prepare(sender, change, pipeline)

        prepared = await asyncio.gather(
            *(prepare(change, pipeline) for change, pipeline in pairs if pipeline.id not in done)
        )
        kept = {pipeline.id: pipeline for change, pipeline in pairs if _may_define(change, pipeline)}
        return Found(delivery, prepared, tuple(kept.values()), await self._outdating(sender, pairs))

    async def _outdating(
        self, sender: Sender, pairs: Sequence[tuple[Change, Pipeline]]
    ) -> Sequence[Outdating]:
        """List the pull requests that may be over or others, for pipelines of which their forge may tell."""
        return [
            Outdating(pipeline, change.pull_request)
            for change, pipeline in pairs
            if change.pull_request is not None
            and may_outdate(change.pull_request)
            and await self._preparing.why_not_told(sender, pipeline) is None
        ]

    async def _connection(self, delivery: Delivery) -> Connection | None:
        """Find the forge that tells; None where we have looked ourselves."""
        return (
            None
            if delivery.source is DeliverySource.POLL
            else await self._connections.get(delivery.connection)
        )

    async def _pipelines_of(self, delivery: Delivery, change: Change) -> Sequence[Pipeline]:
        only = delivery.pipeline_id
        if only is not None:
            pipeline = await self._store.read(lambda transaction: transaction.pipelines.get(only))
            return [] if pipeline is None else [pipeline]
        keys = sorted(repository_keys(change))[:_MOST_KEYS]
        return await self._store.read(lambda transaction: transaction.pipelines.of_repositories(keys))

    async def _refresh_all(self, delivery: Delivery, kept: Sequence[Pipeline]) -> None:
        why = ""
        for pipeline in kept:
            try:
                await self._kept.refresh(pipeline.id)
            except SourceUnreachableError as error:
                why = told(error)
            except LineshaftError as error:
                # Its outcome says the same, where this is about the commit that was pushed.
                _LOG.info("The definition of '%s' is left as it is: %s", pipeline.name, error.message)

        await self._noting.settle(delivery, why)


def _may_define(change: Change, pipeline: Pipeline) -> bool:
    """Tell whether a pipeline's own definition may be another one by a change.

    Which branch is the default one only the repository knows.
    """
    kept = pipeline.config_file
    if kept is None or change.kind is not ChangeKind.PUSH:
        return False
    return kept.ref in {None, change.branch, change.ref}
