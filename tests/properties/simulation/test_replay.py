"""A seed tells everything: played again, also by another process, it is the same to the last step."""

import os
import subprocess
import sys

import pytest

from simulation.world import play


@pytest.mark.parametrize("seed", [3, 8])
def test_a_seed_is_the_same_however_python_hashes(seed: int) -> None:
    first, second = trace(seed, hash_seed="1"), trace(seed, hash_seed="2")

    assert "fingerprint" in first
    assert first == second


def test_a_seed_is_the_same_behind_others_in_one_process() -> None:
    before = play(5, traced=True)
    play(6)

    assert play(5, traced=True) == before


def trace(seed: int, *, hash_seed: str) -> str:
    """Play a seed in a process of its own, and return what it prints."""
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-m", "simulation", "--seed", str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
