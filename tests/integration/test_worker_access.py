"""Worker keys over real HTTP: what they open, and how what they do not open is answered."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from http_problems import fields, problem
from http_server import http_server
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.fleet.worker_keys import file_caller, key_hash
from lineshaft.wire.message import PROTOCOL_HEADER
from planes import PASSWORD, USERNAME, temporary_plane

HELLO = {"name": "w", "kinds": ["run"], "slots": 2}
FILE_KEY = "key1"
USER = (USERNAME, PASSWORD)


@pytest.fixture
async def plane(tmp_path: Path, clock: ManualClock) -> AsyncIterator[ControlPlane]:
    of_hash = key_hash(FILE_KEY.encode())
    async with temporary_plane(tmp_path, clock, file_keys=lambda: {of_hash: file_caller(of_hash)}) as opened:
        yield opened


@pytest.fixture
async def http(plane: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {PROTOCOL_HEADER: "2"}
    async with (
        http_server(plane) as url,
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
    ):
        yield client


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def _names(plane: ControlPlane) -> list[str]:
    return [status.worker.name for status in await plane.fleet.workers.page(after=None, limit=100)]


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer wrong", "Bearer key1x", "Bearer key", "bearer KEY1", "Bearer " + "x" * 10_000],
)
async def test_a_wrong_or_an_empty_key_is_401_and_registers_nobody(
    plane: ControlPlane, http: httpx2.AsyncClient, authorization: str
) -> None:
    headers = {"Authorization": authorization}

    answer = await http.post("/v1/worker/register", json=HELLO, headers=headers)

    document = problem(answer, 401)
    assert document["type"].endswith(":bad-worker-key")
    assert document["advice"]
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert await _names(plane) == []


async def test_a_key_of_the_file_lets_any_worker_in(plane: ControlPlane, http: httpx2.AsyncClient) -> None:
    for name in ("a", "b"):
        answer = await http.post(
            "/v1/worker/register", json={**HELLO, "name": name}, headers=_bearer(FILE_KEY)
        )
        assert answer.status_code == 200

    assert await _names(plane) == ["a", "b"]


async def test_an_expired_key_is_401(
    plane: ControlPlane, http: httpx2.AsyncClient, clock: ManualClock
) -> None:
    _, secret = await plane.fleet.worker_keys.create("k", expires_at=clock.now() + timedelta(days=1))
    clock.advance(timedelta(days=1))

    answer = await http.post("/v1/worker/register", json=HELLO, headers=_bearer(secret))

    assert problem(answer, 401)["type"].endswith(":bad-worker-key")
    assert await _names(plane) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/pipelines"),
        ("POST", "/v1/pipelines"),
        ("GET", "/v1/workers"),
        ("POST", "/v1/workers/w/drain"),
        ("DELETE", "/v1/workers/w"),
        ("GET", "/v1/worker-keys"),
        ("POST", "/v1/worker-keys"),
        ("GET", "/v1/worker"),
        ("GET", "/nowhere"),
    ],
)
async def test_a_key_opens_nothing_but_the_worker_protocol(
    http: httpx2.AsyncClient, method: str, path: str
) -> None:
    good = await http.request(method, path, headers=_bearer(FILE_KEY))
    wrong = await http.request(method, path, headers=_bearer("wrong"))

    assert problem(good, 403)["type"].endswith(":forbidden")
    assert wrong.status_code == 401
    assert wrong.headers.get_list("www-authenticate") == ["Basic", "Bearer"]


async def test_a_user_may_speak_the_worker_protocol(plane: ControlPlane, http: httpx2.AsyncClient) -> None:
    assert (await http.post("/v1/worker/register", json=HELLO, auth=USER)).status_code == 200
    assert (await http.post("/v1/worker/register", json=HELLO)).status_code == 401

    assert await _names(plane) == ["w"]


async def test_a_key_that_is_made_is_told_once_and_listed_without_itself(http: httpx2.AsyncClient) -> None:
    asked = {"name": "build-1", "worker": "w", "expires_at": "2026-06-01T02:00:00+02:00"}
    made = await http.post("/v1/worker-keys", json=asked, auth=USER)
    document = made.json()

    registered = await http.post("/v1/worker/register", json=HELLO, headers=_bearer(document["key"]))
    listed = (await http.get("/v1/worker-keys", auth=USER)).json()

    assert (made.status_code, registered.status_code) == (201, 200)
    assert made.headers["cache-control"] == "no-store"
    assert document["key"].startswith("lsw_")
    assert len(document["key"]) == 47
    assert document["expires_at"] == "2026-06-01T00:00:00.000000Z"
    (item,) = listed["items"]
    assert item == {
        **{name: value for name, value in document.items() if name != "key"},
        "last_used_at": "2026-01-01T00:00:00.000000Z",
    }
    assert document["key"] not in str(listed)


async def test_a_key_that_is_revoked_is_worth_nothing_at_the_next_call(http: httpx2.AsyncClient) -> None:
    made = (await http.post("/v1/worker-keys", json={"name": "k"}, auth=USER)).json()
    registered = await http.post("/v1/worker/register", json=HELLO, headers=_bearer(made["key"]))
    beat = {"worker_id": registered.json()["worker_id"], "tokens": []}

    revoked = await http.delete(f"/v1/worker-keys/{made['id']}", auth=USER)

    answer = await http.post("/v1/worker/heartbeat", json=beat, headers=_bearer(made["key"]))
    assert (revoked.status_code, answer.status_code) == (204, 401)
    again = await http.delete(f"/v1/worker-keys/{made['id']}", auth=USER)
    assert problem(again, 404)["type"].endswith(":not-found")


async def test_keys_are_listed_by_name_in_pages(http: httpx2.AsyncClient) -> None:
    for name in ("b", "C", "a"):
        await http.post("/v1/worker-keys", json={"name": name}, auth=USER)

    first = (await http.get("/v1/worker-keys?limit=2", auth=USER)).json()
    second = (await http.get(f"/v1/worker-keys?limit=2&after={first['next']}", auth=USER)).json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["C", "a", "b"]
    assert (first["next"], second["next"]) == ("a", None)


async def test_two_keys_do_not_have_one_name(http: httpx2.AsyncClient) -> None:
    await http.post("/v1/worker-keys", json={"name": "k"}, auth=USER)

    assert problem(await http.post("/v1/worker-keys", json={"name": "k"}, auth=USER), 409)["advice"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"name": "k", "worker": ""}, "worker"),
        ({"name": "k", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "k", "expires_at": "2027-01-01T00:00:00"}, "expires_at"),
        ({"name": "k", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "k", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"name": "k", "secret": "mine"}, "secret"),
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(
    plane: ControlPlane, http: httpx2.AsyncClient, body: dict[str, str], field: str
) -> None:
    answer = await http.post("/v1/worker-keys", json=body, auth=USER)

    assert field in fields(problem(answer, 422))
    assert await plane.fleet.worker_keys.page(after=None, limit=1) == []
