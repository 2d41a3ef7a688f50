"""A running server, and the command line that talks to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import CommandLine, isolated
from server_process import server_process


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server_process(tmp_path_factory.mktemp("server")) as server:
        yield server.address()


@pytest.fixture
def lineshaft(
    server_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> CommandLine:
    for name, value in isolated(tmp_path, server_url, "admin").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return CommandLine(capsysbinary)
