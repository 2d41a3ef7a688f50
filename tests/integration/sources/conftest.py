"""Places where forges tell of changes, on each kind of database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from delivery_site import DeliverySite
from lineshaft.integrations.forges.known import KnownForges
from lineshaft.integrations.outgoing.client import outgoing_client
from lineshaft.integrations.outgoing.guard import Guard
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.memory_repositories import MemoryRepositories
from planes import temporary_plane


@pytest.fixture
async def deliveries(database_url: str, tmp_path: Path, clock: ManualClock) -> AsyncIterator[DeliverySite]:
    """A place with the connection `hub`, and an empty repository."""
    repositories = MemoryRepositories()
    async with (
        outgoing_client(Guard(allow_private=True)) as client,
        temporary_plane(
            tmp_path,
            clock,
            url=database_url,
            cipher=FakeCipher(),
            forges=KnownForges(client, clock),
            repositories=repositories,
        ) as plane,
    ):
        site = DeliverySite(plane, repositories)
        site.repositories.add("https://github.com/acme/shop.git")
        await site.connect()
        yield site
