"""Users, grants and tokens that make no sense: refused by the name of the field, and nothing is changed."""

import secrets
from typing import Any

import httpx2
import pytest

from accounts import SECRET
from http_pipelines import create
from http_problems import ID, fields, problem

USER = {"name": "ada", "password": SECRET}


@pytest.fixture(scope="module")
def someone(api: httpx2.Client) -> str:
    """Make a user of a name that nobody has."""
    name = f"someone-{secrets.token_hex(8)}"
    assert api.post("/v1/users", json={"name": name, "password": SECRET}).status_code == 201
    return name


def names(api: httpx2.Client) -> list[str]:
    """List the names of the first users."""
    return [each["name"] for each in api.get("/v1/users?limit=200").json()["items"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**USER, "colour": "red"}, "colour"),
        ({"name": "ada"}, "password"),
        ({"password": SECRET}, "name"),
        ({**USER, "name": 7}, "name"),
        ({**USER, "name": None}, "name"),
        ({**USER, "name": ""}, "name"),
        ({**USER, "name": " ada"}, "name"),
        ({**USER, "name": "ada "}, "name"),
        ({**USER, "name": "a:b"}, "name"),
        ({**USER, "name": "a/b"}, "name"),
        ({**USER, "name": ".."}, "name"),
        ({**USER, "name": "a\0b"}, "name"),
        ({**USER, "name": "a\u202eb"}, "name"),
        ({**USER, "name": "a" * 256}, "name"),
        ({**USER, "password": None}, "password"),
        ({**USER, "password": 12345678}, "password"),
        ({**USER, "password": "short"}, "password"),
        ({**USER, "password": "x" * 1025}, "password"),
        ({**USER, "password": "Password"}, "password"),
        ({**USER, "password": "open\nsesame"}, "password"),
        ({**USER, "name": "ada.lovelace", "password": "Ada.Lovelace"}, "password"),
        ({**USER, "role": "king"}, "role"),
        ({**USER, "role": "ADMIN"}, "role"),
        ({**USER, "role": 5}, "role"),
    ],
)
def test_a_user_who_makes_no_sense_is_refused(api: httpx2.Client, body: dict[str, Any], field: str) -> None:
    before = names(api)

    answer = api.post("/v1/users", json=body)

    assert fields(problem(answer, 422)) == [field]
    assert str(body.get("password")) not in answer.text or body.get("password") is None
    assert names(api) == before


def test_all_that_is_wrong_with_a_request_is_told_at_once(api: httpx2.Client) -> None:
    answer = api.post("/v1/users", json={"name": "a b", "password": "short", "role": "king", "x": 1})

    assert sorted(fields(problem(answer, 422))) == ["name", "password", "role", "x"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "bob"}, "name"),
        ({"password": None}, "password"),
        ({"password": "short"}, "password"),
        ({"disabled": None}, "disabled"),
        ({"disabled": "yes"}, "disabled"),
        ({"disabled": 1}, "disabled"),
        ({"role": "king"}, "role"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    api: httpx2.Client, someone: str, body: dict[str, Any], field: str
) -> None:
    before = api.get(f"/v1/users/{someone}").json()

    assert fields(problem(api.patch(f"/v1/users/{someone}", json=body), 422)) == [field]

    assert api.get(f"/v1/users/{someone}").json() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "ci", "colour": "red"}, "colour"),
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a" * 256}, "name"),
        ({"name": "ci", "role": "king"}, "role"),
        ({"name": "ci", "pipelines": []}, "pipelines"),
        ({"name": "ci", "pipelines": ["shop"]}, "pipelines.0"),
        ({"name": "ci", "pipelines": ID}, "pipelines"),
        ({"name": "ci", "pipelines": [ID]}, "pipelines"),
        ({"name": "ci", "pipelines": [ID] * 201}, "pipelines"),
        ({"name": "ci", "expires_at": "soon"}, "expires_at"),
        ({"name": "ci", "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"name": "ci", "expires_at": "2000-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "ci", "expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        ({"name": "ci", "expires_at": 90}, "expires_at"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(api: httpx2.Client, body: dict[str, Any], field: str) -> None:
    before = api.get("/v1/tokens?limit=200").json()

    assert fields(problem(api.post("/v1/tokens", json=body), 422)) == [field]

    assert api.get("/v1/tokens?limit=200").json() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "role"),
        ({"role": None}, "role"),
        ({"role": "admin"}, "role"),
        ({"role": "king"}, "role"),
        ({"role": "viewer", "user": "ada"}, "user"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    api: httpx2.Client, someone: str, body: dict[str, Any], field: str
) -> None:
    shop = create(api, "true")

    answer = api.put(f"/v1/pipelines/{shop}/grants/{someone}", json=body)

    assert fields(problem(answer, 422)) == [field]
    assert api.get(f"/v1/pipelines/{shop}/grants").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": SECRET}, "new_password"),
        ({"new_password": SECRET}, "password"),
        ({"password": SECRET, "new_password": "short"}, "new_password"),
        ({"password": "wrong", "new_password": "another password"}, "password"),
        ({"password": 1, "new_password": "another password"}, "password"),
        ({"password": "x" * 5_000, "new_password": "another password"}, "password"),
        ({"password": SECRET, "new_password": "another password", "name": "bob"}, "name"),
    ],
)
def test_a_password_that_does_not_do_is_refused(
    api: httpx2.Client, someone: str, body: dict[str, Any], field: str
) -> None:
    own = (someone, SECRET)

    assert fields(problem(api.put("/v1/me/password", json=body, auth=own), 422)) == [field]

    assert api.get("/v1/me", auth=own).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"a"', b"\0", b"\xff\xfe", b"[" * 10_000, b'{"name": "\\ud800"}'],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_object_is_refused_everywhere(
    api: httpx2.Client, credentials: tuple[str, str], body: bytes
) -> None:
    admin = credentials[0]
    for method, path in (
        ("POST", "/v1/users"),
        ("PATCH", f"/v1/users/{admin}"),
        ("PUT", "/v1/me/password"),
        ("POST", "/v1/tokens"),
        ("PUT", f"/v1/pipelines/{ID}/grants/{admin}"),
    ):
        problem(api.request(method, path, content=body), 422)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/users/nobody", 404),
        ("GET", "/v1/users/a%00b", 422),
        ("GET", "/v1/users/" + "a" * 256, 422),
        ("GET", "/v1/users/a/b", 404),
        ("PATCH", "/v1/users/nobody", 404),
        ("DELETE", "/v1/users/nobody", 404),
        ("DELETE", "/v1/users/{admin}", 409),
        ("PUT", "/v1/users/{admin}", 405),
        ("GET", "/v1/users?limit=0", 422),
        ("GET", "/v1/users?limit=201", 422),
        ("GET", "/v1/users?after=a%00", 422),
        ("GET", "/v1/tokens?user=nobody", 404),
        ("GET", "/v1/tokens?user=a%00", 422),
        ("GET", "/v1/tokens?limit=x", 422),
        ("DELETE", f"/v1/tokens/{ID}", 404),
        ("DELETE", "/v1/tokens/ci", 422),
        ("GET", f"/v1/tokens/{ID}", 405),
        ("GET", "/v1/pipelines/shop/grants", 422),
        ("POST", "/v1/me", 405),
        ("GET", "/v1/me/password", 405),
    ],
)
def test_an_address_of_nothing_is_refused(
    api: httpx2.Client, credentials: tuple[str, str], method: str, path: str, status: int
) -> None:
    path = path.replace("{admin}", credentials[0])
    content = b"{}" if method == "PATCH" else None
    problem(api.request(method, path, content=content), status)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_pipeline_that_is_not_there_has_no_grants(api: httpx2.Client, method: str) -> None:
    path = f"/v1/pipelines/{ID}/grants" + ("" if method == "GET" else "/admin")
    answer = api.request(method, path, json={"role": "viewer"})

    assert (answer.status_code, list(answer.json())) == (404, ["detail"])
