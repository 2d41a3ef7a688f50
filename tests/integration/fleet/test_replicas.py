"""Several servers over one database, each in a process of its own."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx2
import psutil
import pytest

from http_pipelines import Document, events, finish, start_of
from lineshaft.wire.message import PROTOCOL_HEADER, PROTOCOL_VERSION
from network import PATIENCE_SECONDS
from postgres import PostgresServer
from station import CREDENTIALS, Plan, Station, station
from task_signals import Signals

_YAML = {"Content-Type": "application/yaml"}
_WORKER = {PROTOCOL_HEADER: str(PROTOCOL_VERSION)}


@pytest.fixture
def database(postgres_server: PostgresServer) -> str:
    """The URL of an empty database."""
    name = f"fleet_{next(postgres_server.numbers)}"
    asyncio.run(postgres_server.create(name))
    return postgres_server.url(name)


@pytest.fixture
def two(database: str, tmp_path: Path) -> Iterator[Station]:
    """Two replicas, and a worker that the network leads to the first."""
    with station(Plan(tmp_path, database, replicas=2)) as opened:
        yield opened


@pytest.fixture
def signals(tmp_path: Path) -> Iterator[Signals]:
    opened = Signals(tmp_path / "signals")
    yield opened
    opened.close()


def create(api: httpx2.Client, text: str) -> str:
    answer = api.post("/v1/pipelines", content=text, headers=_YAML)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_run_is_watched_at_one_replica_without_loss_while_the_other_is_killed(
    two: Station, signals: Signals
) -> None:
    first, second = two.replicas
    two.start_worker("one")
    script = f"seq 1 5000; {signals.tell}; {signals.wait}; seq 5001 10000"
    run = start_of(
        first.api,
        create(
            first.api,
            f"name: watched\nsteps:\n  - {{name: a, run: '{script}'}}\n  - {{name: b, run: 'true'}}",
        ),
    )
    with ThreadPoolExecutor() as threads:
        told = threads.submit(watched, second.address, f"/v1/runs/{run['id']}/events")
        log = threads.submit(watched, second.address, f"/v1/runs/{run['id']}/nodes/a/log/stream")
        signals.hear("a")
        first.stop(signal.SIGKILL)
        two.lead_to(1)
        signals.open()

        states = [json.loads(event.data) for event in told.result() if event.event == "state"]
        text = "".join(json.loads(event.data).get("text", "") for event in log.result())

    assert [state["number"] for state in states] == list(range(1, len(states) + 1))
    assert (states[-1]["path"], states[-1]["state"]) == ("", "succeeded")
    assert text == "".join(f"{number}\n" for number in range(1, 10_001))
    assert [each["attempt"] for each in finish(second.api, run)["nodes"]] == [1, 1]


def watched(address: str, path: str) -> list[httpx2.ServerSentEvent]:
    with httpx2.Client(base_url=address, auth=CREDENTIALS, timeout=PATIENCE_SECONDS) as api:
        return list(events(api, path))


def test_a_claim_that_waits_at_one_replica_is_woken_by_a_trigger_at_the_other(two: Station) -> None:
    first, second = two.replicas
    pipeline_id = create(first.api, "name: woken\nsteps: [{name: a, run: 'true'}]")
    hello = {"protocol": PROTOCOL_VERSION, "name": "one", "kinds": ["run"], "slots": 1}
    welcome = second.api.post("/v1/worker/register", json=hello, headers=_WORKER).json()
    # Whoever is not woken would wait for a minute, and then be told of nothing.
    claim = {"worker_id": welcome["worker_id"], "slots": 1, "wait_seconds": 60}
    two.lead_to(1)
    with (
        httpx2.Client(base_url=two.network.address, auth=CREDENTIALS, timeout=PATIENCE_SECONDS) as claims,
        ThreadPoolExecutor() as threads,
    ):
        passing = two.network.hold("/claim")
        waiting = threads.submit(claims.post, "/v1/worker/claim", json=claim, headers=_WORKER)
        passing.wait()
        two.network.release(passing)
        run = start_of(first.api, pipeline_id)
        (lease,) = waiting.result().json()["leases"]
    assert lease["address"]["run_id"] == run["id"]


def test_restarting_the_replicas_one_after_the_other_under_load_loses_nothing(
    two: Station, tmp_path: Path
) -> None:
    two.start_worker("one")
    begun = tmp_path / "begun"
    note = f'echo "$LINESHAFT_RUN_ID $LINESHAFT_NODE" >> {begun}'
    steps = "".join(f"  - {{name: {name}, run: '{note}'}}\n" for name in "abc")
    pipelines = [create(two.api, f"name: p{number}\nsteps:\n{steps}") for number in range(4)]
    with ThreadPoolExecutor() as threads:
        restarted: Future[None] = threads.submit(restart_each, two)
        runs = list(triggered_until(restarted, two, pipelines))
        restarted.result()

    for run in runs:
        ended = finish(two.api, run)
        assert ended["state"] == "succeeded"
        assert [each["attempt"] for each in ended["nodes"]] == [1, 1, 1]
    lines = begun.read_text().splitlines()
    assert len(set(lines)) == len(lines)
    assert {f"{run['id']} {name}" for run in runs for name in "abc"} <= set(lines)


def restart_each(fleet: Station) -> None:
    """Restart each replica, while the network leads to the other."""
    for number, replica in enumerate(fleet.replicas):
        fleet.lead_to(1 - number)
        code, log = replica.stop(signal.SIGTERM)
        assert code == 0, log
        replica.launch()
        replica.wait()


def triggered_until(done: Future[None], fleet: Station, pipelines: list[str]) -> Iterator[Document]:
    """Start runs as users would whose balancer is the network, one after the other."""
    with httpx2.Client(base_url=fleet.network.address, auth=CREDENTIALS, timeout=PATIENCE_SECONDS) as api:
        number = 0
        while not done.done():
            number += 1
            try:
                answer = api.post(f"/v1/pipelines/{pipelines[number % len(pipelines)]}/runs")
            except httpx2.TransportError:
                continue  # Its connection was to the one that stops; nobody has promised it anything.
            if answer.status_code != 503:
                assert answer.status_code == 202, answer.text
                run: Document = answer.json()
                yield run
                finish_anywhere(fleet, run)


def finish_anywhere(fleet: Station, run: Document) -> Document:
    """Wait for a run's end, at another server where the one that tells of it goes away."""
    while True:
        with ExitStack() as stack:
            client = httpx2.Client(base_url=fleet.network.address, auth=CREDENTIALS, timeout=PATIENCE_SECONDS)
            api = stack.enter_context(client)
            try:
                told = [event.event for event in events(api, f"/v1/runs/{run['id']}/events")]
                if told[-1:] == ["end"]:
                    return dict(api.get(f"/v1/runs/{run['id']}").json())
            except httpx2.TransportError:
                continue  # The server that it was at has stopped.


def test_servers_that_start_at_once_on_an_empty_database_bring_it_up_to_date_once(
    database: str, tmp_path: Path
) -> None:
    with station(Plan(tmp_path, database, replicas=3)) as opened:
        pipeline_id = create(opened.replicas[0].api, "name: first\nsteps: [{name: a, run: 'true'}]")
        for replica in opened.replicas:
            assert replica.api.get(f"/v1/pipelines/{pipeline_id}").status_code == 200
    assert len(asyncio.run(rows(database, "SELECT version_num FROM alembic_version"))) == 1


async def rows(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


def test_a_run_goes_on_when_one_of_a_servers_processes_is_killed(
    database: str, tmp_path: Path, signals: Signals
) -> None:
    with station(Plan(tmp_path, database, processes=2)) as opened:
        opened.start_worker("one")
        script = f"echo half; {signals.tell}; {signals.wait}; echo whole"
        run = start_of(opened.api, create(opened.api, f"name: two\nsteps: [{{name: a, run: '{script}'}}]"))
        signals.hear("a")
        children = psutil.Process(opened.replicas[0].pid).children()
        servers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        assert len(servers) == 2
        servers[0].kill()
        signals.open()

        ended = finish_anywhere(opened, run)
        assert (ended["state"], ended["nodes"][0]["attempt"]) == ("succeeded", 1)
        log = again(lambda: opened.api.get(f"/v1/runs/{run['id']}/nodes/a/log"))
        assert log.text == "half\nwhole\n"


def again(call: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Call until there is an answer, on another connection where one was to a process that is gone."""
    while True:
        try:
            return call()
        except httpx2.TransportError:
            continue


def test_a_servers_processes_end_when_the_one_that_looks_after_them_is_killed(
    database: str, tmp_path: Path
) -> None:
    with station(Plan(tmp_path, database, processes=2)) as opened:
        assert opened.api.get("/v1/pipelines").status_code == 200
        # They share its standard error, which ends with the last of them.
        code, _ = opened.replicas[0].stop(signal.SIGKILL)
    assert code == -signal.SIGKILL
