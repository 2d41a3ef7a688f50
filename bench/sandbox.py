"""Measure what a sandbox costs a command: the `process` executor with and without, in turns.

See README.md in this folder. Run it as `python bench/sandbox.py`.
"""

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.sandbox import find_sandbox, why_unusable
from lineshaft.ports.executor import Command, Ending, Exit
from measure.failure import BenchmarkError
from measure.machine import facts, load_average

_ROUNDS: Final = 7
_COMMANDS: Final = 20
_DONE: Final = Exit(Ending.ENDED, exit_code=0)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a command took, of the clock and of the processors, in milliseconds."""

    elapsed_ms: float
    processor_ms: float


class Nowhere:
    """Takes output, of which there is none."""

    async def write(self, data: bytes) -> None:
        """Fail: nothing is to be written."""
        raise BenchmarkError(f"A command wrote {data[:200]!r}.")


async def measure(rounds: int, commands: int) -> None:
    """Measure in rounds, each of both executors, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        sandbox = find_sandbox([data])
        executors = {"without": ProcessExecutor(), "in a sandbox": ProcessExecutor(sandbox=sandbox)}
        if sandbox is None or (why := await why_unusable(executors["in a sandbox"], data, "bench/trial")):
            raise BenchmarkError(f"There can be no sandbox here: {why if sandbox else 'no bwrap'}.")
        samples: dict[str, list[Sample]] = {name: [] for name in executors}
        for _ in range(rounds):
            for name, executor in executors.items():
                samples[name].append(await _round(executor, data, commands))
    print("| a command `true` | elapsed | processor time |\n| --- | --- | --- |")
    for name, taken in samples.items():
        print(
            f"| {name} | {_told([each.elapsed_ms for each in taken])} "
            f"| {_told([each.processor_ms for each in taken])} |"
        )


async def _round(executor: ProcessExecutor, data: Path, commands: int) -> Sample:
    workspace = data / "workspace"
    workspace.mkdir(exist_ok=True)
    elapsed = []
    before = _processor_seconds()
    for number in range(commands):
        command = Command(
            ("true",),
            workspace,
            {"PATH": "/usr/bin:/bin"},
            None,
            timedelta(),
            f"bench/{number}",
            writable=(workspace,),
        )
        begin = time.perf_counter()
        result = await executor.execute(command, Nowhere(), asyncio.Event())
        elapsed.append(time.perf_counter() - begin)
        if result != _DONE:
            raise BenchmarkError(f"A command came to {result}.")
    spent = _processor_seconds() - before
    return Sample(statistics.median(elapsed) * 1000, spent / commands * 1000)


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _told(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ms ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often everything is measured")
    parser.add_argument("--commands", type=int, default=_COMMANDS, help="of each round and executor")
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    asyncio.run(measure(options.rounds, options.commands))
    print(f"load average {load_average()}", file=sys.stderr)


if __name__ == "__main__":
    main()
