"""Tending: resources that were left behind go to their drivers after all, and all of them again in time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Final
from uuid import UUID

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import LineshaftError, StoreUnavailableError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.resource import Observed, Resource, ResourceChange, ResourceEvent
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.progress import Started
from lineshaft.services.resources.carrying import Carrying, NoWay, tell
from lineshaft.services.resources.observing import note_moved
from lineshaft.services.resources.relaying import served_types
from lineshaft.services.sources.basis import Basis

INTERVAL: Final = timedelta(minutes=1)
"""How often it is looked for resources that were left behind, or are due."""

LEFT_ALONE: Final = timedelta(minutes=1)
"""How old a version is at least that counts as left behind."""

MOST_AT_ONCE: Final = 500
"""How many resources are seen to in one round, of each kind."""

Pause = Callable[[float], Awaitable[None]]
"""Waits for so many seconds."""

_JITTER: Final = 0.25
_LOG: Final = logging.getLogger("lineshaft.resources")


class ResourceTending:
    """Brings resources to their drivers that are not there yet. Several processes may do so at once."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        carrying: Carrying,
        *,
        pause: Pause = asyncio.sleep,
        chance: Random,
    ) -> None:
        """Tend nothing yet.

        Args:
            store: where the state is.
            clock: tells the time.
            ids: makes ids.
            carrying: starts runs.
            pause: waits between two rounds.
            chance: keeps several processes from going round at the same time.
        """
        self._store = store
        self._clock = clock
        self._ids = ids
        self._carrying = carrying
        self._pause = pause
        self._chance = chance

    async def run(self) -> None:
        """Go round for ever; ends by cancellation only."""
        while True:
            await self._pause(INTERVAL.total_seconds() * self._chance.uniform(1 - _JITTER, 1 + _JITTER))
            try:
                await self.go_round()
            except Exception as error:  # noqa: BLE001 - the next round may fare better, and begins anew.
                _LOG.warning("Resources cannot be looked after now: %s", repr(error))

    async def go_round(self) -> int:
        """See to what was left behind, and to what is due; return how many runs were started.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> list[UUID]:
            types = served_types(transaction)
            found = transaction.resources.left_behind(now - LEFT_ALONE, types, MOST_AT_ONCE)
            return [*found, *transaction.resources.due_for_resync(now, MOST_AT_ONCE)]

        begun = 0
        failures: list[str] = []
        for resource_id in dict.fromkeys(await self._store.read(work)):
            try:
                begun += await self._see_to(resource_id)
            except StoreUnavailableError:
                raise
            except LineshaftError as error:
                failures.append(f"{resource_id}: {error.message}")
                await self._store.write(partial(self._give_up_due, resource_id=resource_id))
        if failures:
            _LOG.warning("%d resources cannot go to their drivers, such as %s", len(failures), failures[0])
        return begun

    async def _see_to(self, resource_id: UUID) -> bool:
        outcome = await self._store.write(partial(self._begin, resource_id=resource_id, basis=None))
        while isinstance(outcome, Pipeline):
            basis = await self._carrying.basis(outcome)
            outcome = await self._store.write(partial(self._begin, resource_id=resource_id, basis=basis))
        if outcome is not None:
            tell(outcome)
        return outcome is not None

    def _begin(
        self, transaction: Transaction, resource_id: UUID, basis: Basis | None
    ) -> Started | Pipeline | None:
        """Start the run that a resource is still to have; once, whoever else does so."""
        now = self._clock.now()
        found = _held(transaction, resource_id)
        event = None if found is None else _due(transaction, *found, now)
        if found is None or event is None:
            return None
        resource = found[0]
        change = ResourceChange(event, resource)
        way = self._carrying.way(transaction, change, basis)
        if isinstance(way, Pipeline):
            return way
        if isinstance(way, NoWay):
            self._carrying.put_off(transaction, resource, now, later=way.later)
            return None
        started = self._carrying.start(transaction, change, way, now)
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=INSIDE_ACTOR,
            action=Action.RUN_STARTED,
            target=started.run.id,
            pipeline_id=started.run.pipeline_id,
            pipeline=started.run.tree.root.name,
            number=started.run.number,
            resource=f"{resource.type}/{resource.name}",
            event=event.value,
        )
        return started

    def _give_up_due(self, transaction: Transaction, resource_id: UUID) -> None:
        """Let a resource that was due, and cannot go anywhere, be due again in its time only."""
        now = self._clock.now()
        found = _held(transaction, resource_id)
        if found is not None and _is_due(*found, now):
            self._carrying.put_off(transaction, found[0], now, later=True)


def _held(transaction: Transaction, resource_id: UUID) -> tuple[Resource, Observed] | None:
    found = transaction.resources.of_id(resource_id)
    if found is None:
        return None
    transaction.resources.hold(found[0].type, found[0].name)
    return transaction.resources.of_id(resource_id)


def _due(
    transaction: Transaction, resource: Resource, observed: Observed, now: datetime
) -> ResourceEvent | None:
    """Tell with which event a resource is to go to its drivers; None where it is not."""
    going_on = observed.state is not None and not observed.state.ended
    run = None if observed.run_id is None or not going_on else transaction.runs.get(observed.run_id)
    if run is not None and run.state.ended:
        # A server of the version before has ended it, which does not know of resources.
        note_moved(transaction, None, run, now)
    if observed.run_version < resource.version or (going_on and run is None):
        made = transaction.resources.version(resource.id, resource.version)
        return ResourceEvent.RESYNCED if made is None else made[1]
    return ResourceEvent.RESYNCED if run is None and _is_due(resource, observed, now) else None


def _is_due(resource: Resource, observed: Observed, now: datetime) -> bool:
    return not resource.deleted and observed.resync_at is not None and observed.resync_at <= now
