"""One stage that prints 80 MB."""

import hashlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from measure.failure import BenchmarkError
from measure.memory import MEGABYTE, family, forget_peaks, peak_of
from systems.system import Job, Payload, Server, System
from workloads.workload import Figure, Sample, rotated, started

_SMALL_BYTES: Final = 8 * MEGABYTE
_LARGE_BYTES: Final = 80 * MEGABYTE
_LINE_BYTES: Final = 80
_FIRST_LINE: Final = b"the payload begins here".ljust(_LINE_BYTES - 1, b".") + b"\n"


class Log:
    """How long a great log takes, there and back, and whether the memory for it depends on its size."""

    name = "log"
    repetitions = 3
    figures: Mapping[str, Figure] = {
        "log": Figure("one stage printing 80 MB, until it is readable by the API", "s", aim=0.5),
        "log_read": Figure("reading these 80 MB by the API", "s"),
        "log_peak": Figure("highest memory during both", "MB"),
        "log_growth": Figure("which is more than with 8 MB by (flat: at most 10)", "MB", aim=10),
    }

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Measure on a new server each time, first with 8 MB, then with 80."""
        small = _make(folder / "small.log", _SMALL_BYTES)
        large = _make(folder / "large.log", _LARGE_BYTES)
        jobs = [_job(small), _job(large)]
        for round_number in range(repetitions):
            for system in rotated(systems, round_number):
                with started(system, jobs, folder) as server:
                    values = _measure(server, small, large)
                for figure, value in values.items():
                    yield Sample(system.name, figure, value)


def _measure(server: Server, small: Payload, large: Payload) -> dict[str, float]:
    _, _, small_peak = _print_and_read(server, small)
    seconds, read_seconds, large_peak = _print_and_read(server, large)
    return {
        "log": seconds,
        "log_read": read_seconds,
        "log_peak": large_peak / MEGABYTE,
        "log_growth": (large_peak - small_peak) / MEGABYTE,
    }


def _print_and_read(server: Server, payload: Payload) -> tuple[float, float, int]:
    """Return the seconds until the log was readable, those to read it, and the peak of memory in bytes."""
    job = _job(payload)
    watched = family(server.pids)
    forget_peaks(watched)
    with server.client() as client, server.watcher() as watcher:
        begin = time.perf_counter()
        run = client.trigger(job)
        watcher.wait([run])
        client.confirm_log(run, payload)
        readable = time.perf_counter()
        client.check(run, job)
        begin_read = time.perf_counter()
        log = b"".join(client.read_log(run, payload))
        read = time.perf_counter()
        peak = peak_of(watched)
    if (len(log), hashlib.sha256(log).hexdigest()) != (payload.size, payload.sha256):
        raise BenchmarkError(
            f"{server.name} returned {len(log)} bytes that are not the {payload.size} printed"
        )
    return readable - begin, read - begin_read, peak


def _job(payload: Payload) -> Job:
    return Job(f"print-{payload.size // MEGABYTE}-mb", (f"cat {payload.path}",))


def _make(path: Path, size: int) -> Payload:
    """Write a file of lines of hexadecimal digits, the same in every run of the benchmark."""
    digits = random.Random(size)  # noqa: S311 -- The digits need to be the same every time, not secret.
    lines = size // _LINE_BYTES
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(lines):
            text = f"{number:08d} {digits.randbytes(35).hex()}\n".encode()
            line = text if number else _FIRST_LINE
            digest.update(line)
            file.write(line)
    return Payload(path, _FIRST_LINE, size, lines, digest.hexdigest())
