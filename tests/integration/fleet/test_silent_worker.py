"""A worker that has fallen silent while its claim waits."""

import asyncio
from datetime import timedelta
from pathlib import Path

from desk import DeskWorker
from lineshaft.definition import read_definition
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store import open_store


async def test_a_claim_waits_no_longer_than_leases_live(tmp_path: Path) -> None:
    ids = RandomIds()
    store = await open_store("sqlite://", ids=ids, read_definition=read_definition)
    lease_time = timedelta(milliseconds=100)
    plane = ControlPlane(
        store, BlobFolder(tmp_path), SystemClock(), ids, check=lambda _: None, lease_time=lease_time
    )
    # Not the time that it takes, but that it does not wait for a minute, as it is asked to.
    async with asyncio.timeout(50):
        assert await DeskWorker(plane).claim(wait_seconds=60) == {}
    await store.close()
