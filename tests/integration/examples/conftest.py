"""A server that may read the examples, and the programs that their images would hold."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import CommandLine, isolated
from integration.examples.expected import HOME
from server_process import server_process

# The example with a database beside it asks for these two; no image of one is here.
_PROGRAMS = {"pg_isready": "exit 0", "psql": 'echo "$PGPASSWORD: $*"'}


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which the programs of the examples' images are."""
    folder = tmp_path_factory.mktemp("programs")
    for name, script in _PROGRAMS.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory, path: str) -> Iterator[str]:
    data: Path = tmp_path_factory.mktemp("server")
    roots = str(tmp_path_factory.getbasetemp())
    with server_process(
        data,
        PATH=path,
        HOME=HOME,
        LINESHAFT_GIT_ROOTS=roots,
        LINESHAFT_IGNORE_IMAGES="true",
        LINESHAFT_LABELS="linux",  # One of the examples asks for it.
    ) as server:
        yield server.address()


@pytest.fixture
def lineshaft(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> CommandLine:
    """The command line, which knows no server."""
    for name, value in (isolated(tmp_path, "", "") | {"PATH": path, "HOME": HOME}).items():
        monkeypatch.setenv(name, value)
    return CommandLine(capfdbinary)
