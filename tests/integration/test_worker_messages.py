"""What the server makes, over real HTTP, of workers that are old, confused, or live in another time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, get_args
from uuid import UUID

import httpx2
import pytest

from http_problems import fields, problem
from http_server import http_server
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire import worker as messages
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER, Message
from planes import LEASE_TIME, PASSWORD, USERNAME
from worker_protocol_scene import start

HELLO: dict[str, Any] = {"name": "w", "kinds": ["run"], "slots": 2}
LONG_SECONDS = 60


class Caller:
    """Speaks the protocol as JSON, whatever it says."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.worker_id = ""

    async def post(self, route: str, **message: Any) -> httpx2.Response:
        return await self.http.post(f"/v1/worker/{route}", json=message, timeout=2 * LONG_SECONDS)

    async def register(self, **members: Any) -> None:
        answer = await self.post("register", **{**HELLO, **members})
        assert answer.status_code == 200, answer.text
        self.worker_id = answer.json()["worker_id"]

    async def claim(self, **members: Any) -> dict[str, Any]:
        answer = await self.post("claim", worker_id=self.worker_id, slots=1, **members)
        (lease,) = answer.json()["leases"]
        return dict(lease)

    async def append(self, lease: dict[str, Any], offset: int, data: bytes) -> httpx2.Response:
        address = lease["address"]
        path = (
            f"/v1/worker/runs/{address['run_id']}/nodes/{address['node']}/attempts/{address['attempt']}/log"
        )
        headers = {LEASE_HEADER: lease["token"]}
        return await self.http.put(path, params={"offset": offset}, headers=headers, content=data)

    async def report(self, lease: dict[str, Any], **members: Any) -> httpx2.Response:
        outcome = {"state": "succeeded", "exit_code": 0}
        said = {"worker_id": self.worker_id, "address": lease["address"], "token": lease["token"]}
        return await self.post("report", **{**said, "outcome": outcome, **members})


@pytest.fixture
async def url(plane: ControlPlane) -> AsyncIterator[str]:
    async with http_server(plane) as address:
        yield address


@pytest.fixture
async def caller(url: str) -> AsyncIterator[Caller]:
    async with _client(url) as http:
        yield Caller(http)


@pytest.fixture
async def written(plane: ControlPlane, caller: Caller) -> dict[str, Any]:
    """A lease whose log is `one`."""
    await start(plane)
    await caller.register()
    lease = await caller.claim()
    await caller.append(lease, 0, b"o")
    await caller.append(lease, 1, b"ne")
    return lease


def _client(url: str, version: str = "3", **headers: str) -> httpx2.AsyncClient:
    headers = {PROTOCOL_HEADER: version, **headers}
    return httpx2.AsyncClient(base_url=url, auth=(USERNAME, PASSWORD), headers=headers, timeout=60)


async def _log(plane: ControlPlane, lease: dict[str, Any]) -> bytes:
    log = await plane.logs.find(UUID(lease["address"]["run_id"]), lease["path"])
    return b"".join([chunk async for chunk in plane.logs.read(log, 0, log.state.size_bytes)])


@pytest.mark.parametrize("version", ["0", "5", "", "3.0"])
async def test_a_version_that_is_not_served_is_426_and_registers_nobody(
    plane: ControlPlane, url: str, version: str
) -> None:
    async with _client(url, version) as http:
        answer = await Caller(http).post("register", **HELLO)

    document = problem(answer, 426)
    assert document["served"] == [1, 2, 3, 4]
    assert "1, 2, 3" in document["detail"]
    assert answer.headers["upgrade"] == "lineshaft-worker"
    assert await plane.fleet.workers.page(after=None, limit=1) == []


async def test_a_worker_of_version_1_takes_a_task_from_its_beginning_to_its_end(
    plane: ControlPlane, url: str
) -> None:
    run = await start(plane)
    async with _client(url, "1") as http:
        caller = Caller(http)
        await caller.register(protocol=1)
        lease = await caller.claim()
        assert (await caller.append(lease, 0, b"hello")).status_code == 200
        beat = await caller.post("heartbeat", worker_id=caller.worker_id, tokens=[lease["token"]])
        assert beat.json()["living"] == [lease["address"]]
        assert (await caller.report(lease)).status_code == 200

    assert (await plane.runs.get(run.id)).state is State.SUCCEEDED


async def test_a_worker_of_version_1_that_drains_is_not_told_over_and_over(
    plane: ControlPlane, url: str
) -> None:
    async with _client(url, "1") as http:
        caller = Caller(http)
        await caller.register(protocol=1)
        await plane.fleet.workers.drain("w")

        beating = asyncio.create_task(
            caller.post("heartbeat", worker_id=caller.worker_id, tokens=[], wait_seconds=LONG_SECONDS)
        )
        await caller.post("heartbeat", worker_id=caller.worker_id, tokens=[])
        run = await start(plane, "name: other\nsteps: [{name: a, run: make}]\n")
        assert not beating.done()

        plane.fleet.desk.stop_waiting()
        assert (await beating).json()["stop"] == []
    assert (await plane.runs.get(run.id)).state is State.QUEUED


@pytest.mark.parametrize(
    ("offset", "data"),
    [(7, b"two"), (4, b"two"), (2, b"etwo"), (0, b"onetwo!"), (0, b"two"), (1, b"nE"), (2**53 - 1, b"x")],
    ids=["a gap", "a gap of one", "beyond the end", "longer", "other bytes", "another byte", "far away"],
)
async def test_an_append_that_does_not_fit_is_409_with_the_expected_offset_and_changes_nothing(
    plane: ControlPlane, caller: Caller, written: dict[str, Any], offset: int, data: bytes
) -> None:
    document = problem(await caller.append(written, offset, data), 409)

    assert document["type"].endswith(":log-offset")
    assert document["expected_offset"] == 3
    assert await _log(plane, written) == b"one"


@pytest.mark.parametrize(("offset", "data"), [(0, b"one"), (1, b"n"), (1, b"ne"), (2, b"e"), (3, b"")])
async def test_an_append_of_what_is_there_is_a_repeat(
    plane: ControlPlane, caller: Caller, written: dict[str, Any], offset: int, data: bytes
) -> None:
    answer = await caller.append(written, offset, data)

    assert answer.json() == {"size_bytes": 3}
    assert await _log(plane, written) == b"one"


async def test_what_is_said_of_an_attempt_that_has_ended_is_409_and_changes_nothing(
    plane: ControlPlane, caller: Caller
) -> None:
    run = await start(plane)
    await caller.register()
    lease = await caller.claim()
    await caller.report(lease)
    ended = await plane.runs.get(run.id)

    failed = {"state": "failed", "reason": {"code": "exit_code", "text": "Exited with 1."}, "exit_code": 1}
    answers = [
        await caller.report(lease, outcome=failed),
        await caller.append(lease, 0, b"late"),
        await caller.post("source", address=lease["address"], token=lease["token"], commit="5f" * 20),
    ]

    for answer in answers:
        assert problem(answer, 409)["type"].endswith(":stale-lease")
    assert await plane.runs.get(run.id) == ended
    assert (await plane.logs.find(run.id, "a")).state.size_bytes == 0


async def test_labels_of_10_000_characters_are_422_and_register_nobody(
    plane: ControlPlane, caller: Caller
) -> None:
    answer = await caller.post("register", **HELLO, labels=["linux", "x" * 10_000])

    (field,) = fields(problem(answer, 422))
    assert field.startswith("labels.")
    assert len(answer.content) < 2_000
    assert await plane.fleet.workers.page(after=None, limit=1) == []


@pytest.mark.parametrize("token", ["", "fifteen-letters", "sixteen letters!", "x" * 129, 7])
async def test_a_token_that_could_be_guessed_or_is_none_is_422_and_takes_nothing(
    plane: ControlPlane, caller: Caller, token: object
) -> None:
    await start(plane)
    await caller.register()

    answer = await caller.post("claim", worker_id=caller.worker_id, slots=1, token=token)

    assert fields(problem(answer, 422)) == ["token"]
    assert (await caller.claim(token="sixteen-letters-"))["token"] == "sixteen-letters-"


@pytest.mark.parametrize("off", [timedelta(days=-1), timedelta(days=1)])
async def test_a_worker_whose_clock_is_a_day_off_works_as_any_other(
    plane: ControlPlane, url: str, clock: ManualClock, off: timedelta
) -> None:
    run = await start(plane)
    its_time = clock.now() + off
    said = {"now": its_time.isoformat(), "expires_at": its_time.isoformat(), "at": its_time.timestamp()}
    async with _client(url, date=format_datetime(its_time, usegmt=True)) as http:
        caller = Caller(http)
        await caller.register(**said)
        lease = await caller.claim(**said)
        clock.advance(LEASE_TIME - timedelta(seconds=1))
        await caller.post("heartbeat", worker_id=caller.worker_id, tokens=[lease["token"]], **said)
        clock.advance(LEASE_TIME - timedelta(seconds=1))
        assert await plane.fleet.losing.lose_expired() == 0
        await caller.report(lease, **said)

    ended = await plane.runs.get(run.id)
    assert ended.state is State.SUCCEEDED
    assert ended.root.ended_at == clock.now()


def test_no_message_of_a_worker_tells_a_time() -> None:
    kinds = [kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, Message)]

    annotations = [field.annotation for kind in kinds for field in kind.model_fields.values()]

    assert len(kinds) > 9
    assert not any(datetime in {annotation, *get_args(annotation)} for annotation in annotations)
