"""Many seeds, in several processes."""

import multiprocessing
import os
from collections.abc import Iterator
from typing import Final

from simulation.world import Played, play

_CHUNK: Final = 20


def most_processes() -> int:
    """Tell how many processes this machine has processors for."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def play_range(seeds: range, processes: int) -> Iterator[Played]:
    """Play seeds, each as if it were alone, in any order.

    Args:
        seeds: which ones.
        processes: how many processes share the work; 1 does it in this one.
    """
    if processes <= 1:
        yield from map(play, seeds)
        return
    # Anew, and not by fork: a copy of a program with threads may wait for one of them for ever.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(play, seeds, chunksize=_CHUNK)
