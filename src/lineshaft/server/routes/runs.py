"""Runs: start, read, list, cancel, retry."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from lineshaft.model.run import Run
from lineshaft.server.depends import Limit, PipelineId, RunId, Runs
from lineshaft.server.documents import RunDocument, RunPage
from lineshaft.server.openapi import PIPELINE_NOT_FOUND, RUN_OR_PIPELINE_NOT_FOUND, Responses
from lineshaft.server.rendering import RunRenderings, page_json

_JSON: Final = "application/json"
_ACCEPTED: Final[Responses] = {202: {"model": RunDocument}}

router = APIRouter(prefix="/v1", tags=["runs"])


# The most frequent request of all, so that it stands first and nothing is matched before it.
@router.get("/runs/{run_id}", responses={200: {"model": RunDocument}})
async def get_run(run_id: RunId, runs: Runs) -> Response:
    """Read where a run and each of its nodes stand."""
    return Response(runs.renderings.of(await runs.service.get(run_id)), media_type=_JSON)


@router.post("/pipelines/{pipeline_id}/runs", status_code=202, responses=_ACCEPTED | PIPELINE_NOT_FOUND)
async def start_run(pipeline_id: PipelineId, runs: Runs) -> Response:
    """Start a run of a pipeline; a run before it is cancelled first."""
    return _accepted(await runs.service.trigger(pipeline_id), runs.renderings)


@router.get("/pipelines/{pipeline_id}/runs", responses={200: {"model": RunPage}, **PIPELINE_NOT_FOUND})
async def list_runs(
    pipeline_id: PipelineId,
    runs: Runs,
    limit: Limit = 50,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="The page before's `next`.")] = None,
) -> Response:
    """List a pipeline's runs, newest first."""
    found = await runs.service.page(pipeline_id, before=before, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].number if len(found) > limit else None
    return Response(page_json([runs.renderings.of(run) for run in shown], following), media_type=_JSON)


@router.post("/runs/{run_id}/cancel", status_code=202, responses=_ACCEPTED)
async def cancel_run(run_id: RunId, runs: Runs) -> Response:
    """Ask a run to stop."""
    return _accepted(await runs.service.cancel(run_id), runs.renderings)


@router.post("/runs/{run_id}/retry", status_code=202, responses=_ACCEPTED | RUN_OR_PIPELINE_NOT_FOUND)
async def retry_run(run_id: RunId, runs: Runs) -> Response:
    """Start a run like one that has ended: the same configuration and the same commit."""
    return _accepted(await runs.service.retry(run_id), runs.renderings)


def _accepted(run: Run, renderings: RunRenderings) -> Response:
    return Response(renderings.of(run), 202, {"Location": f"/v1/runs/{run.id}"}, media_type=_JSON)
