"""Measure a fleet: workers by HTTP, servers on PostgreSQL, long queues, long histories.

See README.md in this folder. Run it as `python bench/fleet.py`.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from measure.fleet_http import cores_for_heartbeats, middle, seconds_to_process, tasks_per_second
from measure.fleet_store import claim_seconds, cold_claim_seconds, run_seconds
from measure.machine import facts, load_average
from measure.postgres import postgres
from report import table
from workloads.workload import Figure, Sample

_OURS: Final = "Lineshaft"
_DATABASES: Final = ("sqlite", "postgresql")
_PROCESSES: Final = (1, 2)
_ROUNDS: Final = 3
_QUEUES: Final = (100, 1_000, 10_000, 100_000)
_WIDTHS: Final = (100, 1_000, 5_000)
_HISTORIES: Final = (10, 1_000, 20_000, 100_000)


def main() -> None:
    """Measure what was asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(_PARTS)}; by default all")
    parser.add_argument("--tasks", type=int, default=5_000, help="for the rate")
    parser.add_argument("--clients", type=int, default=64, help="for the rate")
    parser.add_argument("--slots", type=int, default=8, help="of each client")
    parser.add_argument("--workers", type=int, default=1_000, help="that are heard of")
    parser.add_argument(
        "--most", type=int, default=100_000, help="the longest queue, and the longest history"
    )
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    samples: list[Sample] = []
    for part in options.parts or _PARTS:
        samples += _PARTS[part](options)
    print(table(_figures(options.most), samples))
    print(f"load average {load_average()}", file=sys.stderr)


def _figures(most: int) -> Mapping[str, Figure]:
    figures = {}
    for each in _DATABASES:
        figures[f"near {each}"] = Figure(f"queued to the process's start, by HTTP, {each}", "ms", aim=10)
        figures[f"boxed {each}"] = Figure(f"the same in a sandbox, {each}", "ms")
    for processes in _PROCESSES:
        figures[f"rate {processes}"] = Figure(
            f"trivial tasks by HTTP, server processes on postgresql: {processes}",
            "tasks/s",
            aim=400,
            more_is_better=True,
        )
    for each in _DATABASES:
        for length in _at_most(most, _QUEUES):
            figures[f"claim {each} {length}"] = Figure(f"a claim with {length:,} queued, {each}", "ms")
        for width in _WIDTHS:
            title = f"a claim of a run of {width:,} nodes that is not in memory, {each}"
            figures[f"cold {each} {width}"] = Figure(title, "ms")
    figures["heartbeats"] = Figure("heartbeats of 1,000 workers", "% of a core", aim=10)
    for each in _DATABASES:
        for history in _at_most(most, _HISTORIES):
            title = f"a run of one task with {history:,} runs in the history, {each}"
            figures[f"history {each} {history}"] = Figure(title, "ms")
    return figures


def _near(_: argparse.Namespace) -> Iterator[Sample]:
    for database, folder, url in _each_database():
        given = url if database == "postgresql" else None
        for part, sandbox in (("near", "none"), ("boxed", "bwrap")):
            own = folder / part
            own.mkdir()
            taken = middle(seconds_to_process(own, given, sandbox, 200))
            yield Sample(_OURS, f"{part} {database}", 1e3 * taken)


def _rate(options: argparse.Namespace) -> Iterator[Sample]:
    for processes in _PROCESSES * _ROUNDS:
        with tempfile.TemporaryDirectory() as folder, postgres() as url:
            rate = tasks_per_second(
                Path(folder),
                url,
                processes=processes,
                tasks=options.tasks,
                clients=options.clients,
                slots=options.slots,
            )
        yield Sample(_OURS, f"rate {processes}", rate)


def _claims(options: argparse.Namespace) -> Iterator[Sample]:
    lengths = _at_most(options.most, _QUEUES)
    for database, folder, url in _each_database():
        for length, seconds in asyncio.run(claim_seconds(folder, url, lengths)).items():
            yield Sample(_OURS, f"claim {database} {length}", 1e3 * seconds)


def _cold(_: argparse.Namespace) -> Iterator[Sample]:
    for database, folder, url in _each_database():
        for width, seconds in asyncio.run(cold_claim_seconds(folder, url, _WIDTHS)).items():
            yield Sample(_OURS, f"cold {database} {width}", 1e3 * seconds)


def _heartbeats(options: argparse.Namespace) -> Iterator[Sample]:
    with tempfile.TemporaryDirectory() as folder, postgres() as url:
        cores = cores_for_heartbeats(Path(folder), url, workers=options.workers, seconds=30)
        yield Sample(_OURS, "heartbeats", 100 * cores * 1_000 / options.workers)


def _history(options: argparse.Namespace) -> Iterator[Sample]:
    histories = _at_most(options.most, _HISTORIES)
    for database, folder, url in _each_database():
        measured = asyncio.run(run_seconds(folder, url, histories))
        for history, seconds in measured.items():
            yield Sample(_OURS, f"history {database} {history}", 1e3 * seconds)


def _at_most(most: int, numbers: Iterable[int]) -> list[int]:
    return sorted({min(number, most) for number in numbers})


def _each_database() -> Iterator[tuple[str, Path, str]]:
    for database in _DATABASES:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            if database == "postgresql":
                yield database, folder, stack.enter_context(postgres())
            else:
                yield database, folder, f"sqlite:///{folder / 'bench.db'}"


_PARTS: Final[Mapping[str, Callable[[argparse.Namespace], Iterator[Sample]]]] = {
    "near": _near,
    "rate": _rate,
    "claims": _claims,
    "cold": _cold,
    "heartbeats": _heartbeats,
    "history": _history,
}

if __name__ == "__main__":
    main()
