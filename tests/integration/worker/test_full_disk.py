"""A disk that is full: what a task is told, and what is given up for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from lineshaft.model.state import State
from mount_namespace import run_mounted


def run_on_small_disk(folder: Path, part: str, *sizes: int) -> dict[str, Any]:
    """Run a task of a pipeline of its own for each size of the source, in bytes.

    A part of the worker's folder is on a disk of 2 MiB.
    """
    (folder / part).mkdir()
    program = Path(__file__).parents[2] / "small_disk_worker.py"
    mount = ("-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs")
    told = run_mounted(mount, folder / part, str(program), str(folder), *map(str, sizes))
    answer: dict[str, Any] = json.loads(told)
    return answer


@pytest.mark.parametrize("part", ["checkouts", "mirrors"])
def test_a_full_disk_is_a_plain_reason_and_the_workspace_goes(tmp_path: Path, part: str) -> None:
    told = run_on_small_disk(tmp_path, part, 6_000_000)
    ((state, reason),) = told["outcomes"]
    assert state == State.FAILED
    assert "no space left on the worker's disk" in reason
    assert told["left"] == ["rubbish"]


def test_when_the_disk_is_full_what_is_kept_makes_room(tmp_path: Path) -> None:
    told = run_on_small_disk(tmp_path, "checkouts", 1_200_000, 1_300_000)
    assert told["outcomes"] == [[State.SUCCEEDED, ""]] * 2
