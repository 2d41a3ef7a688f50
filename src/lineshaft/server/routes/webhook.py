"""The webhook of programs: whoever may start runs tells what has changed."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.bodies import read_body
from lineshaft.server.depends import By, Plane, Runs
from lineshaft.server.documents import WebhookDocument
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.named_job import NAMED_PIPELINE
from lineshaft.server.openapi import PIPELINE_NOT_FOUND, Responses
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import to_json
from lineshaft.services.sources.program_calls import ProgramCall

_BODY_LIMIT_BYTES: Final = 64 * 1024
_LONGEST: Final = 128 * 1024
_JSON: Final = "application/json"
_KEY: Final = "pipeline"
_ANSWERS: Final[Responses] = {
    200: {"model": WebhookDocument, "description": "The pipeline wants no run for this."},
    202: {"model": WebhookDocument},
    **PIPELINE_NOT_FOUND,
}
_WITHOUT_NUL: Final = r"^[^\x00]*$"

router = APIRouter(route_class=GuardedRoute, tags=["webhooks"])


@router.post(
    "/webhook",
    status_code=202,
    responses=_ANSWERS,
    openapi_extra=needs(Permission.RUN, named_by=_KEY),
)
async def call(
    request: Request,
    plane: Plane,
    runs: Runs,
    by: By,
    *,
    pipeline: Annotated[
        str,
        Query(max_length=1_000, pattern=_WITHOUT_NUL, description="The name of the pipeline, or its id."),
    ],
    changed_refs: Annotated[
        str,
        Query(
            alias="changed-refs",
            max_length=_LONGEST,
            pattern=_WITHOUT_NUL,
            description="Commits, with commas between: what they have changed is the changeset.",
        ),
    ] = "",
    tags: Annotated[
        str, Query(max_length=_LONGEST, pattern=_WITHOUT_NUL, description="Tags, with commas between.")
    ] = "",
) -> Response:
    """Start a run of a pipeline for what a program tells; a body is not read."""
    del pipeline  # The guard has found it.
    await read_body(request, _BODY_LIMIT_BYTES)
    pipeline_id: UUID = request.scope[NAMED_PIPELINE]
    said = ProgramCall(_listed(changed_refs), _listed(tags))
    run = await plane.sources.calls.take(pipeline_id, said, by=by)
    if isinstance(run, str):
        return Response(to_json({"run": None, "reason": run}), media_type=_JSON)
    body = b'{"run":%b}' % runs.renderings.of(run)
    return Response(body, 202, {"Location": f"/v1/runs/{run.id}"}, media_type=_JSON)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each for each in map(str.strip, text.split(",")) if each)
