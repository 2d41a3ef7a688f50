"""Measure what services cost a task: the `docker` executor with two of them and without, in turns.

See README.md in this folder. Run it as `python bench/services.py`; it needs a Docker engine.
"""

import argparse
import asyncio
import io
import json
import os
import shutil
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Final

import httpx2

from lineshaft.docker import DockerAccess
from lineshaft.executors.docker import DockerExecutor
from lineshaft.model.service import Readiness, Service
from lineshaft.ports.executor import Command, Container, Ending, Exit, Mount
from measure.failure import BenchmarkError
from measure.machine import facts, load_average

_IMAGE: Final = "lineshaft-bench:latest"
_APPLETS: Final = ("httpd", "sh", "true")
_ROUNDS: Final = 9
_DONE: Final = Exit(Ending.ENDED, exit_code=0)
_LISTENING: Final = Service(_IMAGE, ("httpd", "-f", "-p", "8000"), ready=Readiness(port=8000))
_BESIDE: Final[Mapping[str, Mapping[str, Service]]] = {
    "without services": {},
    "with one that is ready when its port is": {"one": _LISTENING},
    "with two of them": {"one": _LISTENING, "two": _LISTENING},
    "with six of them": {f"s{number}": _LISTENING for number in range(6)},
}


class Nowhere:
    """Takes output, of which there is none."""

    async def write(self, data: bytes) -> None:
        """Fail: nothing is to be written."""
        raise BenchmarkError(f"A command wrote {data[:200]!r}.")


async def measure(rounds: int) -> None:
    """Measure in rounds, each of all kinds of tasks, and print the table."""
    access = DockerAccess.from_environment(os.environ, home=Path.home())
    _import_image(access.address)
    samples: dict[str, list[float]] = {name: [] for name in _BESIDE}
    with tempfile.TemporaryDirectory() as folder:
        executor = DockerExecutor(access, Path(folder) / "first")
        for round_number in range(rounds + 1):
            for name, services in _BESIDE.items():
                elapsed_ms = await _task(executor, Path(folder), services, f"bench/{round_number}")
                # The first round makes what later ones find.
                if round_number:
                    samples[name].append(elapsed_ms)
        await executor.close()
    print("| a task `true` in a container | elapsed |\n| --- | --- |")
    for name, taken in samples.items():
        print(f"| {name} | {statistics.median(taken):.0f} ms ({min(taken):.0f} to {max(taken):.0f}) |")


async def _task(executor: DockerExecutor, folder: Path, services: Mapping[str, Service], label: str) -> float:
    mounts = (Mount(folder, PurePosixPath(folder), writable=True),)
    container = Container(_IMAGE, folder, mounts=mounts, services=services)
    command = Command(
        ("true",), folder, {"PATH": "/bin"}, None, timedelta(), f"lineshaft-{label}", container=container
    )
    begun = time.perf_counter()
    result = await executor.execute(command, Nowhere(), asyncio.Event())
    if result != _DONE:
        raise BenchmarkError(f"A task went wrong: {result}.")
    return (time.perf_counter() - begun) * 1000


def _import_image(address: str) -> None:
    busybox = shutil.which("busybox")
    if busybox is None or not address.startswith("unix://"):
        raise BenchmarkError("This needs Debian's busybox-static and an engine on this machine.")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    repository, _, tag = _IMAGE.partition(":")
    options = {"fromSrc": "-", "repo": repository, "tag": tag, "changes": "ENV PATH=/bin"}
    transport = httpx2.HTTPTransport(uds=address.removeprefix("unix://"))
    with httpx2.Client(transport=transport, base_url="http://docker", timeout=60) as client:
        client.post("/images/create", params=options, content=packed.getvalue()).raise_for_status()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often everything is measured")
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    asyncio.run(measure(options.rounds))
    print(f"load average {load_average()}", file=sys.stderr)


if __name__ == "__main__":
    main()
