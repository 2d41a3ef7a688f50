"""Compare Lineshaft with the bare limit and with Buildbot, side by side on this machine.

See README.md in this folder. Run it as `python bench/run.py`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from measure.failure import BenchmarkError
from measure.machine import facts, load_average
from measure.profile import Profiler
from report import table, write_json
from systems.buildbot import Buildbot
from systems.limit import Limit
from systems.lineshaft import Lineshaft
from systems.system import System
from workloads.checkout import Checkout
from workloads.idle import Idle
from workloads.log import Log
from workloads.parallel import Parallel
from workloads.scale import Scale
from workloads.sequential import Sequential
from workloads.status import Status
from workloads.storm import Storm
from workloads.trigger import Trigger
from workloads.workload import Sample, Workload

_CACHE: Final = Path(__file__).resolve().parent.parent / ".bench"

_SYSTEMS: Final = ("limit", "buildbot", "lineshaft")
_WORKLOADS: Final[tuple[Workload, ...]] = (
    Trigger(),
    Sequential(),
    Parallel(),
    Scale(),
    Storm(),
    Log(),
    Status(),
    Idle(),
    Checkout(),
)


def main() -> int:
    """Run what the command line asks for, print the table, and return the exit code."""
    options = _options()
    profiler = Profiler(_CACHE) if options.profile else None
    systems: tuple[System, ...] = (Limit(), Buildbot(_CACHE), Lineshaft(profiler))
    chosen = [each for each in systems if each.name.lower() in options.systems]
    workloads = [each for each in _WORKLOADS if each.name in options.workloads]
    known: dict[str, object] = {
        "begun_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": facts(),
        "versions": {each.name: each.versions() for each in chosen},
        "load_average_before": load_average(),
    }
    samples: list[Sample] = []
    failure: str | None = None
    try:
        for workload in workloads:
            samples += _run(workload, chosen, options.repetitions or workload.repetitions)
            if profiler is not None:
                print(f"{workload.name}: {profiler.summary()}", file=sys.stderr)
    except BenchmarkError as error:
        failure = str(error)
    known["failure"] = failure
    figures = {key: figure for each in workloads for key, figure in each.figures.items()}
    write_json(options.output, known, figures, samples)
    print(table(figures, samples))
    print(f"\nEvery sample is in {options.output}.", file=sys.stderr)
    if failure is not None:
        print(f"The benchmark failed, its figures count for nothing: {failure}", file=sys.stderr)
    return 0 if failure is None else 1


def _run(workload: Workload, systems: Sequence[System], repetitions: int) -> list[Sample]:
    begin = time.monotonic()
    print(f"{workload.name}: {repetitions} times", end="", flush=True, file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        samples = list(workload.run(systems, repetitions, Path(folder)))
    print(f", {time.monotonic() - begin:.0f} s, load average {load_average()}", flush=True, file=sys.stderr)
    return samples


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    choices = {"--workloads": [each.name for each in _WORKLOADS], "--systems": _SYSTEMS}
    for option, names in choices.items():
        known = ", ".join(names)
        parser.add_argument(option, nargs="+", choices=names, default=names, metavar="NAME", help=known)
    parser.add_argument("--repetitions", type=int, help="of every workload, instead of its own number")
    parser.add_argument(
        "--profile", action="store_true", help="tell where Lineshaft's time goes; its figures suffer from it"
    )
    parser.add_argument(
        "--output", type=Path, default=_CACHE / "results.json", help="where every sample goes"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
