"""What callers are told while the database is away: nothing is acknowledged that is not durable."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx2
import pytest

from http_problems import problem
from http_server import http_server
from lineshaft.definition import read_definition
from lineshaft.definition.compiling.read import read_native
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.pipeline import Pipeline
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store import open_store
from lineshaft.wire.message import PROTOCOL_HEADER
from planes import LEASE_TIME, PASSWORD, USERNAME, add_user
from postgres import PostgresServer
from worker_protocol_scene import ONE, register

TRIGGERS = ["/v1/pipelines/{}/trigger", "/v1/pipelines/{}/runs"]


async def _do_not_wait(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def plane(postgres_url: str, tmp_path: Path) -> AsyncIterator[ControlPlane]:
    ids = RandomIds()
    store = await open_store(postgres_url, ids=ids, read_definition=read_definition, sleep=_do_not_wait)
    try:
        plane = ControlPlane(
            store, BlobFolder(tmp_path), SystemClock(), ids, check=lambda _: None, lease_time=LEASE_TIME
        )
        await add_user(plane.store)
        yield plane
    finally:
        await store.close()


@pytest.fixture
async def http(plane: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        http_server(plane) as url,
        httpx2.AsyncClient(
            base_url=url, auth=(USERNAME, PASSWORD), headers={PROTOCOL_HEADER: "2"}, timeout=60
        ) as client,
    ):
        # The credentials are known from here on.
        assert (await client.get("/v1/pipelines")).status_code == 200
        yield client


@pytest.fixture
async def pipeline(plane: ControlPlane) -> Pipeline:
    return await plane.pipelines.create(read_native(ONE.encode()))


async def _numbers(plane: ControlPlane, pipeline: Pipeline) -> list[int]:
    return [run.number for run in await plane.runs.page(pipeline.id, before=None, limit=9)]


@pytest.mark.parametrize("path", TRIGGERS)
async def test_a_trigger_is_not_acknowledged_while_the_database_is_away(
    plane: ControlPlane,
    http: httpx2.AsyncClient,
    pipeline: Pipeline,
    postgres_server: PostgresServer,
    path: str,
) -> None:
    postgres_server.stop()
    try:
        answer = await http.post(path.format(pipeline.id))
    finally:
        postgres_server.start()

    assert problem(answer, 503)["type"].endswith(":store-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert await _numbers(plane, pipeline) == []
    assert (await http.post(path.format(pipeline.id))).is_success
    assert await _numbers(plane, pipeline) == [1]


@pytest.mark.parametrize("path", TRIGGERS)
async def test_a_trigger_whose_commit_is_cut_off_is_not_acknowledged(
    plane: ControlPlane, http: httpx2.AsyncClient, pipeline: Pipeline, postgres_url: str, path: str
) -> None:
    await _execute(
        postgres_url,
        """
        CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON runs DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION hang_up();
        """,
    )

    answer = await http.post(path.format(pipeline.id))

    await _execute(postgres_url, "DROP TRIGGER hang_up ON runs")
    assert problem(answer, 503)["type"].endswith(":store-unavailable")
    assert await _numbers(plane, pipeline) == []


async def test_what_workers_say_is_answered_503_while_the_database_is_away(
    plane: ControlPlane, http: httpx2.AsyncClient, postgres_server: PostgresServer
) -> None:
    _, secret = await plane.fleet.worker_keys.create("k")
    worker_id = str(await register(plane.fleet.desk))
    said = {
        "register": {"name": "w", "kinds": ["run"], "slots": 1},
        "claim": {"worker_id": worker_id, "slots": 1},
        "heartbeat": {"worker_id": worker_id, "tokens": []},
    }

    headers = {PROTOCOL_HEADER: "2", "Authorization": f"Bearer {secret}"}
    postgres_server.stop()
    try:
        answers = [await http.post(f"/v1/worker/{route}", json=message) for route, message in said.items()]
        async with httpx2.AsyncClient(base_url=http.base_url, headers=headers, timeout=60) as worker:
            answers.append(await worker.post("/v1/worker/claim", json=said["claim"]))
    finally:
        postgres_server.start()

    for answer in answers:
        problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0


async def _execute(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()
