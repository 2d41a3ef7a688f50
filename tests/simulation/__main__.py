"""Plays seeds from the command line: `make simulate SEEDS=100000`, `make simulate SEED=17`."""

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import islice
from typing import Final

from simulation.range import most_processes, play_range
from simulation.world import play

_TELL_EVERY_SECONDS: Final = 10.0
_SHOWN: Final = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Play one seed and print what happens in it, or many and print which failed."""
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one alone, and print its trace")
    parser.add_argument("--seeds", type=int, default=2_000, help="how many to play")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=most_processes(), help="how many at once")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        return _play_one(given.seed)
    return _play_many(range(given.first, given.first + given.seeds), given.processes)


def _play_one(seed: int) -> int:
    played = play(seed, traced=True)
    print(*played.trace, sep="\n")  # noqa: T201 # It is what this program is for.
    what = f"{played.runs} runs in {played.seconds:.0f} s of virtual time, {played.steps:,} steps"
    print(f"Seed {seed}: {what}, fingerprint {played.fingerprint}.")  # noqa: T201 # As above.
    print(*played.findings or ("All is well.",), sep="\n")  # noqa: T201 # As above.
    return 1 if played.findings else 0


def _play_many(seeds: range, processes: int) -> int:
    failed = 0
    begun = told = time.monotonic()
    for count, played in enumerate(play_range(seeds, processes), 1):
        if played.findings:
            failed += 1
            print(f"Seed {played.seed} fails; play it again with: make simulate SEED={played.seed}")  # noqa: T201 # As above.
            print(*(f"  {finding}" for finding in islice(played.findings, _SHOWN)), sep="\n")  # noqa: T201 # As above.
        if time.monotonic() - told > _TELL_EVERY_SECONDS or count == len(seeds):
            told = time.monotonic()
            rate = count / (told - begun)
            print(f"{count:,} of {len(seeds):,} seeds, {rate:.0f} a second, {failed} failed.", flush=True)  # noqa: T201 # As above.
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
