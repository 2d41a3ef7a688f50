"""Runs that cannot be read or moved: set aside, so that none of them holds up others."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import CorruptRunError, UnavailableError
from lineshaft.model.run import Run
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Foreseen, Store, Transaction, UnendedRuns

T = TypeVar("T")

ASIDE_FOR: Final = timedelta(minutes=5)
"""How long an attempt of such a run is left alone before it is tried again."""

_LOG: Final = logging.getLogger("lineshaft.queue")
_MOST_AT_ONCE: Final = 20
_BATCH: Final = 100


def readable(transaction: Transaction, unended: UnendedRuns, now: datetime) -> Sequence[Run]:
    """Pass over the runs that cannot be read, and return the others, oldest first.

    What those have in the queue or at a worker is set aside, so that it does not run beside what comes now.
    """
    until = now + ASIDE_FOR
    for error in unended.corrupt:
        count = transaction.attempts.set_run_aside(error.run_id, until)
        if count:
            _LOG.error(
                "Run %s: others go on without it, and its attempts (%d) are set aside until %s: %s",
                error.run_id,
                count,
                until.isoformat(timespec="seconds"),
                error,
            )
    return unended.runs


class Current:
    """Which attempt a transaction is busy with, so that its failure can be told from all others."""

    def __init__(self) -> None:
        """Begin with none."""
        self.address: AttemptAddress | None = None

    @contextmanager
    def at(self, address: AttemptAddress) -> Iterator[None]:
        """Say that what is done in this context is about one attempt; after an error that stays said."""
        self.address = address
        yield
        self.address = None


class BadRuns:
    """Writes that go around attempts at which they fail."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def write(
        self,
        work: Callable[[Transaction, Current], T],
        *,
        runs: tuple[UUID, ...] = (),
        workers: tuple[UUID, ...] = (),
    ) -> T:
        """Run a function as `Store.write` does; where it fails at an attempt, set that aside and try again.

        Args:
            work: the function.
            runs: the runs that it is known to get.
            workers: the sessions that it is known to get.

        Raises:
            UnavailableError: the database does not answer, or there are too many such attempts for one call.
            Exception: what the function raised while it was busy with none.
        """
        for _ in range(_MOST_AT_ONCE):
            current = Current()

            def watched(transaction: Transaction, current: Current = current) -> T:
                # The store may run it more than once.
                current.address = None
                return work(transaction, current)

            try:
                return await self._store.write(Foreseen(watched, runs, workers))
            except UnavailableError:
                raise
            except Exception as error:
                if current.address is None:
                    raise
                await self._set_aside(current.address, error)
        raise UnavailableError(
            "Many runs cannot be read.", advice="Try again in a moment; the server's log names the runs."
        )

    async def bring_back(self) -> None:
        """Queue again what was set aside long enough ago."""
        now = self._clock.now()
        while (
            await self._store.write(lambda transaction: transaction.attempts.bring_back(now, _BATCH))
            >= _BATCH
        ):
            pass

    async def _set_aside(self, address: AttemptAddress, error: Exception) -> None:
        until = self._clock.now() + ASIDE_FOR
        await self._store.write(lambda transaction: transaction.attempts.set_aside(address, until))
        _LOG.error(
            "Run %s: attempt %d of node %d is set aside until %s: %s",
            address.run_id,
            address.attempt,
            address.node,
            until.isoformat(timespec="seconds"),
            error if isinstance(error, CorruptRunError) else repr(error),
            exc_info=None if isinstance(error, CorruptRunError) else error,
        )
