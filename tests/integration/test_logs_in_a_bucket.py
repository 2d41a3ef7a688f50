from collections.abc import Mapping
from pathlib import Path

from desk import DeskWorker
from lineshaft.integrations.object_store import ObjectStore
from planes import temporary_plane
from s3_server import BUCKET

ONE = "name: one\nsteps: [{name: a, run: 'true'}]"


async def test_a_finished_log_moves_to_the_bucket_and_is_read_from_there(
    tmp_path: Path, s3: Mapping[str, str]
) -> None:
    blobs = ObjectStore.open(f"s3://{BUCKET}/{tmp_path.name}", s3)
    async with temporary_plane(tmp_path, blobs=blobs) as plane:
        worker = DeskWorker(plane)
        run = await worker.start(ONE)
        lease = (await worker.claim())["a"]
        await plane.fleet.desk.append_log(lease.address, lease.token, 0, b"kept in a bucket")
        await worker.report(lease)

        await plane.settle()

        log = await plane.logs.find(run.id, "a")
        assert log.state.blob is not None
        assert [chunk async for chunk in plane.logs.read(log, 5, 16)] == [b"in a bucket"]
        assert list(tmp_path.iterdir()) == []
