"""The calls of the API client for the audit log."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from lineshaft.sdk.audit_entry import AuditEntryView
from lineshaft.sdk.client.calls import PAGE, Calls


class AuditCalls(Calls):
    """What a client asks for about who did what."""

    def audit(
        self,
        *,
        pipeline: UUID | None = None,
        actor: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page_size: int = PAGE,
    ) -> Iterator[AuditEntryView]:
        """Go through the audit log, newest first, a page at a time.

        With a pipeline it asks GET /v1/pipelines/{id}/audit, which its maintainers may; else GET /v1/audit.

        Args:
            pipeline: only what concerns it.
            actor: only what this user or worker did.
            action: only what was done so, such as `secret.used`.
            since: not before this time.
            until: before this time.
            page_size: how many entries to ask for at a time.

        Raises:
            PipelineNotFoundError: there is no such pipeline, or the caller may not see it.
            ForbiddenError: the caller may not read it.
            InvalidInputError: there is no such action.
        """
        said = {
            "actor": actor,
            "action": action,
            "since": None if since is None else since.isoformat(),
            "until": None if until is None else until.isoformat(),
        }
        query = {"limit": str(page_size)} | {name: text for name, text in said.items() if text is not None}
        path = "/v1/audit" if pipeline is None else f"/v1/pipelines/{pipeline}/audit"
        return self._transport.pages(path, query, "before", AuditEntryView.from_document, subject=pipeline)
