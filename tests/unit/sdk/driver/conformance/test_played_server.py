"""The played server: what it takes, what it refuses, and what it notes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio

from lineshaft.model.state import State
from lineshaft.sdk.driver.conformance.listener import listening
from lineshaft.sdk.driver.conformance.played_server import PlayedServer
from lineshaft.wire.work import DriverWorkMessage
from worker_tasks import lease_of

TOKEN = "q8mJ0c1uJtGq3mGcQ1m4xA"
OTHER_TOKEN = "r8mJ0c1uJtGq3mGcQ1m4xB"


@dataclass
class Line:
    """A client and the server that it calls."""

    server: PlayedServer
    http: httpx2.AsyncClient
    session: str = ""

    async def post(self, name: str, status: int = 200, /, **message: Any) -> Any:
        answer = await self.http.post(f"/v1/worker/{name}", json=message)
        assert answer.status_code == status
        return answer.json()

    async def register(self) -> None:
        answer = await self.post("register", name="w", kinds=["work"], drivers=[{"name": "work"}], slots=1)
        self.session = answer["worker_id"]

    async def claim(self, token: str = TOKEN, slots: int = 1) -> Any:
        return (await self.post("claim", worker_id=self.session, slots=slots, token=token))["leases"]

    async def append(self, lease: Any, offset: int, data: bytes, status: int = 200) -> Any:
        address = lease["address"]
        path = (
            f"/v1/worker/runs/{address['run_id']}/nodes/{address['node']}/attempts/{address['attempt']}/log"
        )
        answer = await self.http.put(
            path, params={"offset": offset}, content=data, headers={"Lineshaft-Lease": lease["token"]}
        )
        assert answer.status_code == status
        return answer.json()

    async def report(self, lease: Any, status: int = 200) -> Any:
        return await self.post(
            "report",
            status,
            worker_id=self.session,
            address=lease["address"],
            token=lease["token"],
            outcome={"state": "succeeded", "result": {"success": True}},
        )


@pytest_asyncio.fixture
async def line() -> AsyncIterator[Line]:
    server = PlayedServer(30)
    async with (
        listening(server.handle) as url,
        httpx2.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {server.key}", "Lineshaft-Protocol": "4"},
            timeout=200,
        ) as http,
    ):
        yield Line(server, http)


def give(server: PlayedServer) -> Any:
    return server.give(lease_of(DriverWorkMessage(driver="work")))


async def test_a_driver_that_does_all_as_it_should_is_not_blamed(line: Line) -> None:
    await line.register()
    attempt = give(line.server)
    (lease,) = await line.claim()
    assert await line.claim() == [lease]
    assert (await line.append(lease, 0, b"one\n"))["size_bytes"] == 4
    assert (await line.append(lease, 0, b"one\n"))["size_bytes"] == 4
    await line.append(lease, 4, b"two\n")
    beat = await line.post("heartbeat", worker_id=line.session, tokens=[lease["token"]])
    assert beat["living"] == [lease["address"]]
    await line.report(lease)
    assert attempt.outcome is not None
    assert attempt.outcome.state is State.SUCCEEDED
    assert (attempt.log, attempt.heartbeats) == (b"one\ntwo\n", 1)
    assert line.server.violations == []


async def test_a_wrong_key_is_refused_and_noted(line: Line) -> None:
    line.http.headers["Authorization"] = "Bearer lsw_wrong"
    answer = await line.post("register", 401, name="w", kinds=["work"], slots=1)
    assert answer["type"] == "urn:lineshaft:problem:bad-worker-key"
    assert line.server.violations == [
        "It called /v1/worker/register without its key in `Authorization: Bearer`."
    ]


async def test_a_call_that_says_no_version_is_refused_and_noted(line: Line) -> None:
    del line.http.headers["Lineshaft-Protocol"]
    await line.post("register", 426, name="w", kinds=["work"], slots=1)
    assert line.server.violations == ["It called /v1/worker/register with Lineshaft-Protocol ''."]


async def test_a_message_that_is_none_is_refused_with_the_place(line: Line) -> None:
    answer = await line.post("register", 422, name="w", kinds=["work"], slots=0)
    assert answer["detail"].startswith("slots: ")
    assert line.server.violations[0].startswith("Its Hello is none: slots: ")


@pytest.mark.parametrize(("offset", "data"), [(3, b"x"), (5, b"x"), (0, b"One\n"), (2, b"e\ntwo")])
async def test_an_append_that_does_not_begin_where_the_log_ends_is_refused_and_noted(
    line: Line, offset: int, data: bytes
) -> None:
    await line.register()
    give(line.server)
    (lease,) = await line.claim()
    await line.append(lease, 0, b"one\n")
    assert (await line.append(lease, offset, data, 409))["expected_offset"] == 4
    assert line.server.violations == [f"It appended to a log of 4 bytes at the offset '{offset}'."]


async def test_a_write_with_a_foreign_token_is_refused_and_noted(line: Line) -> None:
    await line.register()
    give(line.server)
    (lease,) = await line.claim()
    await line.report({**lease, "token": "foreign"}, 409)
    assert line.server.violations == ["It wrote for an attempt without the token of its lease."]


async def test_a_write_with_a_dead_lease_is_refused_without_blame(line: Line) -> None:
    await line.register()
    attempt = give(line.server)
    (lease,) = await line.claim()
    attempt.dead = True
    assert (await line.report(lease, 409))["type"] == "urn:lineshaft:problem:stale-lease"
    assert line.server.violations == []


async def test_a_used_token_brings_nothing_new(line: Line) -> None:
    await line.register()
    give(line.server)
    (lease,) = await line.claim()
    await line.report(lease)
    server_side = line.server.give(
        lease_of(DriverWorkMessage(driver="work"), address={"run_id": UUID(int=9), "node": 1, "attempt": 1})
    )
    await line.claim()
    assert server_side.given
    assert line.server.violations == ["It claimed anew with the token of leases that it has had."]


async def test_what_is_to_fail_fails_once_and_what_is_to_be_lost_has_happened(line: Line) -> None:
    line.server.calls.faults["register"] = 1
    await line.post("register", 503, name="w", kinds=["work"], slots=1)
    assert line.server.session is None
    line.server.calls.lost["register"] = 1
    await line.post("register", 503, name="w", kinds=["work"], slots=1)
    assert line.server.session is not None


async def test_a_session_that_the_server_has_forgotten_is_told_so(line: Line) -> None:
    await line.register()
    line.server.session = None
    answer = await line.post("claim", 404, worker_id=line.session, slots=1, token=OTHER_TOKEN)
    assert answer["type"] == "urn:lineshaft:problem:worker-not-found"


async def test_a_call_of_which_nothing_is_known_is_noted(line: Line) -> None:
    await line.post("dance", 404)
    assert line.server.violations == ["It called POST /v1/worker/dance, of which this suite knows nothing."]
