"""The stores that the suite is run against."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from definitions import read_definition
from lineshaft.ports.ids import RandomIds
from lineshaft.store import SqlStore, open_store
from scene import Scene
from waiting_line import WaitingLine


@pytest.fixture(params=["file", "temporary", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of each kind of database, empty."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'lineshaft.db'}"
    if request.param == "temporary":
        return "sqlite://"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """An open store over each kind of database."""
    opened = await open_store(url, ids=RandomIds(), read_definition=read_definition)
    yield opened
    await opened.close()


@pytest.fixture
def scene(store: SqlStore) -> Scene:
    """A scene over each kind of store."""
    return Scene(store)


@pytest.fixture
def line(store: SqlStore) -> WaitingLine:
    """A waiting line over each kind of store."""
    return WaitingLine(store)
