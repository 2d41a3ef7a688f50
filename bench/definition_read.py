"""Measure how fast a definition is read out of a large repository, and what changed in it is told.

Beside it, what one does without Lineshaft: a shallow clone with its checkout, and `git archive` of that file.
See README.md in this folder. Run it as `python bench/definition_read.py`.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.repositories import GitRepositories
from lineshaft.ports.repositories import Remote
from measure.failure import BenchmarkError
from measure.machine import facts, load_average

_ROUNDS: Final = 5
_FILES: Final = 100_000
_FOLDERS: Final = 1_000
_COMMITS: Final = 50
_NAME: Final = "lineshaft.yml"
_DEFINITION: Final = b"name: large\nsteps: [{name: test, run: make test}]\n"
_WHO: Final = "Ada <ada@example.org> 1767225600 +0000"


def make_repository(bare: Path, files: int) -> tuple[str, str]:
    """Make a repository of many files, and return an older commit and the newest one."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", bare], check=True)
    subprocess.run(["git", "config", "uploadpack.allowFilter", "true"], cwd=bare, check=True)
    command = ["git", "fast-import", "--quiet"]
    with subprocess.Popen(command, cwd=bare, stdin=subprocess.PIPE) as importing:
        if importing.stdin is None:
            raise BenchmarkError("git fast-import takes nothing.")
        stream = importing.stdin
        stream.write(f"commit refs/heads/main\ncommitter {_WHO}\ndata 3\nall\n".encode())
        stream.write(b"M 100644 inline %s\ndata %d\n%s\n" % (_NAME.encode(), len(_DEFINITION), _DEFINITION))
        for number in range(files):
            content = f"{number}\n".encode() * 40
            path = f"src/d{number % _FOLDERS}/f{number}.txt".encode()
            stream.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(content), content))
        for number in range(_COMMITS):
            stream.write(f"commit refs/heads/main\ncommitter {_WHO}\ndata 4\nmore\n".encode())
            stream.write(b"M 100644 inline src/d%d/new.txt\ndata 4\nnew\n\n" % number)
    if importing.returncode:
        raise BenchmarkError("git fast-import failed.")
    return _commit(bare, f"main~{_COMMITS}"), _commit(bare, "main")


def _commit(bare: Path, name: str) -> str:
    said = subprocess.run(["git", "rev-parse", name], cwd=bare, check=True, capture_output=True, text=True)
    return said.stdout.strip()


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Do some work, and tell its milliseconds."""
    begin = time.perf_counter()
    await work()
    return (time.perf_counter() - begin) * 1000


def cloned(address: str, folder: Path) -> float:
    """Clone at depth 1 and check out, as one would read a file without Lineshaft; tells milliseconds."""
    begin = time.perf_counter()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", address, folder], check=True)
    if (folder / _NAME).read_bytes() != _DEFINITION:
        raise BenchmarkError("The clone has another definition.")
    milliseconds = (time.perf_counter() - begin) * 1000
    shutil.rmtree(folder)
    return milliseconds


def archived(address: str) -> float:
    """Ask the remote for an archive of the one file, which most forges do not give; tells milliseconds."""
    begin = time.perf_counter()
    command = ["git", "archive", f"--remote={address}", "main", _NAME]
    if _DEFINITION not in subprocess.run(command, check=True, capture_output=True).stdout:
        raise BenchmarkError("The archive has another definition.")
    return (time.perf_counter() - begin) * 1000


class Round:
    """One reader with an empty folder, and what it took."""

    def __init__(self, folder: Path, remote: Remote) -> None:
        """Begin with nothing fetched."""
        folder.mkdir()
        program = GitProgram(ProcessExecutor(), folder, f"bench/{folder.name}")
        self.folder = folder
        self._repositories = GitRepositories(Mirrors(program, folder / "mirrors", (), partial=True))
        self._remote = remote

    async def newest(self) -> None:
        """Read the definition of the newest commit."""
        revision = await self._repositories.revision(self._remote, "main")
        await self.of(revision.commit)

    async def of(self, commit: str) -> None:
        """Read the definition of a commit."""
        files = await self._repositories.files(self._remote, commit)
        if await asyncio.to_thread(files.read, _NAME) != _DEFINITION:
            raise BenchmarkError("The mirror has another definition.")

    async def changed(self, before: str, after: str) -> None:
        """Tell what changed."""
        paths = await self._repositories.changed(self._remote, before, after)
        if paths is None or len(paths) != _COMMITS:
            raise BenchmarkError("Other paths have changed.")

    def kilobytes(self) -> float:
        """Tell how much the mirror keeps."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file()) / 1000


async def measure(rounds: int, files: int, folder: Path, address: str) -> dict[str, list[float]]:
    """Measure everything in turns, after the repository was made."""
    before, after = make_repository(folder / "large.git", files)
    remote = Remote(f"{address}/large.git")
    taken: dict[str, list[float]] = {}
    for number in range(rounds):
        reader = Round(folder / f"round-{number}", remote)
        work: dict[str, Callable[[], Awaitable[object]]] = {
            "definition of a branch, nothing fetched before": reader.newest,
            "definition of a branch, its commit fetched before": reader.newest,
            "definition of a commit that was fetched before": partial(reader.of, after),
            "what changed in 50 commits, their history not fetched": partial(reader.changed, before, after),
            "what changed in 50 commits, fetched before": partial(reader.changed, before, after),
        }
        for name, each in work.items():
            taken.setdefault(name, []).append(await timed(each))
        taken.setdefault("kept in the mirror (kB)", []).append(reader.kilobytes())
        taken.setdefault("git archive --remote", []).append(archived(remote.address))
        taken.setdefault("git clone --depth=1", []).append(cloned(remote.address, folder / "clone"))
    return taken


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often everything is measured")
    parser.add_argument("--files", type=int, default=_FILES, help="of the repository")
    parser.add_argument("--port", type=int, default=19_418, help="of the daemon that serves it")
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = ["git", "daemon", "--listen=127.0.0.1", f"--port={options.port}", f"--base-path={folder}"]
        command += ["--export-all", "--enable=upload-archive", "--reuseaddr"]
        environment = os.environ | {"GIT_CONFIG_NOSYSTEM": "1"}
        with subprocess.Popen(command, env=environment) as daemon:
            try:
                address = f"git://127.0.0.1:{options.port}"
                taken = asyncio.run(measure(options.rounds, options.files, folder, address))
            finally:
                daemon.terminate()
    print(f"| {options.files:,} files | milliseconds |\n| --- | --- |")
    for what, values in taken.items():
        told = f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"
        print(f"| {what} | {told} |")
    print(f"load average {load_average()}", file=sys.stderr)


if __name__ == "__main__":
    main()
