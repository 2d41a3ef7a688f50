"""What every answer tells browsers, and what the log tells of requests."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import httpx2
import pytest

from lineshaft.server.app import create_app
from lineshaft.server.exchange import Requests
from planes import PASSWORD, USERNAME, temporary_plane

SECRET = "hunter2-in-the-wrong-place"


@asynccontextmanager
async def client(
    folder: Path, logged: Requests = Requests.CHANGES, *, trusted_proxies: tuple[str, ...] = ()
) -> AsyncIterator[httpx2.AsyncClient]:
    async with temporary_plane(folder) as plane:
        app = create_app(lambda: nullcontext(plane), logged=logged, trusted_proxies=trusted_proxies)
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app, client=("192.0.2.9", 4711))
            async with httpx2.AsyncClient(
                transport=transport, base_url="http://ci.test", auth=(USERNAME, PASSWORD)
            ) as made:
                yield made


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "lineshaft.requests"]


@pytest.mark.parametrize("path", ["/v1/pipelines", "/health", "/nowhere", "/openapi.json", "/v1/runs/none"])
async def test_every_answer_tells_browsers_to_do_nothing_with_it(tmp_path: Path, path: str) -> None:
    async with client(tmp_path) as api:
        answer = await api.get(path)

    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers
    assert "strict-transport-security" not in answer.headers
    assert "server" not in answer.headers


async def test_a_page_may_say_otherwise(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        page = await api.get("/docs")
        asset = await api.get("/docs/swagger-ui.css")

    assert len(page.headers.get_list("content-security-policy")) == 1
    assert "script-src 'self' 'sha256-" in page.headers["content-security-policy"]
    assert "unsafe-eval" not in page.headers["content-security-policy"]
    assert asset.headers.get_list("cache-control") == ["public, max-age=86400"]


async def test_no_other_site_is_told_that_it_may_call(tmp_path: Path) -> None:
    async with client(tmp_path) as api:
        asked = await api.options(
            "/v1/pipelines", headers={"Origin": "http://evil.test", "Access-Control-Request-Method": "POST"}
        )

    assert not asked.is_success
    assert not [name for name in asked.headers if name.startswith("access-control-")]


async def test_each_answer_has_an_id_of_its_own_which_the_log_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with client(tmp_path) as api:
        first = await api.post("/v1/pipelines", json={})
        second = await api.post("/v1/pipelines", json={}, headers={"X-Request-Id": "chosen-by-the-caller"})

    ids = [answer.headers["x-request-id"] for answer in (first, second)]
    assert len(set(ids)) == 2
    assert "chosen-by-the-caller" not in ids
    assert [line.split()[0] for line in lines(caplog)] == ids
    assert re.fullmatch(
        rf"{ids[0]} POST /v1/pipelines 422 [0-9.]+ ms, by admin from 192\.0\.2\.9", lines(caplog)[0]
    )


@pytest.mark.parametrize(
    ("logged", "methods"),
    [
        (Requests.ALL, ["GET", "GET", "POST"]),
        (Requests.CHANGES, ["GET", "POST"]),
        (Requests.NONE, []),
    ],
)
async def test_what_is_logged_is_a_setting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, logged: Requests, methods: list[str]
) -> None:
    caplog.set_level(logging.INFO)
    async with client(tmp_path, logged) as api:
        await api.get("/v1/pipelines")
        await api.get("/v1/nothing")
        await api.post("/v1/worker-keys", json={"name": "k"})

    assert [line.split()[1] for line in lines(caplog)] == methods


async def test_nothing_secret_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with client(tmp_path, Requests.ALL) as api:
        await api.get("/v1/pipelines", params={"token": SECRET})
        await api.get("/v1/pipelines", auth=("admin", SECRET))
        await api.get("/v1/pipelines", headers={"Authorization": f"Bearer lst_{SECRET}"})
        await api.get("/v1/pipelines", headers={"Cookie": f"lineshaft={SECRET}"})
        await api.post("/v1/worker-keys", json={"name": SECRET, "worker": "a b"})
        key = (await api.post("/v1/worker-keys", json={"name": "k"})).json()["key"]

    own = [record.getMessage() for record in caplog.records if record.name.startswith("lineshaft")]
    assert len(own) >= 6
    assert not [line for line in own if SECRET in line or key in line]


async def test_nobody_writes_lines_of_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with client(tmp_path, Requests.ALL) as api:
        await api.get("/v1/a%0Ab%1B%5B31m")

    (line,) = lines(caplog)
    assert "/v1/a%0Ab%1B%5B31m" in line


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ((), "203.0.113.5", "192.0.2.9"),
        (("192.0.2.0/24",), "203.0.113.5", "203.0.113.5"),
        (("192.0.2.0/24",), "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        (("10.0.0.1",), "203.0.113.5", "192.0.2.9"),
    ],
)
async def test_only_a_trusted_proxy_says_who_calls(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    trusted: tuple[str, ...],
    forwarded: str,
    address: str,
) -> None:
    caplog.set_level(logging.INFO)
    async with client(tmp_path, Requests.ALL, trusted_proxies=trusted) as api:
        answer = await api.get(
            "/health", headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
        )

    assert lines(caplog)[0].endswith(f"from {address}")
    assert ("strict-transport-security" in answer.headers) == (address != "192.0.2.9")
