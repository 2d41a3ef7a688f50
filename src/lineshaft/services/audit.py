"""The audit log, as people read it."""

from collections.abc import Sequence
from uuid import UUID

from lineshaft.model.audit_entry import AuditEntry
from lineshaft.ports.store import AuditFilter, Store, Transaction
from lineshaft.services.pipelines import find_pipeline


class AuditService:
    """The use cases of the audit log; what is done is recorded where it is done, by `services.auditing`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, of: AuditFilter, *, before: UUID | None, limit: int) -> Sequence[AuditEntry]:
        """List entries, newest first.

        Args:
            of: which.
            before: the id behind which to go on; None begins at the newest.
            limit: how many at most.
        """
        return await self._store.read(
            lambda transaction: transaction.audit.page(of, before=before, limit=limit)
        )

    async def page_of_pipeline(
        self, pipeline_id: UUID, of: AuditFilter, *, before: UUID | None, limit: int
    ) -> Sequence[AuditEntry]:
        """List entries that concern a pipeline, newest first.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """

        def work(transaction: Transaction) -> Sequence[AuditEntry]:
            find_pipeline(transaction, pipeline_id)
            return transaction.audit.page(of, before=before, limit=limit)

        return await self._store.read(work)
