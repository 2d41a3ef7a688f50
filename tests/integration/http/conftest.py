"""A running server: the one that LINESHAFT_URL names, or one that is started here."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from server_process import server_process


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("LINESHAFT_URL")
    if given:
        yield given.rstrip("/")
        return
    data: Path = tmp_path_factory.mktemp("server")
    with server_process(data) as server:
        yield server.address()


@pytest.fixture(scope="session")
def credentials() -> tuple[str, str]:
    return os.environ.get("LINESHAFT_USERNAME", "admin"), os.environ.get("LINESHAFT_PASSWORD", "admin")


@pytest.fixture(scope="session")
def api(url: str, credentials: tuple[str, str]) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url, auth=credentials, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def stranger(url: str) -> Iterator[httpx2.Client]:
    """A client without credentials."""
    with httpx2.Client(base_url=url, timeout=30) as client:
        yield client
