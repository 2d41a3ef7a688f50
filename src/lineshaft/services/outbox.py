"""The outbox's delivery: what was committed is done at least once."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from lineshaft.ports.clock import Clock
from lineshaft.ports.store import OutboxEntry, Store
from lineshaft.ports.wakeups import OUTBOX

Handler = Callable[[OutboxEntry], Awaitable[None]]
"""Does what an entry asks for. Idempotent, since it may be called again for the same entry."""

_LOG: Final = logging.getLogger("lineshaft.outbox")
_BATCH: Final = 100
_LOOK_AGAIN: Final = timedelta(seconds=30)
_FIRST_DELAY: Final = timedelta(seconds=1)
_LONGEST_DELAY: Final = timedelta(minutes=10)


class OutboxDelivery:
    """Takes due entries to their handlers, oldest first, and puts off those that fail."""

    def __init__(self, store: Store, clock: Clock, handlers: Mapping[str, Handler]) -> None:
        self._store = store
        self._clock = clock
        self._handlers = handlers

    async def run(self) -> None:
        """Deliver for ever; ends by cancellation only."""
        with self._store.wakeups.listen(OUTBOX) as listener:
            while True:
                try:
                    delivered = await self.deliver_due()
                except Exception as error:  # noqa: BLE001 - it goes on as long as the process does.
                    _LOG.warning("The outbox cannot be read: %s", repr(error))
                    delivered = 0
                if delivered < _BATCH:
                    await listener.wait(_LOOK_AGAIN)

    async def deliver_due(self) -> int:
        """Deliver one batch of due entries, and return how many there were."""
        now = self._clock.now()
        entries = await self._store.read(lambda transaction: transaction.outbox.due(now, _BATCH))
        done = [entry.id for entry in entries if await self._deliver(entry)]
        if done:
            await self._store.write(lambda transaction: transaction.outbox.done(done))
        return len(entries)

    async def _deliver(self, entry: OutboxEntry) -> bool:
        try:
            await self._handlers[entry.kind](entry)
        except Exception as error:  # noqa: BLE001 - one bad entry must not hold up the others.
            _LOG.warning("Outbox entry %s (%s) failed and is put off: %s", entry.id, entry.kind, repr(error))
            delay = min(_FIRST_DELAY * 2 ** min(entry.tries, 16), _LONGEST_DELAY)
            due_at = self._clock.now() + delay
            await self._store.write(lambda transaction: transaction.outbox.put_off(entry.id, due_at))
            return False
        return True
