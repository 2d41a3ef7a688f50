"""The API's description, and whether the server keeps to it."""

import os
import re
from typing import Any, Final

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.schemas import BaseSchema

from http_pipelines import events, finish, start
from http_server import described_api
from lineshaft.server.documents import (
    EventDocument,
    RunDocument,
)

_CONFIG: Final = SchemathesisConfig.from_dict(
    {
        "seed": 1,
        "auth": {
            "basic": {
                "username": os.environ.get("LINESHAFT_USERNAME", "admin"),
                "password": os.environ.get("LINESHAFT_PASSWORD", "admin"),
            }
        },
        "checks": {
            # Wrong credentials are held off after a while; who gets in is proved by test_who_gets_in.py.
            "ignored_auth": {"enabled": False},
            # No schema can say which ids exist, or that stages of one name are too many.
            "positive_data_acceptance": {"enabled": False},
            "missing_required_header": {"expected-statuses": [401, 422, 426]},
            "negative_data_rejection": {"expected-statuses": [400, 401, 404, 405, 409, 412, 413, 422, 426]},
        },
    }
)


_OPERATIONS: Final = [
    (method.upper(), path) for path, methods in described_api()["paths"].items() for method in methods
]


_LONGEST_LIST: Final = 1_000


@pytest.fixture(scope="module")
def description() -> BaseSchema:
    return schemathesis.openapi.from_dict(_without_long_lists(described_api()), config=_CONFIG)


def _without_long_lists(described: Any) -> Any:
    """Leave out how long very long lists may be: to think them up takes long. See test_bad_bodies.py."""
    match described:
        case dict():
            return {
                key: _without_long_lists(value)
                for key, value in described.items()
                if not (key == "maxItems" and isinstance(value, int) and value > _LONGEST_LIST)
            }
        case list():
            return [_without_long_lists(value) for value in described]
        case _:
            return described


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def _keeps_to_it(case: Case[Any], url: str) -> None:
    case.call_and_validate(base_url=url)


# Not by `schema.parametrize()`: what is tried of all operations takes seconds to think up, and every
# process of a run of the tests would do so to list them.
@pytest.mark.parametrize(("method", "path"), _OPERATIONS, ids=str)
def test_the_server_keeps_to_its_description(
    method: str, path: str, url: str, description: BaseSchema
) -> None:
    load_all_checks()
    test = build_operation_test(
        config=description.config,
        operation=description[path][method],
        test_func=_keeps_to_it,
        given_kwargs={},
        feedback=NO_FEEDBACK,
    )
    test(url=url)


def test_every_route_but_the_open_ones_asks_for_credentials() -> None:
    document = described_api()
    open_paths = {
        path
        for path, operations in document["paths"].items()
        if any(operation.get("security") == [] for operation in operations.values())
    }

    schemes = document["components"]["securitySchemes"]
    assert document["security"] == [{"basic": []}, {"token": []}]
    assert {name: each["scheme"] for name, each in schemes.items()} == {
        "basic": "basic",
        "token": "bearer",
        "worker-key": "bearer",
    }
    for_verifiers = {"/.well-known/openid-configuration", "/.well-known/jwks.json"}
    # What shows who calls there is the signature of what is sent.
    signed = {"/v1/webhooks/{kind}"}
    assert open_paths == {"/", "/health", "/ready", "/v1/session"} | for_verifiers | signed


def test_a_pipelines_description_comes_with_an_example_that_is_accepted(api: httpx2.Client) -> None:
    schemas = api.get("/openapi.json").json()["components"]["schemas"]
    (example,) = schemas["PipelineConfiguration"]["examples"]

    assert api.post("/v1/pipelines", json=example).status_code == 201


def test_a_run_is_told_in_the_described_form(api: httpx2.Client) -> None:
    run = finish(api, start(api, "true", "exit 1", "true"))

    document = RunDocument.model_validate(run)

    assert document.model_dump(mode="json") == run
    states = [event for event in events(api, f"/v1/runs/{run['id']}/events") if event.event == "state"]
    for event in states:
        assert EventDocument.model_validate_json(event.data).model_dump(mode="json") == event.json()


def test_the_page_loads_nothing_from_elsewhere(stranger: httpx2.Client) -> None:
    page = stranger.get("/docs")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)|new URL\('([^']+)'""", page.text)
    paths = [path or url for path, url in loaded]
    assert len(paths) == 4
    assert not any("//" in path for path in paths)
    assert [stranger.get(f"/{path}").status_code for path in paths] == [200] * 4


def test_the_page_asks_for_the_description_without_the_credentials_of_its_address(
    stranger: httpx2.Client,
) -> None:
    page = stranger.get("/docs").text

    assert "url: location.origin + new URL('openapi.json', location.href).pathname," in page


def test_each_operation_is_in_a_chapter_and_the_workers_own_come_last() -> None:
    description = described_api()

    chapters = [tag["name"] for tag in description["tags"]]
    used = {
        tag for methods in description["paths"].values() for each in methods.values() for tag in each["tags"]
    }
    assert set(chapters) == used
    assert (chapters[0], chapters[-1]) == ("pipelines", "worker protocol")


def test_the_description_names_each_operation_once() -> None:
    operations = [
        operation["operationId"]
        for methods in described_api()["paths"].values()
        for operation in methods.values()
    ]

    assert len(operations) == len(set(operations))
