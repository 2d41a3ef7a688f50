"""Addresses and queries that make no sense: each is a 4xx that names the parameter."""

import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from http_pipelines import create, finish, start
from http_problems import ID, fields, problem
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER

PIPELINES = "/v1/pipelines"
WORKER = {PROTOCOL_HEADER: "1", LEASE_HEADER: "token"}
NO_IDS = ["x", "1", "0197a9b0", "%00", "%FF", "0197a9b0-7e0e-7000-8000-00000000000g", "9" * 8_000]


@pytest.mark.parametrize("identity", NO_IDS, ids=lambda identity: f"{len(identity)} {identity[:12]}")
@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", PIPELINES + "/{}", "pipeline_id"),
        ("PUT", PIPELINES + "/{}", "pipeline_id"),
        ("DELETE", PIPELINES + "/{}", "pipeline_id"),
        ("POST", PIPELINES + "/{}/trigger", "pipeline_id"),
        ("POST", PIPELINES + "/{}/runs", "pipeline_id"),
        ("GET", PIPELINES + "/{}/runs", "pipeline_id"),
        ("GET", "/v1/runs/{}", "run_id"),
        ("POST", "/v1/runs/{}/cancel", "run_id"),
        ("POST", "/v1/runs/{}/retry", "run_id"),
        ("GET", "/v1/runs/{}/events", "run_id"),
        ("GET", "/v1/runs/{}/nodes/a/log", "run_id"),
        ("GET", "/v1/runs/{}/nodes/a/log/stream", "run_id"),
        ("PUT", "/v1/worker/runs/{}/nodes/1/attempts/1/log?offset=0", "run_id"),
    ],
)
def test_an_id_that_is_none_is_refused_by_the_name_of_its_parameter(
    api: httpx2.Client, method: str, path: str, field: str, identity: str
) -> None:
    answer = api.request(method, path.format(identity), headers=WORKER)

    assert fields(problem(answer, 422)) == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=1e9", "limit"),
        (f"limit={2**64}", "limit"),
        ("limit=" + "9" * 5_000, "limit"),
        ("name=a%00b", "name"),
        ("name=" + "x" * 2_000, "name"),
        ("after=x", "after"),
        ("after=%00", "after"),
        ("after=%FF", "after"),
        ("after=" + "A" * 21 + "!", "after"),
        ("after=" + "A" * 24, "after"),
        ("after=" + "_" * 24, "after"),
    ],
    ids=lambda value: f"{len(value)} {value[:20]}",
)
def test_a_query_that_makes_no_sense_is_refused_by_the_name_of_its_parameter(
    api: httpx2.Client, query: str, field: str
) -> None:
    assert fields(problem(api.get(f"{PIPELINES}?{query}"), 422)) == [field]


@pytest.mark.parametrize("query", ["name=%FF", "name=%ED%A0%80", "name", "&&=&", "name=a&name=b"])
def test_a_query_that_is_odd_but_harmless_is_answered(api: httpx2.Client, query: str) -> None:
    assert api.get(f"{PIPELINES}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [("before=0", "before"), (f"before={2**63}", "before"), ("before=x", "before"), ("limit=0", "limit")],
)
def test_a_page_of_runs_that_makes_no_sense_is_refused(api: httpx2.Client, query: str, field: str) -> None:
    pipeline = create(api, "true")

    assert fields(problem(api.get(f"{PIPELINES}/{pipeline}/runs?{query}"), 422)) == [field]


@pytest.mark.parametrize("attempt", ["0", "-1", "x", str(2**31), str(2**64)])
def test_an_attempt_that_is_none_is_refused(api: httpx2.Client, attempt: str) -> None:
    run = finish(api, start(api, "true"))

    for route in ("log", "log/stream"):
        answer = api.get(f"/v1/runs/{run['id']}/nodes/a/{route}?attempt={attempt}")
        assert fields(problem(answer, 422)) == ["attempt"]


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/v1",
        "/v1/",
        f"{PIPELINES}/",
        f"{PIPELINES}/..%2F..",
        "/v1/runs",
        "/V1/pipelines",
        "//v1/pipelines",
        "/%00",
        "/docs/x",
        "/redoc",
    ],
)
def test_an_address_of_nothing_is_told_so(url: str, credentials: tuple[str, str], path: str) -> None:
    with httpx2.Client(auth=credentials, timeout=60) as client:
        assert problem(client.get(f"{url}{path}"), 404)["advice"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", PIPELINES),
        ("PATCH", f"{PIPELINES}/{ID}"),
        ("GET", f"{PIPELINES}/{ID}/trigger"),
        ("POST", "/health"),
        ("POST", f"/v1/runs/{ID}/nodes/a/log"),
    ],
)
def test_a_method_that_is_not_served_is_told_which_are(api: httpx2.Client, method: str, path: str) -> None:
    answer = api.request(method, path)

    problem(answer, 405)
    assert answer.headers["allow"]
    assert method not in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "headers", "field"),
    [
        (f"runs/{ID}/nodes/x/attempts/1/log?offset=0", WORKER, "node"),
        (f"runs/{ID}/nodes/{2**31}/attempts/1/log?offset=0", WORKER, "node"),
        (f"runs/{ID}/nodes/1/attempts/0/log?offset=0", WORKER, "attempt"),
        (f"runs/{ID}/nodes/1/attempts/1/log", WORKER, "offset"),
        (f"runs/{ID}/nodes/1/attempts/1/log?offset=-1", WORKER, "offset"),
        (f"runs/{ID}/nodes/1/attempts/1/log?offset={2**53}", WORKER, "offset"),
        (f"runs/{ID}/nodes/1/attempts/1/log?offset=0", {PROTOCOL_HEADER: "1"}, LEASE_HEADER),
    ],
)
def test_an_append_that_makes_no_sense_is_refused_by_the_name_of_its_parameter(
    api: httpx2.Client, path: str, headers: dict[str, str], field: str
) -> None:
    assert fields(problem(api.put(f"/v1/worker/{path}", headers=headers, content=b"x"), 422)) == [field]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_server_goes_on(
    stranger: httpx2.Client, url: str, sent: bytes
) -> None:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert not answer or answer.startswith(b"HTTP/1.1 4")
    assert stranger.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("path", "fields_of_it"),
    [
        (PIPELINES + "?limt=5", ["limt"]),
        (PIPELINES + "?limit=5&Name=a", ["Name"]),
        ("/v1/audit?actr=ann&since=2026-01-01T00:00:00Z", ["actr"]),
        ("/v1/me?x", ["x"]),
        ("/v1/me?%00=1", ["\0"]),
        ("/v1/me?" + "&".join(f"{key}" for key in range(50)), [str(key) for key in range(10)]),
        ("/v1/me?" + "x" * 2_000, ["x" * 100]),
    ],
)
def test_a_key_of_the_query_that_means_nothing_is_named(
    api: httpx2.Client, path: str, fields_of_it: list[str]
) -> None:
    assert fields(problem(api.get(path), 422)) == fields_of_it


def test_the_keys_that_mean_something_are_told(api: httpx2.Client) -> None:
    (error,) = problem(api.get(PIPELINES + "?limt=5"), 422)["errors"]
    assert error["advice"] == "known are name, limit, after"


def test_nobody_is_told_of_a_querys_keys_who_may_not_call(api: httpx2.Client) -> None:
    with httpx2.Client(base_url=api.base_url) as stranger:
        assert stranger.get("/v1/audit?actr=ann").status_code == 401


@pytest.mark.parametrize("path", ["/health?probe=1", "/v1/worker/nothing?x=1"])
def test_probes_and_workers_may_say_more_than_the_server_knows(api: httpx2.Client, path: str) -> None:
    assert api.get(path).status_code != 422
