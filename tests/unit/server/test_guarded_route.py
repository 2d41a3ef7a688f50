"""No app is made with a route that does not say who may call it."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.app import NOUNS
from lineshaft.server.guarded_route import ForgottenPermissionError, GuardedRoute, guarded_routes
from lineshaft.server.open_routes import OpenRoutes
from lineshaft.server.permissions import needs


async def endpoint() -> Response:
    """Answer."""
    return Response()


def noun(route_class: Any = GuardedRoute, **said: Any) -> Any:
    router = APIRouter(prefix="/things", route_class=route_class)
    router.add_api_route("/{thing}", endpoint, methods=["GET"], **said)
    return SimpleNamespace(router=router)


def test_a_route_that_declares_what_it_needs_is_taken() -> None:
    (route,) = guarded_routes([noun(openapi_extra=needs(Permission.MAINTAIN))])

    assert (route.path, route.permission, route.filtered) == ("/things/{thing}", Permission.MAINTAIN, False)


@pytest.mark.parametrize("said", [{}, {"openapi_extra": {}}, {"openapi_extra": {"security": []}}])
def test_a_route_that_declares_nothing_is_refused_by_its_name(said: dict[str, Any]) -> None:
    with pytest.raises(ForgottenPermissionError, match="/things"):
        guarded_routes([noun(**said)])


def test_a_route_that_is_not_guarded_is_refused_whatever_it_declares() -> None:
    with pytest.raises(ForgottenPermissionError, match="/things"):
        guarded_routes([noun(APIRoute, openapi_extra=needs(Permission.OPEN))])


def test_a_route_that_declares_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="owner"):
        noun(openapi_extra={"x-permission": "owner"})


def test_what_reads_the_head_of_something_needs_what_reading_it_needs() -> None:
    routes = guarded_routes(NOUNS)
    read = {route.path: (route.permission, route.filtered) for route in routes if route.methods == {"GET"}}

    heads = [route for route in routes if route.methods == {"HEAD"}]

    assert heads
    assert [route.path for route in heads if (route.permission, route.filtered) != read[route.path]] == []


@pytest.mark.parametrize(
    ("method", "path", "is_open"),
    [
        ("GET", "/", True),
        ("HEAD", "/health", True),
        ("GET", "/docs/swagger-ui.css", True),
        ("GET", "/docs/a/b", False),
        ("POST", "/health", False),
        ("GET", "/health/", False),
        ("GET", "/v1/pipelines", False),
        ("GET", "//", False),
        ("GET", "/health\n", False),
    ],
)
def test_only_what_declares_it_is_open(method: str, path: str, is_open: bool) -> None:
    assert OpenRoutes(guarded_routes(NOUNS)).include(method, path) is is_open


def test_a_route_knows_the_keys_of_its_query_as_the_openapi_document_tells_them() -> None:
    app = FastAPI()
    routes = guarded_routes(NOUNS)
    for route in routes:
        app.router.routes.append(route)
    paths = app.openapi()["paths"]

    shown = [(route, method) for route in routes for method in route.methods or () if route.include_in_schema]
    told = {
        (route.path, method): {
            each["name"]
            for each in paths[route.path_format][method.lower()].get("parameters", ())
            if each["in"] == "query"
        }
        for route, method in shown
    }

    assert sum(map(len, told.values())) > 20
    assert {(route.path, method): set(route.query_keys) for route, method in shown} == told
