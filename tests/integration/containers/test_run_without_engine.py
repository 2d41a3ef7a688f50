"""`lineshaft run` whose Docker engine dies under a task."""

import os
import subprocess
import sys
from pathlib import Path

from command_line import isolated
from integration.docker_engine import Engine, MortalEngine, mortal_engine

__all__ = ["mortal_engine"]

PIPELINE = """
name: shop
steps:
  - name: long
    image: {image}
    run: if [ "$LINESHAFT_ATTEMPT" = 1 ]; then exec sleep 600; fi
    teardown: {{image: {image}, run: "true"}}
"""
_SECONDS = 180
_STARTS = {"filters": '{"type": ["container"], "event": ["start"]}'}


def run_until_its_engine_dies(
    mortal: MortalEngine, engine: Engine, folder: Path, wait_seconds: int
) -> "subprocess.Popen[str]":
    """Start a run, and kill the engine as soon as its task has a container."""
    (folder / "lineshaft.yml").write_text(PIPELINE.format(image=engine.base_image))
    with engine.blocking_client() as client, client.stream("GET", "/events", params=_STARTS) as starts:
        run = subprocess.Popen(
            [
                *(sys.executable, "-m", "lineshaft", "run", "--executor", "docker"),
                *("--docker-host", engine.address, "--docker-wait-seconds", str(wait_seconds)),
            ],
            cwd=folder,
            env={**os.environ, **isolated(folder, "http://localhost:1", "x")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        next(starts.iter_lines())
        mortal.kill()
    return run


def test_a_run_whose_engine_does_not_come_back_says_so_once_and_ends(
    mortal_engine: MortalEngine, tmp_path: Path
) -> None:
    run = run_until_its_engine_dies(mortal_engine, mortal_engine.start(), tmp_path, wait_seconds=0)
    out, err = run.communicate(timeout=_SECONDS)
    assert run.returncode == 1, out + err
    away, given_up = (line for line in err.splitlines() if line.startswith("note: The Docker engine"))
    assert away.startswith("note: The Docker engine is away. ")
    assert "Start it again" in away
    assert "has not come back" in given_up
    assert "lost No Docker engine answered at" in out


def test_a_run_whose_engine_comes_back_goes_on(mortal_engine: MortalEngine, tmp_path: Path) -> None:
    run = run_until_its_engine_dies(mortal_engine, mortal_engine.start(), tmp_path, wait_seconds=3600)
    assert run.stderr is not None
    assert any("The Docker engine is away" in line for line in run.stderr)
    mortal_engine.start()
    out, err = run.communicate(timeout=_SECONDS)
    assert run.returncode == 0, out + err
    assert "note: The Docker engine answers again" in err
