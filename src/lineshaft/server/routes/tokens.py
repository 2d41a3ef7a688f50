"""Tokens: make, list, revoke."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.account_documents import (
    NewTokenDocument,
    TokenPage,
)
from lineshaft.server.account_requests import NewTokenRequest
from lineshaft.server.bodies import read_message
from lineshaft.server.depends import After, By, Caller, Limit, Plane
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import required_body
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.wire.access import new_token_document, token_document

_JSON: Final = "application/json"

router = APIRouter(route_class=GuardedRoute, prefix="/v1/tokens", tags=["users"])


@router.post(
    "",
    status_code=201,
    responses={201: {"model": NewTokenDocument}},
    openapi_extra=needs(Permission.SELF, required_body(NewTokenRequest)),
)
async def create_token(request: Request, caller: Caller, by: By, plane: Plane) -> Response:
    """Make a token of the caller, which is told in this answer and never again."""
    asked = await read_message(request, NewTokenRequest)
    token, text = await plane.access.tokens.create(caller, by, asked.to_request())
    return Response(
        to_json(new_token_document(token, text)),
        status_code=201,
        headers={"Cache-Control": "no-store"},
        media_type=_JSON,
    )


@router.get("", responses={200: {"model": TokenPage}}, openapi_extra=needs(Permission.SELF))
async def list_tokens(
    caller: Caller,
    plane: Plane,
    user: Annotated[
        str | None,
        Query(max_length=255, pattern=r"^[^\x00]*$", description="Whose; one's own by default."),
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    """List one's own tokens by name, without the tokens themselves; admins may list another's."""
    found = await plane.access.tokens.page(caller, user=user, after=after, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].name if len(found) > limit else None
    items = [to_json(token_document(token)) for token in shown]
    return Response(page_json(items, following), media_type=_JSON)


@router.delete("/{token_id}", status_code=204, openapi_extra=needs(Permission.SELF))
async def revoke_token(
    token_id: Annotated[UUID, Path(description="The token's id.")], caller: Caller, by: By, plane: Plane
) -> Response:
    """Make a token of one's own worth nothing; admins may do that to any."""
    await plane.access.tokens.revoke(caller, by, token_id)
    return Response(status_code=204)
