from collections.abc import Iterator

import pytest

from fake_api import FakeApi


@pytest.fixture(scope="session")
def api_server() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield server


@pytest.fixture
def api(api_server: FakeApi) -> FakeApi:
    """Provide a server with nothing there, which does what a test tells it."""
    api_server.forget()
    return api_server
