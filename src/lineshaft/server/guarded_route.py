"""The class of all routes: before a route's endpoint runs, it is seen whether its caller may call it."""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from lineshaft.model.errors import BadCredentialsError, InvalidInputError, Problem
from lineshaft.model.permission import Permission, may
from lineshaft.model.principal import Principal
from lineshaft.server.access import PRINCIPAL, PROOF
from lineshaft.server.guard import require, require_work
from lineshaft.server.named_job import JOB, NAMED_PIPELINE, find_job, find_queried
from lineshaft.server.permissions import FILTERED, NAMED_IN_QUERY, PERMISSION
from lineshaft.services.control_plane import ControlPlane

_PIPELINE: Final = "pipeline_id"
_RUN: Final = "run_id"
_IDS: Final = TypeAdapter(UUID)
"""Reads ids just as the framework does for endpoints, so that both always mean the same one."""

_SHOWN_KEYS: Final = 10
_SHOWN_CHARACTERS: Final = 100

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Noun(Protocol):
    """A module with the routes of a noun."""

    @property
    def router(self) -> APIRouter:
        """The routes."""
        ...


class GuardedRoute(APIRoute):
    """A route that declares which permission it needs, by `needs(...)` as its `openapi_extra`.

    Attributes:
        permission: what it needs; None where that is not declared, and no app is made of it.
        filtered: whether its endpoint looks at the caller's pipelines itself.
        query_keys: what may stand in a query for it, in the order in which its endpoint names it.
    """

    permission: Permission | None
    filtered: bool
    query_keys: Sequence[str]

    def get_route_handler(self) -> Handler:
        """Put the guard before the endpoint."""
        declared = self.openapi_extra or {}
        said = declared.get(PERMISSION)
        self.permission = None if said is None else Permission(said)
        self.filtered = bool(declared.get(FILTERED))
        self.query_keys = list(_query_keys(self.dependant))
        handle = super().get_route_handler()
        permission = self.permission
        if permission is None or permission is Permission.OPEN:
            return handle
        names_job = f"{{{JOB}}}" in self.path
        named_by: str | None = declared.get(NAMED_IN_QUERY)
        # A worker of the next version may say more than this server knows.
        takes_any = permission is Permission.WORK

        async def guarded(request: Request) -> Response:
            principal: Principal | None = request.scope.get(PRINCIPAL)
            if names_job and principal is not None:
                await find_job(request.scope, principal)
            if named_by is not None and principal is not None:
                await find_queried(request, named_by, principal)
            if principal is None or not may(principal, permission):
                await self.authorize(request.scope)
            if request.scope["query_string"] and not takes_any:
                _refuse_unknown(request, self.query_keys)
            return await handle(request)

        return guarded

    async def authorize(self, scope: Scope) -> None:
        """See whether a call may be served.

        Args:
            scope: of the call, which has been matched with this route.

        Raises:
            RequestValidationError: it concerns something whose id is none.
            LineshaftError: it may not; see `guard.require`.
        """
        match self.permission:
            case Permission.OPEN:
                return
            case Permission.WORK:
                require_work(scope)
            case Permission.SELF:
                _require_user(scope)
            case None:
                raise ForgottenPermissionError([self.path])
            case permission if self.filtered:
                _require_user(scope)
            case permission:
                pipeline_id = scope.get(NAMED_PIPELINE) or _id_in(scope, _PIPELINE)
                await require(scope, permission, pipeline_id=pipeline_id, run_id=_id_in(scope, _RUN))


async def authorize_again(scope: Scope) -> None:
    """See whether a call that lasts long may still be served; costs microseconds, but for once in a while.

    Args:
        scope: of the call, which was served so far.

    Raises:
        LineshaftError: it may not any more; see `guard.require`.
    """
    plane: ControlPlane = scope["app"].state.control_plane
    scope[PRINCIPAL] = await plane.access.authentication.again(scope[PROOF])
    route = scope["route"]
    if not isinstance(route, GuardedRoute):
        raise ForgottenPermissionError([_place(route)])
    await route.authorize(scope)


class ForgottenPermissionError(TypeError):
    """Routes do not say who may call them: a mistake of ours, for which no app is made."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Name them."""
        super().__init__(f"These routes declare no permission: {', '.join(sorted(paths))}")


def guarded_routes(nouns: Iterable[Noun]) -> list[GuardedRoute]:
    """List all routes, each of which says what it needs.

    Raises:
        ForgottenPermissionError: some do not.
    """
    routes = [route for noun in nouns for route in noun.router.routes]
    forgotten = [_place(route) for route in routes if not _declares(route)]
    if forgotten:
        raise ForgottenPermissionError(forgotten)
    return [route for route in routes if isinstance(route, GuardedRoute)]


def _declares(route: BaseRoute) -> bool:
    return isinstance(route, GuardedRoute) and route.permission is not None


def _place(route: BaseRoute) -> str:
    return str(getattr(route, "path", route))


def _query_keys(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        yield field.alias
    for inner in dependant.dependencies:
        yield from _query_keys(inner)


def _refuse_unknown(request: Request, known: Sequence[str]) -> None:
    """Refuse a query with keys that mean nothing: who mistypes a filter must not be given everything.

    Raises:
        InvalidInputError: it names them.
    """
    unknown = [key for key in request.query_params if key and key not in known]
    if not unknown:
        return
    there = f"known are {', '.join(known)}" if known else "there are none here"
    problems = [
        Problem(key[:_SHOWN_CHARACTERS], "is no key of this call's query", advice=there)
        for key in unknown[:_SHOWN_KEYS]
    ]
    raise InvalidInputError("The request is not as it must be.", problems=problems)


def _require_user(scope: Scope) -> None:
    if scope.get(PRINCIPAL) is None:
        raise BadCredentialsError


def _id_in(scope: Scope, name: str) -> UUID | None:
    text = scope["path_params"].get(name)
    if text is None:
        return None
    try:
        return _IDS.validate_python(text)
    except ValidationError as error:
        found = [{**each, "loc": ("path", name)} for each in error.errors()]
        raise RequestValidationError(found) from None
