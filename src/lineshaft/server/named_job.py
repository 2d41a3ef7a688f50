"""Which pipeline a call means that names one: as a job, as RestfulCI calls pipelines, or in its query."""

from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.types import Scope

from lineshaft.model.errors import (
    ConflictError,
    PipelineNotFoundError,
    PipelineUnnamedError,
    RunNotFoundError,
)
from lineshaft.model.principal import Principal
from lineshaft.model.run import Run
from lineshaft.services.control_plane import ControlPlane

JOB: Final = "job"
"""The parameter of a path that is a pipeline's name, or its id."""

NAMED_PIPELINE: Final = "lineshaft.named_pipeline"
"""Under which key of its scope a call has the id of the pipeline that it names."""

_TOLD: Final = 10
_MOST_DIGITS: Final = 18


async def find_job(scope: Scope, principal: Principal) -> None:
    """Note in a call's scope the id of the pipeline that its path names.

    Raises:
        PipelineNotFoundError: the caller sees none of that name.
        ConflictError: they see several.
        StoreUnavailableError: the database does not answer.
    """
    await _find(scope, scope["path_params"][JOB], principal)


async def find_queried(request: Request, key: str, principal: Principal) -> None:
    """Note in a call's scope the id of the pipeline that its query names.

    Args:
        request: the call.
        key: of the query, where the name is, or the id.
        principal: who calls.

    Raises:
        PipelineUnnamedError: it names none.
        PipelineNotFoundError: the caller sees none of that name.
        ConflictError: they see several.
        StoreUnavailableError: the database does not answer.
    """
    text = request.query_params.get(key)
    if not text:
        raise PipelineUnnamedError(key)
    await _find(request.scope, text, principal)


async def _find(scope: Scope, text: str, principal: Principal) -> None:
    scope[NAMED_PIPELINE] = _id(text) or await _of_name(scope["app"].state.control_plane, text, principal)


async def find_job_run(plane: ControlPlane, pipeline_id: UUID, text: str) -> Run:
    """Find a run of a pipeline by its number, or by its id.

    Raises:
        PipelineNotFoundError: there is no such pipeline.
        RunNotFoundError: it has no such run.
    """
    if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        page = await plane.runs.page(pipeline_id, before=int(text) + 1, limit=1)
        if page and page[0].number == int(text):
            return page[0]
    elif (run_id := _id(text)) is not None:
        run = await plane.runs.get(run_id)
        if run.pipeline_id == pipeline_id:
            return run
    raise RunNotFoundError(text)


async def _of_name(plane: ControlPlane, name: str, principal: Principal) -> UUID:
    if "\x00" in name:
        raise PipelineNotFoundError(name)
    found = await plane.pipelines.page(name=name, after=None, limit=_TOLD, visible=principal.visible)
    if not found:
        raise PipelineNotFoundError(name)
    if len(found) > 1:
        ids = ", ".join(str(each.id) for each in found)
        raise ConflictError("Several pipelines have that name.", advice=f"Give one of their ids: {ids}.")
    return found[0].id


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
