"""The conveyor, by each way in which tasks reach its drivers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conveyor_scene import HTTP, Conveyor, Transport, conveyor


@pytest.fixture(params=[pytest.param(HTTP, id="http")])
def transport(request: pytest.FixtureRequest) -> Transport:
    """How tasks reach the drivers."""
    chosen: Transport = request.param
    return chosen


@pytest.fixture
def database() -> str:
    """Where the server keeps its state: in an SQLite of its own, unless a URL says otherwise."""
    return ""


@pytest.fixture
def line(tmp_path: Path, database: str, transport: Transport) -> Iterator[Conveyor]:
    """A conveyor whose drivers are not there yet."""
    with conveyor(tmp_path, database, transport) as opened:
        yield opened
