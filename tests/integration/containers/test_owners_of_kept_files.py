"""Whose the files are that come into a workspace: the user's as whom a task runs in its container."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from command_line import isolated
from integration.docker_engine import Engine

OTHER = 4321
"""A user whom neither this machine nor the image knows."""

PIPELINE = """
name: shop
steps:
  - name: make
    image: {image}
    artifacts: {{paths: [made]}}
    run: |
      mkdir -p made/below && echo 1 > made/below/file && : > made/empty && chmod 555 made/empty
  - name: use
    needs: [make]
    image: {image}
    cache: {{key: deps, paths: [deps]}}
    run: |
      echo "runs as $(id -u):$(id -g)"
      find . ! -type l -exec stat -c 'owner %u:%g of %n' {{}} +
      echo 2 >> made/below/file && touch made/below/new made/new && rm -r made/empty made/below
      if test -d deps; then echo 2 >> deps/below/file && touch deps/below/new && chmod 700 deps/below; fi
      mkdir -p deps/below && touch deps/below/file
"""


def user_of_worker() -> int:
    return os.geteuid() or OTHER


def as_that_user(engine: Engine) -> Sequence[str]:
    """Have a program run as a user other than root, who may speak to the engine and read this Python."""
    if os.geteuid():
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is missing; Debian has it in util-linux")
    group = Path(engine.address.removeprefix("unix://")).stat().st_gid
    # Python may lie in a folder of root's.
    may = "+dac_read_search"
    command = [
        *(setpriv, f"--reuid={OTHER}", f"--regid={OTHER}", f"--groups={group}"),
        *(f"--inh-caps={may}", f"--ambient-caps={may}", "--"),
    ]
    tried = subprocess.run(
        [*command, sys.executable, "-c", "0"], capture_output=True, text=True, timeout=60, check=False
    )
    if tried.returncode:
        pytest.skip(f"no program can be run as another user here: {tried.stderr}")
    return command


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of that user's, which lies in none that only others may enter, as those of tests do."""
    with tempfile.TemporaryDirectory() as made:
        if not os.geteuid():
            os.chown(made, OTHER, OTHER)
        yield Path(made)


def run_pipeline(engine: Engine, folder: Path, tools: str) -> str:
    """Run it by one command, and return what was told."""
    (folder / "lineshaft.yml").write_text(PIPELINE.format(image=tools))
    environment = isolated(folder, "http://localhost:1", "x")
    result = subprocess.run(
        [
            *(*as_that_user(engine), sys.executable, "-m", "lineshaft", "run", "--executor", "docker"),
            *("--docker-host", engine.address, "--logs"),
        ],
        cwd=folder,
        env={**os.environ, **environment, "HOME": str(folder), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def owners_in(told: str) -> dict[str, str]:
    """Read whose each file is."""
    lines = (line.removeprefix("owner ").split(" of ./") for line in told.splitlines() if " of ./" in line)
    return {name: owner for owner, name in lines}


def test_files_of_artifacts_and_caches_belong_to_the_user_of_the_container(
    docker_engine: Engine, tools: str, folder: Path
) -> None:
    missed = run_pipeline(docker_engine, folder, tools)
    found = run_pipeline(docker_engine, folder, tools)

    runs_as = f"{user_of_worker()}:{os.getegid() if os.geteuid() else OTHER}"
    assert f"runs as {runs_as}" in found
    placed = {"made", "made/below", "made/below/file", "made/empty"}
    cached = {"deps", "deps/below", "deps/below/file"}
    for told, names in ((missed, placed), (found, placed | cached)):
        owners = owners_in(told)
        assert {name: owner for name, owner in owners.items() if name in names} == dict.fromkeys(
            names, runs_as
        )
