"""Measure how fast a worker keeps a large artifact at a server: beside `cp` and `sha256sum` of the same file.

See README.md in this folder. Run it as `python bench/artifacts.py`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx2

from lineshaft.model.kept_files import ArtifactRule
from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_files import HttpFiles
from lineshaft.sdk.http_worker import HttpWorker
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.wire.worker import ClaimRequest, Hello, Report
from lineshaft.worker.files import FoundCaches, keep_files
from measure.failure import BenchmarkError
from measure.machine import facts, load_average
from measure.memory import MEGABYTE, forget_peaks, peak_of
from measure.server_process import HOST, ServerProcess, clean_environment, free_port

_ROUNDS: Final = 5
_MEGABYTES: Final = 1000
_BLOCK: Final = 1 << 20
_LOGIN: Final = ("admin", "admin")
_PIPELINE: Final = {
    "name": "artifacts",
    "steps": [{"name": "make", "run": "true", "artifacts": [{"name": "big", "paths": ["big"]}]}],
}


class Nowhere:
    """Takes a log."""

    async def write(self, data: bytes) -> None:
        """Take what is written, and drop it."""


def make_file(path: Path, megabytes: int) -> None:
    """Fill a file with what does not compress, in little memory."""
    with path.open("wb") as file:
        for _ in range(megabytes * MEGABYTE // _BLOCK):
            file.write(os.urandom(_BLOCK))


def copied(path: Path) -> float:
    """Copy and hash a file by the system's programs, and tell the seconds."""
    copy = path.with_name("copy")
    begin = time.perf_counter()
    subprocess.run(["cp", path, copy], check=True)
    subprocess.run(["sha256sum", copy], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - begin
    copy.unlink()
    return seconds


async def kept(address: str, pipeline: str, folder: Path) -> float:
    """Have an attempt keep the file as its artifact, by HTTP, and tell the seconds until it is complete."""
    config = ClientConfig.load(environment={"LINESHAFT_URL": address})
    async with (
        HttpWorker(config) as worker,
        HttpFiles(config) as files,
        httpx2.AsyncClient(base_url=address, auth=_LOGIN, timeout=60) as api,
    ):
        welcome = await worker.register(Hello(name="bench", kinds=frozenset({WorkKind.RUN}), slots=1))
        run = (await api.post(f"/v1/pipelines/{pipeline}/runs")).json()
        claim = ClaimRequest(worker_id=welcome.worker_id, slots=1, wait_seconds=10, token="t" * 32)
        (lease,) = (await worker.claim(claim)).leases

        async def same(commit: str) -> str:
            return commit

        masking = Masking()
        log = MaskedLog(Nowhere(), masking)
        assignment = Assignment(lease, log, asyncio.Event(), same, masking, files)
        begin = time.perf_counter()
        outcome = await keep_files(assignment, folder, Outcome(State.SUCCEEDED), FoundCaches())
        seconds = time.perf_counter() - begin
        if outcome.state is not State.SUCCEEDED or lease.artifacts != (ArtifactRule("big", ("big",)),):
            raise BenchmarkError(f"The artifact was not kept: {outcome}.")
        report = Report(
            worker_id=welcome.worker_id, address=lease.address, token=lease.token, outcome=outcome
        )
        await worker.report(report)
        await _check(api, run)
        return seconds


async def _check(api: httpx2.AsyncClient, run: dict[str, Any]) -> None:
    state = (await api.get(f"/v1/runs/{run['id']}")).json()["state"]
    if state != "succeeded":
        raise BenchmarkError(f"The run came to {state}.")


def measure(rounds: int, megabytes: int, folder: Path) -> None:
    """Measure in rounds, and print the table."""
    workspace, data = folder / "workspace", folder / "data"
    workspace.mkdir()
    data.mkdir()
    make_file(workspace / "big", megabytes)
    port = free_port()
    environment = clean_environment(folder) | {"LINESHAFT_DATA": str(data), "LINESHAFT_PORT": str(port)}
    arguments = [sys.executable, "-m", "lineshaft", "server"]
    server = ServerProcess(arguments, environment=environment, folder=folder, name="server")
    try:
        server.wait_until_healthy(port, "/health")
        address = f"http://{HOST}:{port}"
        created = httpx2.post(f"{address}/v1/pipelines", json=_PIPELINE, auth=_LOGIN)
        pipeline = created.raise_for_status().json()["id"]
        both = [server.pid, os.getpid()]
        bare, ours = [], []
        forget_peaks(both)
        before = [peak_of([pid]) for pid in both]
        for _ in range(rounds):
            bare.append(copied(workspace / "big"))
            ours.append(asyncio.run(kept(address, pipeline, workspace)))
        peaks = [peak_of([pid]) for pid in both]
    finally:
        server.stop()
    print("| an artifact, kept over loopback | seconds |\n| --- | --- |")
    print(f"| cp and sha256sum | {_told(bare)} |\n| Lineshaft | {_told(ours)} |")
    print(f"| ratio of the medians | {statistics.median(ours) / statistics.median(bare):.2f} : 1 |")
    for name, start, peak in zip(("server", "worker"), before, peaks, strict=True):
        text = f"{peak / MEGABYTE:.0f} MB, {(peak - start) / MEGABYTE:.0f} MB more than before"
        print(f"| greatest memory of the {name} | {text} |")


def _told(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often everything is measured")
    parser.add_argument("--size", type=int, default=_MEGABYTES, help="of the artifact, in MB")
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        measure(options.rounds, options.size, Path(folder))
    print(f"load average {load_average()}", file=sys.stderr)


if __name__ == "__main__":
    main()
