"""Broadcasts: a message to drivers, as a run of the server's own relay."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.errors import DriverNotFoundError, ForbiddenError, InvalidInputError, Problem
from lineshaft.model.known_driver import DriverDeclaration
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.resource import Broadcast
from lineshaft.model.run import Run
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.new_run import NewRun
from lineshaft.services.progress import Progress, Started
from lineshaft.services.resources.carrying import MayRun, anyone, tell
from lineshaft.services.resources.documents import check_json
from lineshaft.services.resources.relaying import BROADCASTS, hearing, is_event, relay, relay_definition

MOST_PAYLOAD_BYTES: Final = 64 * 1024
"""How long a payload may be, as JSON in UTF-8."""

_EVENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class _Message:
    """What is to be sent, to whom, and by whom."""

    broadcast: Broadcast
    drivers: Collection[str] | None
    by: Actor
    may_run: MayRun


class BroadcastService:
    """The use case of broadcasts."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, progress: Progress) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._progress = progress

    async def send(
        self,
        event: str,
        payload: Any = None,
        drivers: Collection[str] | None = None,
        *,
        by: Actor = INSIDE_ACTOR,
        may_run: MayRun = anyone,
    ) -> Run | None:
        """Send a message to drivers, also to those that are away now.

        Args:
            event: its name.
            payload: any JSON.
            drivers: the names of the drivers that get it, whatever they hear; None for all that hear it.
            by: who wants it.
            may_run: tells whether they may run what takes it to drivers.

        Returns:
            The run, with a task for each driver; None where no driver hears it.

        Raises:
            DriverNotFoundError: one that is named was never there, or was forgotten.
            ForbiddenError: the caller may not.
            InputTooLargeError: the payload is too long, or too deep.
            InvalidInputError: the event is no name of one, or that of what happens to resources.
        """
        _check_event(event)
        check_json(payload, "/payload", most_bytes=MOST_PAYLOAD_BYTES)
        message = _Message(Broadcast(event, payload), drivers, by, may_run)
        started = await self._store.write(partial(self._begin, message))
        if started is None:
            return None
        tell(started)
        return started.run

    def _begin(self, message: _Message, transaction: Transaction) -> Started | None:
        if not message.may_run(None):
            raise ForbiddenError(
                "You may not send broadcasts.", advice="Ask somebody who may run everything."
            )
        receivers = _receivers(transaction, message)
        if not receivers:
            return None
        now = self._clock.now()
        definition = relay_definition(BROADCASTS, receivers)
        pipeline = relay(transaction, self._ids, BROADCASTS, definition, now)
        new = NewRun(pipeline.id, definition, None, cause=Cause.BROADCAST, subject=message.broadcast)
        transaction.keep_definition(definition)
        started = self._progress.start(transaction, new, now)
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=message.by,
            action=Action.DRIVERS_TOLD,
            target=message.broadcast.event,
            pipeline_id=pipeline.id,
            run=str(started.run.id),
            drivers=[each.name for each in receivers],
        )
        return started


def _receivers(transaction: Transaction, message: _Message) -> tuple[DriverDeclaration, ...]:
    known = {each.declaration.name: each.declaration for each in transaction.drivers.all()}
    if message.drivers is None:
        return hearing(list(known.values()), message.broadcast.event)
    unknown = sorted(set(message.drivers) - known.keys())
    if unknown:
        names = ", ".join(f"'{name}'" for name in unknown[:10])
        raise DriverNotFoundError(
            f"Nobody knows the drivers {names}." if len(unknown) > 1 else f"Nobody knows the driver {names}.",
            advice="`lineshaft drivers` lists those that have registered.",
        )
    return tuple(known[name] for name in sorted(set(message.drivers)))


def _check_event(event: str) -> None:
    if _EVENT.fullmatch(event) is None:
        why = "must be letters, digits and `_ . -`, a letter or digit first, at most 100"
    elif is_event(event):
        why = "is what happens to resources; choose another name"
    else:
        return
    raise InvalidInputError("The broadcast is not as it must be.", problems=[Problem("/event", why)])
