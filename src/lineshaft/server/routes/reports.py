"""Reports: how the last runs have ended, and how long they took."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.cursor import cursor, read_cursor
from lineshaft.server.depends import Caller, Limit, Plane
from lineshaft.server.documents import (
    ReportPage,
)
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.services.reports import DEFAULT_RUNS, MOST_RUNS, ReportRequest
from lineshaft.wire.report import report_document

_JSON: Final = "application/json"
_MOST_CHARACTERS: Final = 4_096

Text = Annotated[str | None, Query(max_length=_MOST_CHARACTERS, pattern=r"^[^\x00]*$")]

router = APIRouter(route_class=GuardedRoute, prefix="/v1/reports", tags=["reports"])


@router.get("", responses={200: {"model": ReportPage}}, openapi_extra=needs(Permission.VIEW, filtered=True))
async def report(
    plane: Plane,
    caller: Caller,
    *,
    repository: Text = None,
    pipeline: Text = None,
    run: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Only the run with this number.")
    ] = None,
    stage: Text = None,
    job: Text = None,
    runs: Annotated[int, Query(ge=1, le=MOST_RUNS, description="How many last runs count.")] = DEFAULT_RUNS,
    limit: Limit = 50,
    after: Annotated[str | None, Query(description="The page before's `next`.")] = None,
) -> Response:
    """Report on the pipelines that the caller may see, on a run, on a stage and what is in it, or on a job.

    `pipeline` is a name or an id, `stage` the path of a node at the top, `job` the path of any node.
    """
    request = ReportRequest(repository, _name_or_id(pipeline), run, stage, job, runs, caller.visible)
    behind = None if after is None else read_cursor(after)
    entries, following = await plane.reports.page(request, after=behind, limit=limit)
    items = [to_json(report_document(entry)) for entry in entries]
    return Response(page_json(items, None if following is None else cursor(*following)), media_type=_JSON)


def _name_or_id(text: str | None) -> str | UUID | None:
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        return text
