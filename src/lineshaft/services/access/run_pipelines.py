"""Which pipeline a run belongs to, which never changes."""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from lineshaft.ports.store import Store

_REMEMBERED: Final = 10_000


class RunPipelines:
    """Finds the pipelines of runs, and remembers those that were asked for last."""

    def __init__(self, store: Store) -> None:
        """Begin with none.

        Args:
            store: where the runs are.
        """
        self._store = store
        self._known: OrderedDict[UUID, UUID] = OrderedDict()

    async def of(self, run_id: UUID) -> UUID | None:
        """Find the pipeline of a run; None where there is no such run.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        known = self._known.get(run_id)
        if known is not None:
            self._known.move_to_end(run_id)
            return known
        recent = self._store.recent(run_id)
        if recent is not None:
            pipeline_id: UUID | None = recent.pipeline_id
        else:
            pipeline_id = await self._store.read(lambda transaction: transaction.runs.pipeline_of(run_id))
        if pipeline_id is not None:
            self._known[run_id] = pipeline_id
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return pipeline_id
