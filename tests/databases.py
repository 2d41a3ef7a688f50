"""The two kinds of database that outlive the server that has opened them."""

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of each kind that a server may open, with nothing in it."""
    return _url(request, tmp_path, "postgres_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of each kind, without tables."""
    return _url(request, tmp_path, "empty_postgres_url")


def _url(request: pytest.FixtureRequest, folder: Path, on_postgres: str) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'lineshaft.db'}"
    found: str = request.getfixturevalue(on_postgres)
    return found
