"""Bodies that make no sense: each is a 4xx that tells what was wrong, and nothing is half-written."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from http_pipelines import configuration, create
from http_problems import ID, fields, problem
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER

PIPELINES = "/v1/pipelines"
MIB = 1024 * 1024
WORKER = {PROTOCOL_HEADER: "1", LEASE_HEADER: "token"}


def _changed(**members: Any) -> bytes:
    return json.dumps({**configuration("true"), **members}).encode()


def _stage(**members: Any) -> bytes:
    return _changed(stages=[{"name": "a", "type": "Run", "command": "true", **members}])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (_changed(colour="red"), "colour"),
        (_stage(colour="red"), "stages.0.colour"),
        (_changed(name=7), "name"),
        (_changed(name=""), "name"),
        (_changed(name="a\0b"), "name"),
        (_changed(parallel="yes"), "parallel"),
        (_changed(stages={}), "stages"),
        (_stage(name=""), "stages.0.name"),
        (_stage(name="1st"), "stages.0.name"),
        (_stage(name="a/b"), "stages.0.name"),
        (_stage(name="\ud800"), "stages.0.name"),
        (_stage(timeout=-1), "stages.0.timeout"),
        (_stage(timeout=10**12), "stages.0.timeout"),
        (_stage(timeout="soon"), "stages.0.timeout"),
        (_stage(command="a\0b"), "stages.0.command"),
        (_stage(type="Dance"), "stages.0.type"),
        (_changed(git_repository="--upload-pack=touch /tmp/x"), "git_repository"),
        (_changed(git_repository="ext::sh -c touch% /tmp/x"), "git_repository"),
        (_changed(git_repository="file:///etc"), "git_repository"),
        (_changed(git_repository="/etc"), "git_repository"),
        (_changed(git_repository="https://example.org/r\n"), "git_repository"),
        (json.dumps(configuration("true")).replace("{", '{"name": "twice", ', 1).encode(), "name"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused_by_the_name_of_its_field(
    api: httpx2.Client, body: bytes, field: str
) -> None:
    pipeline = create(api, "true")
    for answer in (api.post(PIPELINES, content=body), api.put(f"{PIPELINES}/{pipeline}", content=body)):
        assert field in fields(problem(answer, 422)), answer.text


def test_a_list_that_is_too_long_is_refused_by_the_name_of_its_field(api: httpx2.Client) -> None:
    job = {"name": "long", "dockerImage": "busybox", "command": ["a"] * 10_001}
    runs = f"{PIPELINES}/{create(api, 'true')}/runs"
    for path, body, field in (
        ("/jobs", job, "command"),
        (runs, {"changed": ["a"] * 100_001}, "changed"),
        (runs, {"only": ["a"] * 100_001}, "only"),
    ):
        assert fields(problem(api.post(path, json=body), 422)) == [field]


def test_every_problem_of_a_configuration_is_told_at_once(api: httpx2.Client) -> None:
    body = _changed(name="", stages=[{"name": "a", "type": "Run", "command": "true", "timeout": -1}] * 2)

    refused = problem(api.post(PIPELINES, content=body), 422)

    assert {"name", "stages.0.timeout", "stages.1.timeout"} <= set(fields(refused))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"17",
        b"NaN",
        b"\xef\xbb\xbf",
        b'{"name": "\xff\xfe"}',
        '{"name": "utf-16"}'.encode("utf-16"),
        b"\0",
        b"[" * 1_000 + b"]" * 1_000,
        b"[" * 500_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
        b'{"stages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"name": ' + b"9" * 10_000 + b"}",
        b'{"name": 1e999999}',
    ],
    ids=lambda body: f"{len(body)} {body[:12]!r}",
)
def test_a_body_that_is_no_configuration_is_refused(api: httpx2.Client, body: bytes) -> None:
    problem(api.post(PIPELINES, content=body), 413, 422)


def test_a_manifest_of_unbounded_depth_is_refused(api: httpx2.Client) -> None:
    manifest = '{"a":' * 1_000 + "1" + "}" * 1_000
    cluster = '{"name": "c", "server_url": "https://c"}'
    stage = f'{{"name": "a", "type": "Deploy", "cluster": {cluster}, "k8s_manifest": {manifest}}}'

    problem(api.post(PIPELINES, content=f'{{"name": "deep", "stages": [{stage}]}}'), 413, 422)


def _in_chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // (64 * 1024)):
        yield b" " * (64 * 1024)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", PIPELINES),
        ("PUT", f"{PIPELINES}/{ID}"),
        ("POST", "/v1/worker/register"),
        ("POST", "/v1/worker/report"),
        ("PUT", f"/v1/worker/runs/{ID}/nodes/1/attempts/1/log?offset=0"),
    ],
)
def test_a_body_of_ten_megabytes_is_refused(
    api: httpx2.Client, method: str, path: str, *, chunked: bool
) -> None:
    body = _in_chunks(10 * MIB) if chunked else b" " * (10 * MIB)

    refused = problem(api.request(method, path, headers=WORKER, content=body), 413)

    assert str(8 * MIB if path == "/v1/worker/report" else MIB) in refused["detail"]


def _head(url: str, credentials: tuple[str, str], length: int) -> bytes:
    """Write the beginning of a request that says how long its body will be."""
    request = httpx2.Request("POST", f"{url}{PIPELINES}", headers={"Content-Length": str(length)})
    signed = next(httpx2.BasicAuth(*credentials).auth_flow(request))
    fields = "".join(f"{name}: {value}\r\n" for name, value in signed.headers.items())
    return f"POST {PIPELINES} HTTP/1.1\r\n{fields}\r\n".encode()


def _connect(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port or 80), timeout=30)


def test_a_body_that_claims_to_be_too_long_is_refused_before_it_comes(
    url: str, credentials: tuple[str, str]
) -> None:
    with _connect(url) as connection:
        connection.sendall(_head(url, credentials, 10 * MIB))

        assert connection.recv(1024).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_no_route_reads_does_no_harm(api: httpx2.Client) -> None:
    pipeline = create(api, "true")

    assert api.post(f"{PIPELINES}/{pipeline}/trigger", content=b"x" * 3 * MIB).status_code == 200
    assert api.get(f"{PIPELINES}/{pipeline}").status_code == 200


def test_a_client_that_leaves_in_the_middle_of_its_body_does_no_harm(
    api: httpx2.Client, url: str, credentials: tuple[str, str]
) -> None:
    with _connect(url) as connection:
        connection.sendall(_head(url, credentials, 1_000) + b"{")

    assert api.get("/ready").status_code == 200


def test_a_report_may_be_as_long_as_the_nodes_that_it_brings(api: httpx2.Client) -> None:
    report = {
        "worker_id": "0197a9b0-7e0e-7000-8000-000000000001",
        "address": {"run_id": "0197a9b0-7e0e-7000-8000-000000000002", "node": 1, "attempt": 1},
        "token": "t",
        "outcome": {"state": "succeeded", "generated": "\0" * 1_000_000},
    }

    answer = api.post("/v1/worker/report", json=report, headers={"Lineshaft-Protocol": "1"})

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:lineshaft:problem:run-not-found"
