"""Whatever goes wrong, every seed's fleet keeps its promises and comes to rest."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.pool import Pool

import pytest

from simulation.range import most_processes
from simulation.world import play

SEEDS = 2_000
CHUNK = 20


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with multiprocessing.get_context("spawn").Pool(min(most_processes(), 4)) as pool:
        yield pool


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_all_promises_are_kept(pool: Pool, first: int) -> None:
    seeds = range(first, first + CHUNK)
    failed = [played for played in pool.imap_unordered(play, seeds, chunksize=5) if played.findings]

    assert not failed, "\n".join(
        f"Play it again with: make simulate SEED={played.seed}\n  " + "\n  ".join(played.findings)
        for played in failed
    )
