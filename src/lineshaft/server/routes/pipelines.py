"""Pipelines: create, read, list, replace, delete, trigger."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response

from lineshaft.model.errors import InvalidDefinitionError, Problem
from lineshaft.model.permission import Permission
from lineshaft.server.cursor import cursor, read_cursor
from lineshaft.server.definitions import (
    YAML_MEDIA_TYPE,
    definition_yaml,
    requested_definition,
    requested_pipeline,
    wants_yaml,
)
from lineshaft.server.depends import By, Caller, Limit, PipelineId, Plane
from lineshaft.server.documents import (
    Acknowledgement,
    SchedulePage,
    ValidationDocument,
)
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.kept_requests import KeptRequest
from lineshaft.server.methods import NOT_SERVED
from lineshaft.server.openapi import (
    ANY_PIPELINE_BODY,
    PIPELINE,
    PIPELINE_BODY,
    PIPELINE_NOT_FOUND,
    PIPELINE_PAGE,
)
from lineshaft.server.permissions import needs
from lineshaft.server.poll_documents import PollPage
from lineshaft.server.problems import problem_entry
from lineshaft.server.rendering import page_json, pipeline_json, to_json
from lineshaft.wire.poll import poll_document
from lineshaft.wire.schedule import schedule_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/pipelines", tags=["pipelines"])


@router.post(
    "",
    status_code=201,
    responses={201: {"model": Acknowledgement}},
    openapi_extra=needs(Permission.MAINTAIN, PIPELINE_BODY),
)
async def create_pipeline(request: Request, plane: Plane, by: By) -> Response:
    """Create a pipeline of a configuration, or of the file of a repository that holds one."""
    asked = await requested_pipeline(request)
    if isinstance(asked, KeptRequest):
        pipeline = await plane.sources.kept.create(asked.name, asked.config_file, by=by)
    else:
        pipeline = await plane.pipelines.create(asked, by=by)
    location = {"Location": f"/v1/pipelines/{pipeline.id}"}
    return _acknowledge(pipeline.id, "created", status=201, headers=location)


@router.post(
    "/validate",
    responses={200: {"model": ValidationDocument}},
    openapi_extra=needs(Permission.VIEW, ANY_PIPELINE_BODY, filtered=True),
)
async def validate_pipeline(request: Request, plane: Plane) -> Response:
    """Tell all that is wrong with a configuration; nothing is changed."""
    problems: list[Problem] = []
    try:
        plane.pipelines.check(await requested_definition(request))
    except InvalidDefinitionError as error:
        problems = list(error.problems) or [Problem("", error.message)]
    document = {"valid": not problems, "problems": [problem_entry(problem) for problem in problems]}
    return Response(to_json(document), media_type=_JSON)


@router.api_route(
    "/validate",
    methods=["GET", "HEAD", "PUT", "DELETE", "PATCH"],
    include_in_schema=False,
    name=NOT_SERVED,
    openapi_extra=needs(Permission.VIEW, filtered=True),
)
async def refuse_other_methods() -> Response:
    """Keep the word from being taken for a pipeline's id."""
    raise HTTPException(405)


@router.get("", responses={200: PIPELINE_PAGE}, openapi_extra=needs(Permission.VIEW, filtered=True))
async def list_pipelines(
    plane: Plane,
    caller: Caller,
    *,
    name: Annotated[
        str | None,
        Query(max_length=1_000, pattern=r"^[^\x00]*$", description="Keeps only pipelines of that name."),
    ] = None,
    limit: Limit = 50,
    after: Annotated[str | None, Query(description="The page before's `next`.")] = None,
) -> Response:
    """List the pipelines that the caller may see, by name, then by age."""
    behind = None if after is None else read_cursor(after)
    pipelines = await plane.pipelines.page(name=name, after=behind, limit=limit + 1, visible=caller.visible)
    shown = pipelines[:limit]
    following = cursor(shown[-1].name, shown[-1].id) if len(pipelines) > limit else None
    return Response(page_json([pipeline_json(each) for each in shown], following), media_type=_JSON)


@router.get(
    "/{pipeline_id}", responses={200: PIPELINE, **PIPELINE_NOT_FOUND}, openapi_extra=needs(Permission.VIEW)
)
async def get_pipeline(pipeline_id: PipelineId, request: Request, plane: Plane) -> Response:
    """Read a pipeline's configuration; one of the pipeline language as YAML, where `Accept` asks for that."""
    pipeline = await plane.pipelines.get(pipeline_id)
    if wants_yaml(request):
        return Response(definition_yaml(pipeline.definition), media_type=YAML_MEDIA_TYPE)
    return Response(pipeline_json(pipeline), media_type=_JSON)


@router.get(
    "/{pipeline_id}/schedules",
    responses={200: {"model": SchedulePage}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
async def list_schedules(pipeline_id: PipelineId, plane: Plane) -> Response:
    """Tell when a pipeline starts by itself, and what came of it the last time."""
    found = await plane.schedules.of_pipeline(pipeline_id)
    return Response(page_json([to_json(schedule_document(each)) for each in found], None), media_type=_JSON)


@router.get(
    "/{pipeline_id}/polls",
    responses={200: {"model": PollPage}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
async def list_polls(pipeline_id: PipelineId, plane: Plane) -> Response:
    """Tell when a pipeline's repository is looked at, and what came of it the last time."""
    found = await plane.sources.polls.of_pipeline(pipeline_id)
    items = [] if found is None else [to_json(poll_document(found))]
    return Response(page_json(items, None), media_type=_JSON)


@router.post(
    "/{pipeline_id}/poll",
    responses={200: {"model": Acknowledgement}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.RUN),
)
async def poll_pipeline(pipeline_id: PipelineId, plane: Plane, by: By) -> Response:
    """Look at a pipeline's repository now, in the background; a body is not read."""
    await plane.sources.polls.look_now(pipeline_id, by=by)
    return _acknowledge(pipeline_id, "polled")


@router.put(
    "/{pipeline_id}",
    responses={200: {"model": Acknowledgement}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN, PIPELINE_BODY),
)
async def replace_pipeline(pipeline_id: PipelineId, request: Request, plane: Plane, by: By) -> Response:
    """Replace a pipeline's whole configuration, or where it is kept; runs that have begun keep theirs."""
    asked = await requested_pipeline(request)
    if isinstance(asked, KeptRequest):
        await plane.sources.kept.replace(pipeline_id, asked.name, asked.config_file, by=by)
    else:
        await plane.pipelines.replace(pipeline_id, asked, by=by)
    return _acknowledge(pipeline_id, "updated")


@router.delete(
    "/{pipeline_id}",
    responses={200: {"model": Acknowledgement}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN),
)
async def delete_pipeline(pipeline_id: PipelineId, plane: Plane, by: By) -> Response:
    """Delete a pipeline and cancel what runs of it; its runs can still be read."""
    await plane.pipelines.delete(pipeline_id, by=by)
    return _acknowledge(pipeline_id, "deleted")


@router.post(
    "/{pipeline_id}/refresh",
    responses={200: {"model": Acknowledgement}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN),
)
async def refresh_pipeline(pipeline_id: PipelineId, plane: Plane, by: By) -> Response:
    """Read a pipeline's file again, where its ref points now; a body is not read."""
    await plane.sources.kept.refresh(pipeline_id, by=by)
    return _acknowledge(pipeline_id, "refreshed")


@router.post(
    "/{pipeline_id}/trigger",
    responses={200: {"model": Acknowledgement}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.RUN),
)
async def trigger_pipeline(pipeline_id: PipelineId, plane: Plane, by: By) -> Response:
    """Start a run, whose address is in `Location`; a body is not read."""
    run = await plane.runs.trigger(pipeline_id, by=by)
    return _acknowledge(pipeline_id, "triggered", headers={"Location": f"/v1/runs/{run.id}"})


def _acknowledge(
    pipeline_id: UUID, done: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    body = to_json({"id": str(pipeline_id), "message": f"Pipeline {done} successfully."})
    return Response(body, status, headers, media_type=_JSON)
