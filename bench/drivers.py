"""Measure drivers: from a resource's change to the first driver's call, and from an answer to the next call.

See README.md in this folder. Run it as `python bench/drivers.py`.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2

from lineshaft.sdk.driver import Result, Task, driver, serve_async
from measure.failure import BenchmarkError
from measure.machine import facts, load_average
from measure.server_process import HOST, ServerProcess, clean_environment, free_port

_PIPELINE: Final = {
    "name": "conveyor",
    "resource": "app",
    "steps": [{"name": "first", "driver": "first"}, {"name": "second", "driver": "second"}],
}
_CREDENTIALS: Final = ("admin", "admin")
_PATIENCE_SECONDS: Final = 60
_WARM_UP: Final = 5


@dataclass(slots=True)
class Times:
    """When what happened to one change, by the clock of this process.

    Attributes:
        called: when the first driver was called.
        answered: when it answered.
        handed_on: when the second was called.
        done: is set then.
    """

    called: float = 0.0
    answered: float = 0.0
    handed_on: float = 0.0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Clocks:
    """Two drivers that look at the clock when they are called.

    Attributes:
        now: the times of the change that is under way.
    """

    def __init__(self) -> None:
        self.now = Times()

    def drivers(self) -> list[Any]:
        """Make the drivers."""

        @driver(name="first")
        async def first(task: Task) -> Result:
            self.now.called = time.perf_counter()
            result = Result.success("called", artifact=f"{task.run.number}.tar")
            self.now.answered = time.perf_counter()
            return result

        @driver(name="second")
        async def second(task: Task) -> None:
            self.now.handed_on = time.perf_counter()
            if task.context.results["first"].data != {"artifact": f"{task.run.number}.tar"}:
                raise BenchmarkError("The second driver does not see what the first one has answered.")
            self.now.done.set()

        return [first, second]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200, help="changes, one after the other")
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        measured = _measure_at_a_server(Path(folder), options.samples)
    _print("from the change of a resource to the first driver's call", [each[0] for each in measured])
    _print("from a driver's answer to the next driver's call", [each[1] for each in measured])
    print(f"load average {load_average()}", file=sys.stderr)


def _measure_at_a_server(folder: Path, samples: int) -> list[tuple[float, float]]:
    port = free_port()
    program = Path(sys.executable).parent / "lineshaft"
    server = ServerProcess(
        [program, "server", "--host", HOST, "--port", str(port), "--data", folder / "data"],
        environment=clean_environment(folder),
        folder=folder,
        name="server",
    )
    try:
        server.wait_until_healthy(port, "/health")
        return asyncio.run(_measure(f"http://{HOST}:{port}", samples))
    finally:
        server.stop()


async def _measure(url: str, samples: int) -> list[tuple[float, float]]:
    clocks = Clocks()
    async with httpx2.AsyncClient(base_url=url, auth=_CREDENTIALS, timeout=_PATIENCE_SECONDS) as api:
        await _call(api, "PUT", "/v1/resource-definitions/app", {"schema": {"type": "object"}})
        await _call(api, "POST", "/v1/pipelines", _PIPELINE)
        key = (await _call(api, "POST", "/v1/worker-keys", {"name": "bench"}))["key"]
        drain = asyncio.Event()
        serving = asyncio.create_task(serve_async(clocks.drivers(), url, key, name="bench", drain=drain))
        try:
            measured = [await _sample(api, clocks, number) for number in range(_WARM_UP + samples)]
            drain.set()
            await serving
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    return measured[_WARM_UP:]


async def _sample(api: httpx2.AsyncClient, clocks: Clocks, number: int) -> tuple[float, float]:
    """Make a resource, and wait until the second driver has it."""
    clocks.now = Times()
    begin = time.perf_counter()
    body = {"name": f"app-{number}", "spec": {"number": number}, "pipeline": _PIPELINE["name"]}
    answer = await _call(api, "POST", "/v1/resources/app", body)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await clocks.now.done.wait()
    now = clocks.now
    async with api.stream("GET", f"/v1/runs/{answer['started_run_id']}/events") as events:
        text = (await events.aread()).decode()
    if '{"state":"succeeded"}' not in text:
        raise BenchmarkError("A run did not succeed.")
    return now.called - begin, now.handed_on - now.answered


async def _call(api: httpx2.AsyncClient, method: str, path: str, body: object) -> dict[str, Any]:
    answer = await api.request(method, path, json=body)
    if not answer.is_success:
        raise BenchmarkError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
    return dict(answer.json())


def _print(what: str, seconds: list[float]) -> None:
    median = statistics.median(seconds) * 1e3
    late = statistics.quantiles(seconds, n=20)[-1] * 1e3
    print(f"| {what} | {median:.1f} ms | {late:.1f} ms |")


if __name__ == "__main__":
    main()
