"""Definitions of resources: list, create, show, set, delete."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from lineshaft.model.errors import ConflictError, VersionMismatchError
from lineshaft.model.permission import Permission
from lineshaft.model.resource import RESOURCE_TYPE_PATTERN, ResourceDefinition
from lineshaft.server.bodies import read_message
from lineshaft.server.conditions import Expecting, etag
from lineshaft.server.depends import After, By, Limit, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.server.resource_documents import (
    NewResourceDefinitionRequest,
    ResourceDefinitionDocument,
    ResourceDefinitionPage,
    ResourceDefinitionRequest,
)
from lineshaft.server.resource_names import refuse_another_name
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.resource import resource_definition_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/resource-definitions", tags=["resource definitions"])

Name = Annotated[str, Path(pattern=RESOURCE_TYPE_PATTERN, description="The type's name.")]


@router.get("", responses={200: {"model": ResourceDefinitionPage}}, openapi_extra=needs(Permission.VIEW))
async def list_resource_definitions(plane: Plane, limit: Limit = 50, after: After = None) -> Response:
    """List what types of resources there are, by name."""
    found = [each for each in await plane.resources.definitions.all() if after is None or each.name > after]
    following = found[limit - 1].name if len(found) > limit else None
    items = [to_json(resource_definition_document(each)) for each in found[:limit]]
    return Response(page_json(items, following), media_type=_JSON)


@router.post(
    "",
    status_code=201,
    responses={201: {"model": ResourceDefinitionDocument}},
    openapi_extra=needs(Permission.MAINTAIN, required_body(NewResourceDefinitionRequest)),
)
async def create_resource_definition(request: Request, plane: Plane, by: By) -> Response:
    """Define a type of resources that is not there yet."""
    asked = await read_message(request, NewResourceDefinitionRequest)
    try:
        made = await plane.resources.definitions.define(asked.name, asked.to_definition(), expected=0, by=by)
    except VersionMismatchError:
        raise ConflictError(
            f"There is a type '{asked.name}'.", advice="Replace it with PUT, or choose another name."
        ) from None
    return _shown(made, 201, {"Location": f"/v1/resource-definitions/{made.name}"})


@router.get(
    "/{name}",
    responses={200: {"model": ResourceDefinitionDocument}},
    openapi_extra=needs(Permission.VIEW),
)
async def get_resource_definition(plane: Plane, name: Name) -> Response:
    """Show what the resources of a type look like."""
    return _shown(await plane.resources.definitions.get(name))


@router.put(
    "/{name}",
    responses={200: {"model": ResourceDefinitionDocument}},
    openapi_extra=needs(Permission.MAINTAIN, required_body(ResourceDefinitionRequest)),
)
async def set_resource_definition(
    request: Request, plane: Plane, by: By, name: Name, condition: Expecting
) -> Response:
    """Define a type of resources, or replace all of its definition."""
    asked = await read_message(request, ResourceDefinitionRequest)
    refuse_another_name(asked.name, name)
    expected = await condition.expected(lambda: _version(plane, name))
    made = await plane.resources.definitions.define(name, asked.to_definition(), expected=expected, by=by)
    return _shown(made)


@router.delete("/{name}", status_code=204, openapi_extra=needs(Permission.MAINTAIN))
async def delete_resource_definition(plane: Plane, by: By, name: Name, condition: Expecting) -> Response:
    """Delete the definition of a type that has no resources."""
    expected = await condition.expected(lambda: _version(plane, name))
    await plane.resources.definitions.undefine(name, expected=expected, by=by)
    return Response(status_code=204)


async def _version(plane: ControlPlane, name: str) -> int:
    return (await plane.resources.definitions.get(name)).version


def _shown(
    definition: ResourceDefinition, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    body = to_json(resource_definition_document(definition))
    return Response(body, status, {**etag(definition.version), **(headers or {})}, media_type=_JSON)
