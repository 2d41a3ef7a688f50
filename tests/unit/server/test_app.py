"""What must hold for every route, whoever adds one."""

import inspect

import pytest
from fastapi.routing import APIRoute

from lineshaft.server.app import NOUNS

ROUTES = [route for noun in NOUNS for route in noun.router.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize(
    "route", ROUTES, ids=lambda route: f"{'|'.join(sorted(route.methods))} {route.path_format}"
)
def test_no_route_lets_the_framework_read_its_body_which_would_know_no_limit(route: APIRoute) -> None:
    assert route.body_field is None


@pytest.mark.parametrize(
    "route", ROUTES, ids=lambda route: f"{'|'.join(sorted(route.methods))} {route.path_format}"
)
def test_no_route_blocks_a_thread(route: APIRoute) -> None:
    assert inspect.iscoroutinefunction(route.endpoint)
    assert all(inspect.iscoroutinefunction(dependency.call) for dependency in route.dependant.dependencies)
