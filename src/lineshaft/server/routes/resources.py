"""Resources: list, create, show, replace, patch, delete, resync, and their versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import StringConstraints
from starlette.responses import Response

from lineshaft.model.errors import InvalidInputError, Problem
from lineshaft.model.permission import Permission, may
from lineshaft.model.principal import Principal
from lineshaft.model.resource import RESOURCE_TYPE_PATTERN, ResourceEvent
from lineshaft.model.state import State
from lineshaft.ports.store import ResourceFilter
from lineshaft.server.bodies import read_message
from lineshaft.server.conditions import Expecting, etag
from lineshaft.server.depends import By, Caller, Limit, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.server.resource_documents import (
    RESOURCE_NAME_PATTERN,
    NewResourceRequest,
    ResourceChangeDocument,
    ResourceDocument,
    ResourcePage,
    ResourcePatch,
    ResourceRequest,
    ResourceVersionDocument,
    ResourceVersionPage,
    ResyncDocument,
)
from lineshaft.server.resource_names import refuse_another_name
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.resources.carrying import MayRun
from lineshaft.services.resources.standing import Standing
from lineshaft.wire.resource import resource_change_document, resource_document, resource_version_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/resources", tags=["resources"])

Type = Annotated[str, Path(pattern=RESOURCE_TYPE_PATTERN, description="The name of its type.")]
Name = Annotated[str, Path(pattern=RESOURCE_NAME_PATTERN, description="Its name.")]
Version = Annotated[int, Path(ge=1, le=2**31 - 1, description="Which version, from 1.")]
Before = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="The page before's `next`.")]
Behind = Annotated[
    str | None,
    Query(max_length=400, pattern=r"^[^/\x00]+/[^/\x00]+$", description="The page before's `next`."),
]
OfPipeline = Annotated[
    str | None,
    Query(max_length=1_000, pattern=r"^[^\x00]*$", description="Keeps only those that name this pipeline."),
]
InState = Annotated[
    list[State],
    Query(max_length=20, description="Keeps only those whose last run is in this state, or one of these."),
]
WithMetadata = Annotated[
    list[Annotated[str, StringConstraints(max_length=1_200, pattern=r"^[^=\x00]+=[^\x00]*$")]],
    Query(
        max_length=10, description="`NAME=TEXT`: keeps only those whose metadata has that, and each other."
    ),
]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which page of which list is asked for."""

    filter: ResourceFilter
    after: tuple[str, str] | None
    limit: int


async def _asked(
    *,
    pipeline: OfPipeline = None,
    state: InState = [],  # noqa: B006 - FastAPI copies it.
    metadata: WithMetadata = [],  # noqa: B006 - FastAPI copies it.
    limit: Limit = 50,
    after: Behind = None,
) -> _Asked:
    wanted = ResourceFilter(None, pipeline, frozenset(state) or None, _texts(metadata))
    type_name, _, name = (after or "").partition("/")
    return _Asked(wanted, None if after is None else (type_name, name), limit)


Asked = Annotated[_Asked, Depends(_asked)]


@router.get("", responses={200: {"model": ResourcePage}}, openapi_extra=needs(Permission.VIEW))
async def list_resources(plane: Plane, asked: Asked) -> Response:
    """List the resources of all types, by type and name."""
    return await _page(plane, asked)


@router.get("/{type_name}", responses={200: {"model": ResourcePage}}, openapi_extra=needs(Permission.VIEW))
async def list_resources_of_type(plane: Plane, type_name: Type, asked: Asked) -> Response:
    """List the resources of a type, by name."""
    return await _page(plane, replace(asked, filter=replace(asked.filter, type=type_name)))


@router.post(
    "/{type_name}",
    status_code=201,
    responses={201: {"model": ResourceChangeDocument}},
    openapi_extra=needs(Permission.RUN, required_body(NewResourceRequest)),
)
async def create_resource(
    request: Request, plane: Plane, caller: Caller, by: By, type_name: Type
) -> Response:
    """Make a resource, and bring it to its drivers."""
    asked = await read_message(request, NewResourceRequest)
    made = await plane.resources.resources.create(
        type_name, asked.name, asked.to_wanted(), by=by, may_run=_may_run(caller)
    )
    return _changed(made, 201, {"Location": f"/v1/resources/{type_name}/{asked.name}"})


@router.post(
    "/{type_name}/resync",
    status_code=202,
    responses={202: {"model": ResyncDocument}},
    openapi_extra=needs(Permission.RUN),
)
async def resync_resources(plane: Plane, by: By, type_name: Type) -> Response:
    """Bring all resources of a type to their drivers once more, in the background; a body is not read."""
    count = await plane.resources.resources.resync_all(type_name, by=by)
    return Response(to_json({"count": count}), 202, media_type=_JSON)


@router.get(
    "/{type_name}/{name}", responses={200: {"model": ResourceDocument}}, openapi_extra=needs(Permission.VIEW)
)
async def get_resource(plane: Plane, type_name: Type, name: Name) -> Response:
    """Show what is wanted of a resource, and how far it has come."""
    found = await plane.resources.resources.get(type_name, name)
    body = to_json(resource_document(found.resource, found.observed))
    return Response(body, 200, etag(found.resource.version), media_type=_JSON)


@router.put(
    "/{type_name}/{name}",
    responses={
        200: {"model": ResourceChangeDocument},
        201: {"model": ResourceChangeDocument, "description": "It was not there before."},
    },
    openapi_extra=needs(Permission.RUN, required_body(ResourceRequest)),
)
async def set_resource(
    request: Request,
    *,
    plane: Plane,
    caller: Caller,
    by: By,
    type_name: Type,
    name: Name,
    condition: Expecting,
) -> Response:
    """Make a resource, or replace all that it says, and bring it to its drivers."""
    asked = await read_message(request, ResourceRequest)
    refuse_another_name(asked.name, name)
    expected = await condition.expected(lambda: _version(plane, type_name, name))
    done = await plane.resources.resources.put(
        type_name, name, asked.to_wanted(), expected=expected, by=by, may_run=_may_run(caller)
    )
    if done.event is ResourceEvent.CREATED:
        return _changed(done, 201, {"Location": f"/v1/resources/{type_name}/{name}"})
    return _changed(done)


@router.patch(
    "/{type_name}/{name}",
    responses={200: {"model": ResourceChangeDocument}},
    openapi_extra=needs(Permission.RUN, required_body(ResourcePatch, "application/merge-patch+json")),
)
async def patch_resource(
    request: Request,
    *,
    plane: Plane,
    caller: Caller,
    by: By,
    type_name: Type,
    name: Name,
    condition: Expecting,
) -> Response:
    """Change some of what a resource says, by a JSON Merge Patch, and bring it to its drivers."""
    asked = await read_message(request, ResourcePatch)
    expected = await condition.expected(lambda: _version(plane, type_name, name))
    done = await plane.resources.resources.patch(
        type_name, name, asked.to_patch(), expected=expected, by=by, may_run=_may_run(caller)
    )
    return _changed(done)


@router.delete(
    "/{type_name}/{name}",
    responses={200: {"model": ResourceChangeDocument}},
    openapi_extra=needs(Permission.RUN),
)
async def delete_resource(
    *, plane: Plane, caller: Caller, by: By, type_name: Type, name: Name, condition: Expecting
) -> Response:
    """Delete a resource, of which its drivers hear."""
    expected = await condition.expected(lambda: _version(plane, type_name, name))
    done = await plane.resources.resources.delete(
        type_name, name, expected=expected, by=by, may_run=_may_run(caller)
    )
    return _changed(done)


@router.post(
    "/{type_name}/{name}/resync",
    status_code=202,
    responses={202: {"model": ResourceChangeDocument}},
    openapi_extra=needs(Permission.RUN),
)
async def resync_resource(plane: Plane, caller: Caller, by: By, type_name: Type, name: Name) -> Response:
    """Bring a resource to its drivers once more, as it is; a body is not read."""
    done = await plane.resources.resources.resync(type_name, name, by=by, may_run=_may_run(caller))
    return _changed(done, 202)


@router.get(
    "/{type_name}/{name}/versions",
    responses={200: {"model": ResourceVersionPage}},
    openapi_extra=needs(Permission.VIEW),
)
async def list_resource_versions(
    plane: Plane, type_name: Type, name: Name, limit: Limit = 50, before: Before = None
) -> Response:
    """List the versions of a resource that are kept, newest first, each with the event that made it."""
    found = await plane.resources.resources.versions(type_name, name, before=before, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1][0].version if len(found) > limit else None
    items = [to_json(resource_version_document(*each)) for each in shown]
    return Response(page_json(items, following), media_type=_JSON)


@router.get(
    "/{type_name}/{name}/{version:int}",
    responses={200: {"model": ResourceVersionDocument}},
    openapi_extra=needs(Permission.VIEW),
)
async def get_resource_version(plane: Plane, type_name: Type, name: Name, version: Version) -> Response:
    """Show one version of a resource, and the event that made it."""
    found, event = await plane.resources.resources.version(type_name, name, version)
    return Response(to_json(resource_version_document(found, event)), media_type=_JSON)


async def _page(plane: ControlPlane, asked: _Asked) -> Response:
    found = await plane.resources.resources.page(asked.filter, after=asked.after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    last = shown[-1].resource if len(found) > asked.limit else None
    following = None if last is None else f"{last.type}/{last.name}"
    items = [to_json(resource_document(each.resource, each.observed)) for each in shown]
    return Response(page_json(items, following), media_type=_JSON)


async def _version(plane: ControlPlane, type_name: str, name: str) -> int:
    return (await plane.resources.resources.get(type_name, name)).resource.version


def _may_run(caller: Principal) -> MayRun:
    return partial(may, caller, Permission.RUN)


def _changed(done: Standing, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    started = None if done.run is None else done.run.id
    body = to_json(resource_change_document(done.resource, done.observed, done.event, started))
    return Response(body, status, {**etag(done.resource.version), **(headers or {})}, media_type=_JSON)


def _texts(said: Sequence[str]) -> dict[str, str] | None:
    """Read what the metadata is to have.

    Raises:
        InvalidInputError: it says two things of one name.
    """
    texts = dict(each.split("=", 1) for each in dict.fromkeys(said))
    if len(texts) < len(set(said)):
        raise InvalidInputError(
            "The request is not as it must be.",
            problems=[Problem("metadata", "says two texts of one name, which nothing has")],
        )
    return texts or None
