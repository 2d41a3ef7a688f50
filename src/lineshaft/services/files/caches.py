"""Caches, as people look after them."""

from collections.abc import Sequence
from uuid import UUID

from lineshaft.model.artifact import KeptCache
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import ArtifactNotFoundError
from lineshaft.model.principal import Actor
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.files.limits import MOST_CACHES
from lineshaft.services.pipelines import find_pipeline


class CacheService:
    """The use cases of caches."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def page(self, pipeline_id: UUID, *, after: UUID | None, limit: int) -> Sequence[KeptCache]:
        """List a pipeline's caches by id.

        Args:
            pipeline_id: whose.
            after: the id behind which to go on; None begins at the first.
            limit: how many at most.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """

        def work(transaction: Transaction) -> Sequence[KeptCache]:
            find_pipeline(transaction, pipeline_id)
            return transaction.caches.page(pipeline_id, after=after, limit=limit)

        return await self._store.read(work)

    async def delete(self, pipeline_id: UUID, cache_id: UUID, by: Actor) -> None:
        """Delete a cache.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
            ArtifactNotFoundError: it has no such cache.
        """

        def work(transaction: Transaction) -> None:
            find_pipeline(transaction, pipeline_id)
            if transaction.caches.delete(pipeline_id, [cache_id]) == 0:
                raise ArtifactNotFoundError(
                    f"The pipeline has no cache with the id {cache_id}.",
                    advice="`lineshaft cache list` tells those that it has.",
                )
            self._record(transaction, pipeline_id, str(cache_id), by, 1)

        await self._store.write(work)

    async def delete_all(self, pipeline_id: UUID, by: Actor) -> int:
        """Delete all caches of a pipeline, and tell how many they were.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """

        def work(transaction: Transaction) -> int:
            find_pipeline(transaction, pipeline_id)
            found = transaction.caches.page(pipeline_id, after=None, limit=MOST_CACHES)
            count = transaction.caches.delete(pipeline_id, [each.artifact.id for each in found])
            self._record(transaction, pipeline_id, "all", by, count)
            return count

        return await self._store.write(work)

    def _record(
        self, transaction: Transaction, pipeline_id: UUID, target: str, by: Actor, count: int
    ) -> None:
        record(
            transaction,
            ids=self._ids,
            now=self._clock.now(),
            by=by,
            action=Action.CACHE_DELETED,
            target=target,
            pipeline_id=pipeline_id,
            count=count,
        )
