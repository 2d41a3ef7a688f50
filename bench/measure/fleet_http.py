"""What a fleet costs a server over HTTP: the time to a process, tasks a second, heartbeats."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from measure.connection import Connection
from measure.failure import BenchmarkError
from measure.server_process import HOST, ServerProcess, clean_environment, free_port
from measure.signal_pipe import SignalPipe
from measure.worker_client import AUTHORIZATION, WorkerClient, worker_client

_LOG: Final = b"one line that a trivial task has written\n"
_BEAT_SECONDS: Final = 10.0
"""How often a worker is heard of at the default lease time."""


@contextmanager
def server(folder: Path, database_url: str | None, **settings: str) -> Iterator[tuple[int, ServerProcess]]:
    """Run `lineshaft server`, and give its port."""
    port = free_port()
    environment = clean_environment(folder) | {"LINESHAFT_DATA": str(folder / "data"), **settings}
    if database_url is not None:
        environment["LINESHAFT_DATABASE_URL"] = database_url
    arguments = [sys.executable, "-m", "lineshaft", "server", "--port", str(port)]
    process = ServerProcess(arguments, environment=environment, folder=folder, name="server")
    try:
        process.wait_until_healthy(port, "/health")
        yield port, process
    finally:
        process.stop()


def seconds_to_process(folder: Path, database_url: str | None, sandbox: str, rounds: int) -> list[float]:
    """Measure from a trigger's answer to the first act of the process, at a worker that waits by HTTP.

    Args:
        folder: for all files.
        database_url: of the server; None means SQLite.
        sandbox: the worker's setting.
        rounds: how many runs.
    """
    with server(folder, database_url) as (port, _), SignalPipe(folder / "pipe") as pipe:
        environment = clean_environment(folder) | {
            "LINESHAFT_DATA": str(folder / "worker"),
            "LINESHAFT_URL": f"http://{HOST}:{port}",
            "LINESHAFT_MAX_LOAD": "1",
            "LINESHAFT_SANDBOX": sandbox,
        }
        arguments = [sys.executable, "-m", "lineshaft", "worker", "--name", "bench"]
        worker = ServerProcess(arguments, environment=environment, folder=folder, name="worker")
        try:
            with Connection(port, AUTHORIZATION) as api:
                document = {"name": "near", "steps": [{"name": "a", "run": pipe.command("begun")}]}
                path = f"/v1/pipelines/{api.post('/v1/pipelines', document)['id']}/runs"
                return [_one(api, path, pipe) for _ in range(rounds)]
        finally:
            worker.stop()


def _one(api: Connection, path: str, pipe: SignalPipe) -> float:
    run = api.post(path)
    begin = time.perf_counter()
    pipe.next()
    spent = time.perf_counter() - begin
    if [kind for kind, _ in api.events(f"/v1/runs/{run['id']}/events")][-1:] != ["end"]:
        raise BenchmarkError("a run was not followed to its end")
    return spent


def tasks_per_second(
    folder: Path, database_url: str, *, processes: int, tasks: int, clients: int, slots: int
) -> float:
    """Have clients claim, append a log and report, for tasks of ten runs, and return the rate."""
    with server(folder, database_url, LINESHAFT_WORKERS=str(processes)) as (port, _):
        with Connection(port, AUTHORIZATION) as api:
            steps = [{"name": f"t{number}", "run": "true"} for number in range(tasks // 10)]
            document = {"parallel": True, "concurrency": {"policy": "allow"}, "steps": steps}
            for number in range(10):
                created = api.post("/v1/pipelines", document | {"name": f"many {number}"})
                api.post(f"/v1/pipelines/{created['id']}/runs")
        begin = time.perf_counter()
        asyncio.run(_work_off(port, tasks // 10 * 10, clients, slots))
        return tasks / (time.perf_counter() - begin)


async def _work_off(port: int, tasks: int, clients: int, slots: int) -> None:
    left = tasks
    done = asyncio.Event()

    async def work(number: int) -> None:
        nonlocal left
        async with worker_client(port) as client:
            await client.register(f"w{number}", slots)
            while not done.is_set():
                leases = await client.claim(slots, wait_seconds=0.2)
                while leases:
                    left -= 1
                    leases = [*leases[1:], *await _perform(client, leases[0])]
                    if not left:
                        done.set()

    await asyncio.gather(*(work(number) for number in range(clients)))


async def _perform(client: WorkerClient, lease: Any) -> list[Any]:
    await client.append_log(lease, _LOG)
    return await client.report(lease, slots=1)


def cores_for_heartbeats(folder: Path, database_url: str, *, workers: int, seconds: float) -> float:
    """Let idle workers be heard of as often as they are, and return how much of a core the server needs."""
    with server(folder, database_url) as (port, process):
        return asyncio.run(_beat(port, psutil.Process(process.pid), workers, seconds))


async def _beat(port: int, process: psutil.Process, workers: int, seconds: float) -> float:
    begun = asyncio.Semaphore(50)

    async def beat(number: int) -> None:
        async with worker_client(port) as client:
            async with begun:
                await client.register(f"w{number}", 1)
            while True:
                await client.heartbeat(wait_seconds=_BEAT_SECONDS)

    beating = [asyncio.create_task(beat(number)) for number in range(workers)]
    await asyncio.sleep(2 * _BEAT_SECONDS)
    before, begin = process.cpu_times(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, spent = process.cpu_times(), time.perf_counter() - begin
    for task in beating:
        task.cancel()
    await asyncio.gather(*beating, return_exceptions=True)
    return float(after.user + after.system - before.user - before.system) / spent


def middle(values: list[float]) -> float:
    """Return the median."""
    return median(values)
