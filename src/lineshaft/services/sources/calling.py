"""Calling: the runs are made that nodes ask for, where a transaction cannot make them at once."""

from functools import partial
from typing import Final

from lineshaft.model.errors import (
    InvalidDefinitionError,
    LineshaftError,
    SecretsUnavailableError,
    SourceUnreachableError,
    StoreUnavailableError,
)
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import OutboxEntry, Store, Transaction
from lineshaft.services.calls import called_pipeline, refused
from lineshaft.services.progress import Progress, asking_run
from lineshaft.services.sources.basis import Basis
from lineshaft.services.sources.sentences import told
from lineshaft.services.sources.shared_basis import SharedBasis
from lineshaft.telemetry.run_log import log_decisions

MOST_TRIES: Final = 10
"""How often a repository that does not answer is asked, over about a quarter of an hour."""


class CallingService:
    """Makes the runs that nodes ask for. Several processes may do so at once: one makes each."""

    def __init__(self, store: Store, clock: Clock, progress: Progress, shared: SharedBasis) -> None:
        """Make runs.

        Args:
            store: where the state is.
            clock: tells the time.
            progress: makes them.
            shared: finds out what they begin with.
        """
        self._store = store
        self._clock = clock
        self._progress = progress
        self._shared = shared

    async def call(self, entry: OutboxEntry) -> None:
        """Make the run that a node asks for. Idempotent, as all that the outbox asks for.

        Raises:
            SecretsUnavailableError: what signs in at its repository cannot be had now; try again.
            SourceUnreachableError: its repository does not answer; try again.
            StoreUnavailableError: the database does not answer.
        """
        last = entry.tries + 1 >= MOST_TRIES
        while True:
            asked = await self._store.read(partial(_kept_elsewhere, entry=entry))
            basis = None if asked is None else await self._basis(*asked, last=last)
            now = self._clock.now()
            made = await self._store.write(
                partial(self._progress.call, entry=entry, basis=basis, now=now),
            )
            if made is not None:
                log_decisions(made)
                return

    async def _basis(self, run: Run, pipeline: Pipeline, *, last: bool) -> Basis | Reason:
        """Find out what the run begins with; or why it cannot.

        Args:
            run: which asks for it.
            pipeline: whose it is to be.
            last: whether it is not tried again where something does not answer.
        """
        try:
            return await self._shared.find(run, pipeline)
        except (SourceUnreachableError, SecretsUnavailableError) as error:
            if not last:
                raise
            return Reason(ReasonCode.SOURCE_UNREACHABLE, told(error))
        except StoreUnavailableError:
            raise
        except InvalidDefinitionError as error:
            return Reason(ReasonCode.DEFINITION_REFUSED, told(error))
        except LineshaftError as error:
            return Reason(ReasonCode.SOURCE_REFUSED, told(error))


def _kept_elsewhere(transaction: Transaction, entry: OutboxEntry) -> tuple[Run, Pipeline] | None:
    """Find the pipeline that is called, and the run that calls it, where a file has to be read for that."""
    run = asking_run(transaction, entry)
    if run is None:
        return None
    pipeline = called_pipeline(transaction, entry.payload["pipeline"])
    if isinstance(pipeline, Reason) or pipeline.config_file is None:
        return None
    return None if refused(transaction, run, pipeline) is not None else (run, pipeline)
