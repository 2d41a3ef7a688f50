"""Jobs and their runs: the routes of RestfulCI, for the pipelines and runs that there are."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from lineshaft.model.artifact import Artifact, ArtifactKind, ContentFormat
from lineshaft.model.errors import ArtifactNotFoundError, InvalidInputError, Problem
from lineshaft.model.kept_files import ResultType
from lineshaft.model.permission import Permission
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.server.bodies import read_message, read_optional
from lineshaft.server.depends import By, Caller, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.job_answers import console, zipped
from lineshaft.server.job_definitions import freestyle_definition, with_parameter
from lineshaft.server.job_documents import JobDocument, JobResultDocument, JobRunDocument, JobUserDocument
from lineshaft.server.job_requests import JobRequest, JobRunRequest, ParameterRequest
from lineshaft.server.kept_files import answer_file
from lineshaft.server.named_job import NAMED_PIPELINE, find_job_run
from lineshaft.server.openapi import (
    FILE_BYTES,
    LOG_BYTES,
    PIPELINE_DEFINITION,
    PIPELINE_NOT_FOUND,
    RUN_OR_PIPELINE_NOT_FOUND,
    Responses,
    optional_body,
    required_body,
)
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.files.shown import MOST_SHOWN, FoundFile
from lineshaft.wire.jobs import job_document, job_result_document, job_run_document

_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"
_ZIP: Final = "application/zip"
_FURTHEST: Final = 1_000
_AT_ONCE: Final = 100
_RUN: Final[Responses] = {200: {"model": JobRunDocument}, **PIPELINE_NOT_FOUND}
_JOB: Final[Responses] = {200: {"model": JobDocument}, **PIPELINE_NOT_FOUND}
_FILES: Final[Responses] = {200: FILE_BYTES, **RUN_OR_PIPELINE_NOT_FOUND}

Job = Annotated[str, Path(max_length=1_000, description="The job's name, or its id.")]
JobRun = Annotated[str, Path(max_length=36, description="The run's number, or its id.")]
PageNumber = Annotated[int, Query(ge=1, le=_FURTHEST, description="Which page, from 1.")]
PageSize = Annotated[int, Query(ge=1, le=200, description="How many items a page holds at most.")]

router = APIRouter(route_class=GuardedRoute, tags=["jobs"])


@router.get("/users/me", responses={200: {"model": JobUserDocument}}, openapi_extra=needs(Permission.SELF))
async def get_job_user(caller: Caller) -> Response:
    """Tell who calls."""
    return _answer({"username": caller.name})


@router.get(
    "/jobs",
    responses={200: {"model": list[JobDocument]}},
    openapi_extra=needs(Permission.VIEW, filtered=True),
)
async def list_jobs(plane: Plane, caller: Caller, page: PageNumber = 1, size: PageSize = 20) -> Response:
    """List the pipelines that the caller may see as jobs, by name; of more than 1,000 the first."""
    _refuse_too_far(page, size)
    found: list[Pipeline] = []
    while len(found) < page * size:
        after = (found[-1].name, found[-1].id) if found else None
        limit = min(_AT_ONCE, page * size - len(found))
        more = await plane.pipelines.page(name=None, after=after, limit=limit, visible=caller.visible)
        found += more
        if len(more) < limit:
            break
    return _answer([job_document(each) for each in found[(page - 1) * size :]])


@router.post(
    "/jobs",
    responses={200: {"model": JobDocument}},
    openapi_extra=needs(Permission.MAINTAIN, required_body(JobRequest)),
)
async def create_job(request: Request, plane: Plane, by: By) -> Response:
    """Make a job: a pipeline that is kept in a repository, or one that runs a command in a container."""
    asked = await read_message(request, JobRequest)
    if asked.config_file is not None:
        pipeline = await plane.sources.kept.create(asked.name, asked.config_file, by=by)
    else:
        definition = await asyncio.to_thread(freestyle_definition, asked)
        pipeline = await plane.pipelines.create(definition, by=by)
    return _answer(job_document(pipeline))


@router.get("/jobs/{job}", responses=_JOB, openapi_extra=needs(Permission.VIEW))
async def get_job(job: Job, request: Request, plane: Plane) -> Response:
    """Read a job."""
    del job
    return _answer(job_document(await plane.pipelines.get(_pipeline_id(request))))


@router.delete("/jobs/{job}", responses=_JOB, openapi_extra=needs(Permission.MAINTAIN))
async def delete_job(job: Job, request: Request, plane: Plane, by: By) -> Response:
    """Delete a job, cancel what runs of it, and tell what it was."""
    del job
    pipeline = await plane.pipelines.get(_pipeline_id(request))
    await plane.pipelines.delete(pipeline.id, by=by)
    return _answer(job_document(pipeline))


@router.post(
    "/jobs/{job}/parameters",
    responses=_JOB,
    openapi_extra=needs(Permission.MAINTAIN, required_body(ParameterRequest)),
)
async def add_parameter(job: Job, request: Request, plane: Plane, by: By) -> Response:
    """Give a freestyle job an input, which its command finds in its environment."""
    del job
    pipeline = await plane.pipelines.get(_pipeline_id(request))
    asked = await read_message(request, ParameterRequest)
    definition = await asyncio.to_thread(with_parameter, pipeline, asked)
    return _answer(job_document(await plane.pipelines.replace(pipeline.id, definition, by=by)))


@router.post("/job/{job}", responses=_RUN, openapi_extra=needs(Permission.RUN, optional_body(JobRunRequest)))
@router.post("/jobs/{job}", responses=_RUN, openapi_extra=needs(Permission.RUN, optional_body(JobRunRequest)))
@router.post(
    "/jobs/{job}/runs", responses=_RUN, openapi_extra=needs(Permission.RUN, optional_body(JobRunRequest))
)
async def start_job(job: Job, request: Request, plane: Plane, by: By) -> Response:
    """Start a run of a job: on a commit, on a branch, or on what it usually works on."""
    del job
    asked = await read_optional(request, JobRunRequest)
    run = await plane.runs.trigger(_pipeline_id(request), asked.to_request(), by=by)
    return Response(
        to_json(job_run_document(run, ())), headers={"Location": f"/v1/runs/{run.id}"}, media_type=_JSON
    )


@router.get(
    "/jobs/{job}/runs",
    responses={200: {"model": list[JobRunDocument]}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
async def list_job_runs(
    job: Job, request: Request, plane: Plane, page: PageNumber = 1, size: PageSize = 20
) -> Response:
    """List the runs of a job, newest first, without their results; of more than 1,000 the newest."""
    del job
    _refuse_too_far(page, size)
    found: list[Run] = []
    while len(found) < page * size:
        before = found[-1].number if found else None
        limit = min(_AT_ONCE, page * size - len(found))
        more = await plane.runs.page(_pipeline_id(request), before=before, limit=limit)
        found += more
        if len(more) < limit:
            break
    return _answer([job_run_document(each, ()) for each in found[(page - 1) * size :]])


@router.get("/jobs/{job}/runs/{run}", responses=_RUN, openapi_extra=needs(Permission.VIEW))
async def get_job_run(job: Job, run: JobRun, request: Request, plane: Plane) -> Response:
    """Read where a run of a job stands, and what it has found."""
    del job
    found = await find_job_run(plane, _pipeline_id(request), run)
    return _answer(job_run_document(found, await _results(plane, found)))


@router.get(
    "/jobs/{job}/runs/{run}/configuration",
    responses={200: PIPELINE_DEFINITION, **RUN_OR_PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
async def get_job_configuration(job: Job, run: JobRun, request: Request, plane: Plane) -> Response:
    """Read the configuration that a run runs."""
    del job
    found = await find_job_run(plane, _pipeline_id(request), run)
    return Response((await plane.runs.definition(found.id)).text, media_type=_JSON)


@router.get(
    "/jobs/{job}/runs/{run}/console",
    responses={200: LOG_BYTES, **RUN_OR_PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
@router.get(
    "/jobs/{job}/runs/{run}/results/console",
    responses={200: LOG_BYTES, **RUN_OR_PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
async def get_console(job: Job, run: JobRun, request: Request, plane: Plane) -> Response:
    """Read what the tasks of a run have printed so far, one behind the other."""
    del job
    found = await find_job_run(plane, _pipeline_id(request), run)
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return StreamingResponse(console(plane, found), headers=headers, media_type=_TEXT)


@router.get(
    "/jobs/{job}/runs/{run}/results",
    responses={200: {"model": list[JobResultDocument]}, **RUN_OR_PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
async def list_job_results(job: Job, run: JobRun, request: Request, plane: Plane) -> Response:
    """List what the tasks of a run have found."""
    del job
    found = await find_job_run(plane, _pipeline_id(request), run)
    return _answer([job_result_document(each) for each in await _results(plane, found)])


@router.get("/jobs/{job}/runs/{run}/results/junit", responses=_FILES, openapi_extra=needs(Permission.VIEW))
async def get_job_reports(job: Job, run: JobRun, request: Request, plane: Plane) -> Response:
    """Read all JUnit reports of a run, as a ZIP archive."""
    del job
    found = await find_job_run(plane, _pipeline_id(request), run)
    reports = [each for each in await _results(plane, found) if each.type is ResultType.JUNIT]
    if not reports:
        raise ArtifactNotFoundError(
            "The run has kept no JUnit report.",
            advice="Have a task keep one, by its `results`.",
        )
    return _archive(plane, reports, "junit.zip")


@router.get("/jobs/{job}/runs/{run}/results/{result}", responses=_FILES, openapi_extra=needs(Permission.VIEW))
async def get_job_result(
    job: Job,
    run: JobRun,
    result: Annotated[UUID, Path(description="The result's id, as the list of results tells it.")],
    request: Request,
    plane: Plane,
) -> Response:
    """Read a result, as a ZIP archive."""
    del job
    found = await find_job_run(plane, _pipeline_id(request), run)
    kept = next((each for each in await _results(plane, found) if each.id == result), None)
    if kept is None:
        raise ArtifactNotFoundError(
            f"The run has no result {result}.", advice="List them: GET /jobs/JOB/runs/RUN/results."
        )
    if kept.content.format is ContentFormat.ZIP:
        return await answer_file(request, plane.files.shown, FoundFile(kept))
    return _archive(plane, [kept], f"{result}.zip")


async def _results(plane: ControlPlane, run: Run) -> Sequence[Artifact]:
    found = await plane.files.shown.list(
        run.id, ArtifactKind.RESULT, attempt=None, offset=0, limit=MOST_SHOWN
    )
    return [each.artifact for each in found if not each.expired]


def _archive(plane: ControlPlane, results: Sequence[Artifact], name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    return StreamingResponse(zipped(plane.files.shown, results), headers=headers, media_type=_ZIP)


def _pipeline_id(request: Request) -> UUID:
    pipeline_id: UUID = request.scope[NAMED_PIPELINE]
    return pipeline_id


def _refuse_too_far(page: int, size: int) -> None:
    if page * size > _FURTHEST:
        problem = Problem("page", f"ends behind the first {_FURTHEST:,} items")
        raise InvalidInputError(
            "The request is not as it must be.", problems=[problem], advice="Go through all of them by /v1."
        )


def _answer(document: object) -> Response:
    return Response(to_json(document), media_type=_JSON)
