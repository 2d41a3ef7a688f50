"""The audit log: who did what, when and from where."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from starlette.responses import Response

from lineshaft.model.audit_entry import Action, AuditEntry
from lineshaft.model.permission import Permission
from lineshaft.ports.store import AuditFilter
from lineshaft.server.depends import Limit, PipelineId, Plane
from lineshaft.server.documents import (
    AuditPage,
)
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import PIPELINE_NOT_FOUND
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.wire.audit import audit_document

_JSON: Final = "application/json"

_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt].*", re.DOTALL)


def _as_rfc_3339(text: object) -> object:
    """Refuse numbers, which would be taken for seconds since 1970."""
    if isinstance(text, str) and _INSTANT.fullmatch(text) is None:
        raise ValueError("must be a time as RFC 3339 writes it, such as 2026-03-01T09:30:00Z")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999") from None


_Instant = Annotated[AwareDatetime, BeforeValidator(_as_rfc_3339), AfterValidator(_in_utc)]
Before = Annotated[UUID | None, Query(description="The page before's `next`.")]

router = APIRouter(route_class=GuardedRoute, prefix="/v1", tags=["audit"])


async def _asked(
    actor: Annotated[
        str | None,
        Query(max_length=255, pattern=r"^[^\x00]*$", description="Only what this user or worker did."),
    ] = None,
    action: Annotated[Action | None, Query(description="Only what was done so.")] = None,
    since: Annotated[_Instant | None, Query(description="Not before this time.")] = None,
    until: Annotated[_Instant | None, Query(description="Before this time.")] = None,
) -> AuditFilter:
    return AuditFilter(actor=actor, action=action, since=since, until=until)


Asked = Annotated[AuditFilter, Depends(_asked)]


@router.get("/audit", responses={200: {"model": AuditPage}}, openapi_extra=needs(Permission.ADMIN))
async def list_audit(
    plane: Plane,
    asked: Asked,
    *,
    pipeline: Annotated[UUID | None, Query(description="Only what concerns this pipeline.")] = None,
    limit: Limit = 50,
    before: Before = None,
) -> Response:
    """List who did what, newest first."""
    of = replace(asked, pipeline_id=pipeline)
    return _page(await plane.audit.page(of, before=before, limit=limit + 1), limit)


@router.get(
    "/pipelines/{pipeline_id}/audit",
    responses={200: {"model": AuditPage}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN),
)
async def list_pipeline_audit(
    pipeline_id: PipelineId, plane: Plane, asked: Asked, *, limit: Limit = 50, before: Before = None
) -> Response:
    """List who did what to a pipeline, newest first."""
    of = replace(asked, pipeline_id=pipeline_id)
    found = await plane.audit.page_of_pipeline(pipeline_id, of, before=before, limit=limit + 1)
    return _page(found, limit)


def _page(found: Sequence[AuditEntry], limit: int) -> Response:
    shown = found[:limit]
    following = str(shown[-1].id) if len(found) > limit else None
    items = [to_json(audit_document(entry)) for entry in shown]
    return Response(page_json(items, following), media_type=_JSON)
