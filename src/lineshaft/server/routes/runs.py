"""Runs: start, read, list, cancel, retry."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from lineshaft.model.errors import InvalidInputError
from lineshaft.model.permission import Permission
from lineshaft.model.run import Run
from lineshaft.server.bodies import read_optional
from lineshaft.server.definitions import YAML_MEDIA_TYPE, definition_yaml, wants_yaml
from lineshaft.server.depends import By, Limit, NodePath, PipelineId, RunId, Runs
from lineshaft.server.documents import (
    ExplanationDocument,
    RunDocument,
    RunPage,
)
from lineshaft.server.guard import require
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import (
    PIPELINE_DEFINITION,
    PIPELINE_NOT_FOUND,
    RUN_OR_PIPELINE_NOT_FOUND,
    Responses,
    optional_body,
)
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import RunRenderings, page_json, to_json
from lineshaft.server.requests import RetryRequest, StartRequest
from lineshaft.wire.run import explanation_document

_JSON: Final = "application/json"
_MANY_NODES: Final = 200
_ACCEPTED: Final[Responses] = {202: {"model": RunDocument}}

router = APIRouter(route_class=GuardedRoute, prefix="/v1", tags=["runs"])


# The most frequent request of all, so that it stands first and nothing is matched before it.
@router.get("/runs/{run_id}", responses={200: {"model": RunDocument}}, openapi_extra=needs(Permission.VIEW))
async def get_run(run_id: RunId, runs: Runs) -> Response:
    """Read where a run and each of its nodes stand."""
    return Response(runs.renderings.of(await runs.service.get(run_id)), media_type=_JSON)


@router.post(
    "/pipelines/{pipeline_id}/runs",
    status_code=202,
    responses=_ACCEPTED | PIPELINE_NOT_FOUND,
    openapi_extra=needs(Permission.RUN, optional_body(StartRequest)),
)
async def start_run(pipeline_id: PipelineId, request: Request, runs: Runs, by: By) -> Response:
    """Start a run of a pipeline; its `concurrency` says what that means for the runs before it.

    With `overrides` it takes the permission to maintain the pipeline.
    """
    try:
        asked = await read_optional(request, StartRequest)
    except InvalidInputError:
        await runs.service.check_pipeline(pipeline_id)  # That there is none is said before all else.
        raise
    if asked.overrides:
        await require(request.scope, Permission.MAINTAIN, pipeline_id=pipeline_id)
    return _accepted(await runs.service.trigger(pipeline_id, asked.to_request(), by=by), runs.renderings)


@router.get(
    "/pipelines/{pipeline_id}/runs",
    responses={200: {"model": RunPage}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
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
    items = []
    for run in shown:
        items.append(runs.renderings.of(run))
        if len(run.nodes) > _MANY_NODES:
            await asyncio.sleep(0)  # Others are answered between runs that take long to write.
    return Response(page_json(items, following), media_type=_JSON)


@router.post(
    "/runs/{run_id}/cancel", status_code=202, responses=_ACCEPTED, openapi_extra=needs(Permission.RUN)
)
async def cancel_run(run_id: RunId, runs: Runs, by: By) -> Response:
    """Ask a run to stop."""
    return _accepted(await runs.service.cancel(run_id, by=by), runs.renderings)


@router.post(
    "/runs/{run_id}/retry",
    status_code=202,
    responses=_ACCEPTED | RUN_OR_PIPELINE_NOT_FOUND,
    openapi_extra=needs(Permission.RUN, optional_body(RetryRequest)),
)
async def retry_run(run_id: RunId, request: Request, runs: Runs, by: By) -> Response:
    """Start a run like one that has ended: the same configuration, inputs and commit.

    With `{"from": "failed"}` the nodes that succeeded keep their results.
    """
    asked = await read_optional(request, RetryRequest)
    run = await runs.service.retry(run_id, from_failed=asked.from_ is not None, by=by)
    return _accepted(run, runs.renderings)


@router.get(
    "/runs/{run_id}/definition", responses={200: PIPELINE_DEFINITION}, openapi_extra=needs(Permission.VIEW)
)
async def get_definition(run_id: RunId, request: Request, runs: Runs) -> Response:
    """Read the configuration that a run runs, as it was when the run was made."""
    definition = await runs.service.definition(run_id)
    if wants_yaml(request):
        return Response(definition_yaml(definition), media_type=YAML_MEDIA_TYPE)
    return Response(definition.text, media_type=_JSON)


@router.get(
    "/runs/{run_id}/nodes/{path:path}/explain",
    responses={200: {"model": ExplanationDocument}},
    openapi_extra=needs(Permission.VIEW),
)
async def explain_node(run_id: RunId, path: NodePath, runs: Runs) -> Response:
    """Tell why a node waits, was skipped, was cancelled or failed."""
    explanation, child_run = await runs.service.explain(run_id, path)
    document = explanation_document(explanation)
    document["child_run"] = None if child_run is None else str(child_run)
    return Response(to_json(document), media_type=_JSON)


def _accepted(run: Run, renderings: RunRenderings) -> Response:
    return Response(renderings.of(run), 202, {"Location": f"/v1/runs/{run.id}"}, media_type=_JSON)
