"""Workers as people look after them, over real HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from http_problems import problem
from http_server import http_server
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import ManualClock
from lineshaft.server.documents import (
    WorkerDocument,
)
from lineshaft.services.control_plane import ControlPlane
from planes import LEASE_TIME, PASSWORD, USERNAME
from worker_protocol_scene import beat, claim, register, start

TWO = """
name: shop
steps:
  - name: test
    parallel: true
    steps:
      - {name: unit, resources: {cpus: 0.5, memory: 1GiB}, run: make}
      - {name: api, run: make}
"""


@pytest.fixture
async def http(plane: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        http_server(plane) as url,
        httpx2.AsyncClient(base_url=url, auth=(USERNAME, PASSWORD), timeout=60) as client,
    ):
        yield client


async def _get(http: httpx2.AsyncClient, name: str = "w") -> dict[str, Any]:
    answer = await http.get(f"/v1/workers/{name}")
    assert answer.status_code == 200, answer.text
    document = WorkerDocument.model_validate_json(answer.content)
    assert document.name == name
    return dict(answer.json())


async def test_a_worker_tells_what_it_offers(plane: ControlPlane, http: httpx2.AsyncClient) -> None:
    await register(
        plane.fleet.desk,
        "build-1",
        slots=8,
        labels=frozenset({"linux", "gpu"}),
        cpus=8,
        memory_bytes=2**33,
        version="1.2.3",
    )

    assert await _get(http, "build-1") == {
        "name": "build-1",
        "state": "idle",
        "kinds": sorted(kind.value for kind in WorkKind),
        "labels": ["gpu", "linux"],
        "slots": {"total": 8, "free": 8},
        "cpus": {"total": 8, "free": 8},
        "memory_bytes": {"total": 2**33, "free": 2**33},
        "load": None,
        "version": "1.2.3",
        "registered_at": "2026-01-01T00:00:00.000000Z",
        "seen_at": "2026-01-01T00:00:00.000000Z",
        "running": [],
    }


async def test_a_worker_that_says_less_offers_what_it_has_not_said_without_a_limit(
    plane: ControlPlane, http: httpx2.AsyncClient
) -> None:
    await register(plane.fleet.desk)

    document = await _get(http)

    assert (document["cpus"], document["memory_bytes"], document["labels"]) == (None, None, [])


async def test_a_worker_tells_what_it_runs_and_what_that_leaves(
    plane: ControlPlane, http: httpx2.AsyncClient
) -> None:
    worker_id = await register(plane.fleet.desk, slots=3, cpus=4, memory_bytes=2**31)
    run = await start(plane, TWO)
    await claim(plane.fleet.desk, worker_id)

    document = await _get(http)

    assert document["state"] == "busy"
    assert document["slots"] == {"total": 3, "free": 1}
    common = {"run_id": str(run.id), "pipeline": "shop", "run_number": 1, "attempt": 1}
    by_path = {task.pop("node"): task for task in document["running"]}
    assert by_path.keys() == {"test/unit", "test/api"}
    assert all(common.items() <= task.items() for task in by_path.values())
    assert by_path["test/unit"]["cpus"] == 0.5
    assert by_path["test/unit"]["memory_bytes"] == 2**30
    assert document["cpus"] == {"total": 4, "free": 3.5}
    assert document["memory_bytes"] == {"total": 2**31, "free": 2**30}


async def test_a_heartbeat_tells_when_a_worker_was_heard_of_and_how_busy_its_host_is(
    plane: ControlPlane, http: httpx2.AsyncClient, clock: ManualClock
) -> None:
    worker_id = await register(plane.fleet.desk)

    clock.advance(LEASE_TIME / 3)
    await plane.fleet.desk.heartbeat(beat(worker_id, load=0.25))

    document = await _get(http)
    assert (document["seen_at"], document["load"]) == ("2026-01-01T00:00:10.000000Z", 0.25)


async def test_a_worker_that_is_silent_for_longer_than_a_lease_is_offline(
    plane: ControlPlane, http: httpx2.AsyncClient, clock: ManualClock
) -> None:
    worker_id = await register(plane.fleet.desk)

    clock.advance(LEASE_TIME)
    assert (await _get(http))["state"] == "offline"

    await plane.fleet.desk.heartbeat(beat(worker_id))
    assert (await _get(http))["state"] == "idle"


async def test_workers_are_listed_by_name_in_pages(plane: ControlPlane, http: httpx2.AsyncClient) -> None:
    for name in ("b", "C", "a/1"):
        await register(plane.fleet.desk, name)

    first = (await http.get("/v1/workers?limit=2")).json()
    second = (await http.get("/v1/workers", params={"limit": 2, "after": first["next"]})).json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["C", "a/1", "b"]
    assert (first["next"], second["next"]) == ("a/1", None)


async def test_a_worker_that_is_told_to_drain_is_shown_so_and_told_again_without_harm(
    plane: ControlPlane, http: httpx2.AsyncClient
) -> None:
    worker_id = await register(plane.fleet.desk, "a/1")

    answers = [await http.post("/v1/workers/a%2F1/drain") for _ in range(2)]

    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(202, "draining")] * 2
    assert (await plane.fleet.desk.heartbeat(beat(worker_id))).drain


async def test_a_worker_that_is_at_work_is_not_forgotten(
    plane: ControlPlane, http: httpx2.AsyncClient
) -> None:
    await register(plane.fleet.desk)

    assert problem(await http.delete("/v1/workers/w"), 409)["advice"]
    assert (await _get(http))["state"] == "idle"


async def test_a_worker_that_is_offline_is_forgotten_and_what_it_held_is_lost(
    plane: ControlPlane, http: httpx2.AsyncClient, clock: ManualClock
) -> None:
    run = await start(plane)
    await claim(plane.fleet.desk, await register(plane.fleet.desk))
    clock.advance(LEASE_TIME + timedelta(seconds=1))

    assert (await http.delete("/v1/workers/w")).status_code == 204

    assert (await http.get("/v1/workers")).json() == {"items": [], "next": None}
    node = (await plane.runs.get(run.id)).nodes[1]
    assert (node.state, node.attempt) == (State.QUEUED, 2)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/workers/w"), ("POST", "/v1/workers/w/drain"), ("DELETE", "/v1/workers/w")],
)
async def test_a_worker_that_is_not_there_is_404(http: httpx2.AsyncClient, method: str, path: str) -> None:
    document = problem(await http.request(method, path), 404)

    assert document["type"].endswith(":worker-not-found")
    assert "'w'" in document["detail"]
