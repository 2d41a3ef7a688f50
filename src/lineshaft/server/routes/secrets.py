"""Secrets: set, list, delete, seal anew. No route tells a value."""

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.model.principal import Actor
from lineshaft.model.secret import LONGEST_ENVIRONMENT, LONGEST_SECRET_NAME, Secret, SecretAddress
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import By, Limit, PipelineId, Plane
from lineshaft.server.documents import (
    ResealedDocument,
    SecretDocument,
    SecretPage,
)
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import PIPELINE_NOT_FOUND, SECRET_OR_PIPELINE_NOT_FOUND, required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.server.requests import SecretRequest
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.secret import secret_document

_JSON: Final = "application/json"
_VALUE_LIMIT_BYTES: Final = 512 * 1024
"""A value of 64 KiB, each byte of it escaped."""

router = APIRouter(route_class=GuardedRoute, tags=["secrets"])

Name = Annotated[str, Path(description="The secret's name.")]
Environment = Annotated[
    str | None,
    Query(description="The only environment that it is for; without it any.", max_length=LONGEST_ENVIRONMENT),
]
After = Annotated[
    str | None,
    Query(
        max_length=LONGEST_SECRET_NAME + LONGEST_ENVIRONMENT + 1,
        pattern=r"^[^\x00]*$",
        description="The page before's `next`.",
    ),
]


@router.get("/v1/secrets", responses={200: {"model": SecretPage}}, openapi_extra=needs(Permission.ADMIN))
async def list_secrets(plane: Plane, limit: Limit = 50, after: After = None) -> Response:
    """List the secrets for all pipelines by name, without their values."""
    return await _page(plane, None, limit, after)


@router.put(
    "/v1/secrets/{name}",
    responses={200: {"model": SecretDocument}},
    openapi_extra=needs(Permission.ADMIN, required_body(SecretRequest)),
)
async def set_secret(
    request: Request, plane: Plane, by: By, name: Name, environment: Environment = None
) -> Response:
    """Give a secret for all pipelines a value."""
    return await _set(request, plane, by, SecretAddress(name, None, environment or None))


@router.delete("/v1/secrets/{name}", status_code=204, openapi_extra=needs(Permission.ADMIN))
async def delete_secret(plane: Plane, by: By, name: Name, environment: Environment = None) -> Response:
    """Delete a secret for all pipelines."""
    await plane.secrets.keeping.delete(SecretAddress(name, None, environment or None), by)
    return Response(status_code=204)


@router.get(
    "/v1/server/secrets", responses={200: {"model": SecretPage}}, openapi_extra=needs(Permission.ADMIN)
)
async def list_server_secrets(plane: Plane, limit: Limit = 50, after: After = None) -> Response:
    """List the secrets for the server alone by name, without their values."""
    found = await plane.secrets.keeping.page_of_server(after=after, limit=limit + 1)
    following = found[limit - 1].address.name if len(found) > limit else None
    return _shown(found[:limit], following)


@router.put(
    "/v1/server/secrets/{name}",
    responses={200: {"model": SecretDocument}},
    openapi_extra=needs(Permission.ADMIN, required_body(SecretRequest)),
)
async def set_server_secret(request: Request, plane: Plane, by: By, name: Name) -> Response:
    """Give a secret for the server alone a value; no task is ever given it."""
    return await _set(request, plane, by, SecretAddress(name, for_server=True))


@router.delete("/v1/server/secrets/{name}", status_code=204, openapi_extra=needs(Permission.ADMIN))
async def delete_server_secret(plane: Plane, by: By, name: Name) -> Response:
    """Delete a secret for the server alone."""
    await plane.secrets.keeping.delete(SecretAddress(name, for_server=True), by)
    return Response(status_code=204)


@router.post(
    "/v1/secrets/reseal",
    responses={200: {"model": ResealedDocument}},
    openapi_extra=needs(Permission.ADMIN),
)
async def reseal_secrets(plane: Plane, by: By) -> Response:
    """Seal with the current key whatever another key has sealed."""
    resealed = await plane.secrets.keeping.reseal(by)
    document = {
        "key_id": resealed.key_id,
        "resealed": resealed.count,
        "unopened": [secret_document(secret) for secret in resealed.unopened],
        "signing_keys": resealed.signing_keys,
    }
    return Response(to_json(document), media_type=_JSON)


@router.get(
    "/v1/pipelines/{pipeline_id}/secrets",
    responses={200: {"model": SecretPage}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN),
)
async def list_pipeline_secrets(
    pipeline_id: PipelineId, plane: Plane, limit: Limit = 50, after: After = None
) -> Response:
    """List the secrets of a pipeline alone by name, without their values."""
    return await _page(plane, pipeline_id, limit, after)


@router.put(
    "/v1/pipelines/{pipeline_id}/secrets/{name}",
    responses={200: {"model": SecretDocument}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.MAINTAIN, required_body(SecretRequest)),
)
async def set_pipeline_secret(
    request: Request,
    pipeline_id: PipelineId,
    *,
    plane: Plane,
    by: By,
    name: Name,
    environment: Environment = None,
) -> Response:
    """Give a secret of a pipeline a value."""
    return await _set(request, plane, by, SecretAddress(name, pipeline_id, environment or None))


@router.delete(
    "/v1/pipelines/{pipeline_id}/secrets/{name}",
    status_code=204,
    responses=SECRET_OR_PIPELINE_NOT_FOUND,
    openapi_extra=needs(Permission.MAINTAIN),
)
async def delete_pipeline_secret(
    pipeline_id: PipelineId, plane: Plane, by: By, name: Name, environment: Environment = None
) -> Response:
    """Delete a secret of a pipeline."""
    await plane.secrets.keeping.delete(SecretAddress(name, pipeline_id, environment or None), by)
    return Response(status_code=204)


async def _page(plane: ControlPlane, pipeline_id: UUID | None, limit: int, after: str | None) -> Response:
    behind = None if after is None else after.partition("/")
    found = await plane.secrets.keeping.page(
        pipeline_id, after=None if behind is None else (behind[0], behind[2]), limit=limit + 1
    )
    shown = found[:limit]
    last = shown[-1].address if len(found) > limit else None
    following = None if last is None else f"{last.name}/{last.environment or ''}"
    return _shown(shown, following)


def _shown(found: Sequence[Secret], following: str | None) -> Response:
    return Response(
        page_json([to_json(secret_document(each)) for each in found], following), media_type=_JSON
    )


async def _set(request: Request, plane: ControlPlane, by: Actor, address: SecretAddress) -> Response:
    asked = await read_message(request, SecretRequest, _VALUE_LIMIT_BYTES)
    secret = await plane.secrets.keeping.set(address, asked.value.get_secret_value(), by)
    return Response(to_json(secret_document(secret)), media_type=_JSON)
