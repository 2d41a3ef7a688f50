"""Measure what the `docker` executor costs a command, beside a bare `docker run --rm` of the same.

Where no engine answers at DOCKER_HOST, root has one started for it. See README.md in this folder. Run it as
`python bench/container.py`.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Final

from lineshaft.docker import DockerAccess
from lineshaft.executors.docker import DockerExecutor
from lineshaft.ports.executor import Command, Container, Ending, Exit, Mount
from measure.failure import BenchmarkError
from measure.machine import facts, load_average

_ROUNDS: Final = 25
_LOG_ROUNDS: Final = 5
_LOG_BYTES: Final = 80_000_000
_LOG_LINE: Final = "a line of a log that is as long as lines of logs mostly are, and not longer"
_IMAGE: Final = "lineshaft-bench:latest"
_START_SECONDS: Final = 60
_DONE: Final = Exit(Ending.ENDED, exit_code=0)
_USR: Final = "/usr"


class Counter:
    """Counts what a command writes, and drops it."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.count = 0

    async def write(self, data: bytes) -> None:
        """Count."""
        self.count += len(data)


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured, and on what.

    Attributes:
        executor: of containers.
        address: of its engine.
        folder: the workspace.
    """

    executor: DockerExecutor
    address: str
    folder: Path

    async def ours(self, *argv: str) -> tuple[float, int]:
        """Run a command by the executor; answer the seconds it took and the bytes that it wrote."""
        mounts = (Mount(Path(_USR), PurePosixPath(_USR)),)
        container = Container(_IMAGE, self.folder, mounts=mounts)
        environment = {"PATH": "/usr/bin:/bin"}
        command = Command(
            argv, Path("/"), environment, None, timedelta(), f"bench-{os.getpid()}/1", container=container
        )
        counter = Counter()
        begin = time.perf_counter()
        result = await self.executor.execute(command, counter, asyncio.Event())
        elapsed = time.perf_counter() - begin
        if result != _DONE:
            raise BenchmarkError(f"A command came to {result}.")
        return elapsed, counter.count

    def bare(self, network: str, *argv: str) -> float:
        """Run a command by the docker program; answer the seconds it took."""
        options = ("run", "--rm", "--network", network, "--volume", f"{_USR}:{_USR}:ro", _IMAGE)
        begin = time.perf_counter()
        self.docker(*options, *argv)
        return time.perf_counter() - begin

    def docker(self, *arguments: str, given: bytes = b"") -> bytes:
        """Call the docker program."""
        done = subprocess.run(
            ["docker", "--host", self.address, *arguments], input=given, stdout=subprocess.PIPE, check=True
        )
        return done.stdout


async def measure(bench: Bench, rounds: int, log_rounds: int) -> None:
    """Measure, and print the table."""
    await bench.ours("true")
    networks = bench.docker("network", "ls", "--format", "{{.Name}}").decode().split()
    network = next(name for name in (f"bench-{os.getpid()}-tasks", "bridge") if name in networks)
    ours, bare = [], []
    for _ in range(rounds):
        ours.append((await bench.ours("true"))[0])
        bare.append(await asyncio.to_thread(bench.bare, network, "true"))
    ratio = statistics.median(ours) / statistics.median(bare)
    print("| work | `docker run --rm` | Lineshaft | Lineshaft : bare |\n| --- | --- | --- | --- |")
    print(f"| a command `true` | {_ms(bare)} | {_ms(ours)} | {ratio:.2f} : 1 |")
    before = _memory()
    script = f"yes '{_LOG_LINE}' | head -c {_LOG_BYTES}"
    rates = []
    for _ in range(log_rounds):
        elapsed, count = await bench.ours("sh", "-c", script)
        if count != _LOG_BYTES:
            raise BenchmarkError(f"{count} bytes have arrived.")
        rates.append(count / elapsed / 1e6)
    told = f"{statistics.median(rates):.0f} MB/s ({min(rates):.0f} to {max(rates):.0f})"
    print(f"| a log of 80 MB, with the container's start and end | | {told} | |")
    print(f"| memory more for it, at most | | {_memory() - before:.1f} MB | |")


def _ms(values: list[float]) -> str:
    low, middle, high = (1000 * value for value in (min(values), statistics.median(values), max(values)))
    return f"{middle:.0f} ms ({low:.0f} to {high:.0f})"


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _engine(folder: Path) -> Iterator[str]:
    """Have the engine of DOCKER_HOST, or one of our own."""
    if address := os.environ.get("DOCKER_HOST"):
        yield address
        return
    address = f"unix://{folder}/docker.sock"
    options = ["--host", address, "--pidfile", f"{folder}/pid", "--data-root", f"{folder}/data"]
    more = ["--exec-root", f"{folder}/exec", "--iptables=false", "--bridge=none"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(["dockerd", *options, *more], stdout=log, stderr=log)
        try:
            until = time.monotonic() + _START_SECONDS
            while "API listen on" not in (folder / "log").read_text():
                if process.poll() is not None or time.monotonic() > until:
                    raise BenchmarkError(f"dockerd did not start: {(folder / 'log').read_text()[-500:]}")
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait()


def _image() -> bytes:
    """Pack an image in which this machine's programs run once its /usr is mounted."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("bin", "sbin", "lib", "lib64"):
            (Path(folder) / name).symlink_to(f"usr/{name}")
        return subprocess.run(["tar", "-c", "-C", folder, "."], stdout=subprocess.PIPE, check=True).stdout


async def _run(folder: Path, address: str, rounds: int, log_rounds: int) -> None:
    access = DockerAccess(address, folder / "no-configuration")
    executor = DockerExecutor(access, folder / "first")
    bench = Bench(executor, address, folder)
    bench.docker("import", "-", _IMAGE, given=_image())
    try:
        await measure(bench, rounds, log_rounds)
    finally:
        await executor.close()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how many commands of each kind")
    parser.add_argument("--log-rounds", type=int, default=_LOG_ROUNDS, help="how many logs of 80 MB")
    options = parser.parse_args()
    if shutil.which("docker") is None:
        raise BenchmarkError("The docker program is missing.")
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _engine(folder) as address:
            asyncio.run(_run(folder, address, options.rounds, options.log_rounds))
    print(f"load average {load_average()}", file=sys.stderr)


if __name__ == "__main__":
    main()
