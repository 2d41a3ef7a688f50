"""A server for the scenarios, and a place without any setting for the command line."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from command_line import CommandLine, isolated
from server_process import server_process


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    with (
        server_process(tmp_path_factory.mktemp("server")) as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=60) as client,
    ):
        yield client


@pytest.fixture
def lineshaft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> CommandLine:
    for name, value in isolated(tmp_path, "", "").items():
        monkeypatch.setenv(name, value)
    return CommandLine(capfdbinary)
