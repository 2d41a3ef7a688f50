"""Uploads at a server: its bounds, calls that come too late, and what is left behind."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.artifact import PART_BYTES, ArtifactKind
from lineshaft.model.errors import (
    ArtifactExpiredError,
    ArtifactNotFoundError,
    InputTooLargeError,
    InvalidInputError,
    StaleLeaseError,
    UnavailableError,
)
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.files.limits import FileLimits
from lineshaft.wire.files import FilesRequest
from planes import temporary_plane
from worker_files_scene import (
    Held,
    ServedScene,
    end_of,
    find,
    keep,
    keep_cache,
    part_of,
    parts_of,
    read,
    send,
    upload_of,
)

LIMITS = FileLimits(
    artifact_bytes=2 * PART_BYTES, run_bytes=2 * PART_BYTES + 4, cache_bytes=10, caches_for=timedelta(days=3)
)


class Gate(BlobFolder):
    """A folder of blobs whose puts may be held up, or fail."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root = root
        self.arrived = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.away = False

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        if self.away:
            raise UnavailableError("The blob store is away.")
        size = await super().put(key, chunks)
        self.arrived.set()
        await self.open.wait()
        return size

    def blobs(self) -> list[Path]:
        """List the files that are there."""
        return [path for path in self.root.rglob("*") if path.is_file()]


@dataclass
class Server:
    """A control plane, whose clock and blob store are in hand."""

    plane: ControlPlane
    clock: ManualClock
    blobs: Gate
    scene: ServedScene

    async def go_round(self) -> None:
        """Remove what is not kept, the blobs too."""
        await self.plane.retention.go_round()
        await self.plane.settle()


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    clock, blobs = ManualClock(), Gate(tmp_path / "blobs")
    async with temporary_plane(tmp_path, clock, blobs, file_limits=LIMITS) as plane:
        yield Server(plane, clock, blobs, ServedScene(plane, plane.fleet.desk, plane.files.desk))


async def test_an_artifact_that_is_too_large_is_refused_with_the_limit_named(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    with pytest.raises(InputTooLargeError, match="'dist' is larger than 16 MiB"):
        await files.put_part(part_of(held, request.upload, 2, b"x"), b"x")
    assert server.blobs.blobs() == []


async def test_a_run_keeps_no_more_than_its_limit(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    await keep(files, held, bytes(2 * PART_BYTES), "large")
    await keep(files, held, b"abc", "small", kind=ArtifactKind.RESULT)
    request = upload_of(held, "more")
    assert (await files.begin_upload(request)).refused is None
    with pytest.raises(InputTooLargeError, match="The run would keep more than"):
        await files.put_part(part_of(held, request.upload, 0, b"xy"), b"xy")
    await keep(files, held, b"x", "least")
    refused = (await files.begin_upload(upload_of(held, "most"))).refused
    assert refused is not None
    assert "keeps 16 MiB already" in refused


async def test_a_part_that_is_there_may_come_again_when_the_run_is_full(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    whole = bytes(PART_BYTES)
    await send(files, held, request.upload, whole * 2, (0, 1, 0, 1))
    await files.end_upload(end_of(held, request.upload, whole * 2))


async def test_caches_make_room_for_new_ones(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    for key in ("a", "b", "c"):
        await keep_cache(files, held, key, key.encode() * 5)
        server.clock.advance(timedelta(seconds=1))
    assert [(await find(files, held, key)).exact for key in "abc"] == [False, True, True]
    request = upload_of(held, "d", kind=ArtifactKind.CACHE)
    await files.begin_upload(request)
    with pytest.raises(InputTooLargeError):
        await files.put_part(part_of(held, request.upload, 0, bytes(11)), bytes(11))


async def test_a_cache_that_nobody_uses_goes_and_one_that_is_used_stays(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    for key in ("used", "not"):
        await keep_cache(files, held, key, key.encode())
    server.clock.advance(timedelta(days=2))
    await find(files, held, "used")
    server.clock.advance(timedelta(days=2))
    await server.go_round()
    assert [(await find(files, held, key)).exact for key in ("used", "not")] == [True, False]
    assert len(server.blobs.blobs()) == 1


async def test_an_artifact_expires_at_its_time_and_its_bytes_go(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    artifact = await keep(files, held, b"abc", expire_seconds=60)
    second = await server.scene.second(held)
    before = await read(files, second, artifact)
    server.clock.advance(timedelta(seconds=60))
    with pytest.raises(ArtifactExpiredError):
        await read(files, second, artifact)
    assert (await files.needed_files(FilesRequest(**second.members))).files == ()
    await server.go_round()
    assert before == b"abc"
    assert server.blobs.blobs() == []


async def test_a_part_that_could_not_be_stored_may_be_sent_again(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    server.blobs.away = True
    with pytest.raises(UnavailableError):
        await files.put_part(part_of(held, request.upload, 0, b"abc"), b"abc")
    server.blobs.away = False
    assert (await files.begin_upload(request)).parts == 0
    await files.put_part(part_of(held, request.upload, 0, b"abc"), b"abc")
    await files.end_upload(end_of(held, request.upload, b"abc"))


async def test_bytes_of_another_digest_leave_no_blob(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    with pytest.raises(InvalidInputError):
        await files.put_part(
            part_of(held, request.upload, 0, bytes(PART_BYTES)), bytes(PART_BYTES - 1) + b"x"
        )
    assert server.blobs.blobs() == []


async def test_a_call_that_its_attempt_did_not_outlive_leaves_no_blob(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    late = await _held_up(server, held, request.upload)
    await server.scene.second(held)
    await server.go_round()
    assert len(server.blobs.blobs()) == 1
    server.blobs.open.set()
    with pytest.raises(StaleLeaseError):
        await late
    assert server.blobs.blobs() == []


async def test_a_call_that_died_on_its_way_leaves_no_blob_for_long(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    died = await _held_up(server, held, request.upload)
    died.cancel()
    await asyncio.wait({died})
    await server.scene.second(held)
    await server.go_round()
    assert len(server.blobs.blobs()) == 1
    server.clock.advance(timedelta(hours=1))
    await server.plane.settle()
    assert server.blobs.blobs() == []


async def test_a_repeated_call_that_comes_late_harms_nothing_that_is_kept(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    late = await _held_up(server, held, request.upload)
    server.blobs.open.set()
    await files.put_part(part_of(held, request.upload, 0, b"abc"), b"abc")
    await files.end_upload(end_of(held, request.upload, b"abc"))
    await late
    assert await read(files, await server.scene.second(held), request.upload) == b"abc"


async def test_a_late_call_harms_nothing_that_is_kept_when_its_attempt_has_ended(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    late = await _held_up(server, held, request.upload)
    held_up, server.blobs.open = server.blobs.open, asyncio.Event()
    server.blobs.open.set()
    await files.put_part(part_of(held, request.upload, 0, b"abc"), b"abc")
    await files.end_upload(end_of(held, request.upload, b"abc"))
    second = await server.scene.second(held)
    held_up.set()
    with pytest.raises(StaleLeaseError):
        await late
    assert await read(files, second, request.upload) == b"abc"


async def test_bytes_that_are_said_to_be_others_replace_no_cache(server: Server) -> None:
    files = server.scene.files
    cache = await keep_cache(files, await server.scene.first(ref="a"), "deps", b"good")
    held = await server.scene.first(ref="b")
    request = upload_of(held, "deps", kind=ArtifactKind.CACHE)
    await files.begin_upload(request)
    await files.put_part(part_of(held, request.upload, 0, b"evil"), b"evil")
    with pytest.raises(InvalidInputError, match="another digest than was said"):
        await files.end_upload(end_of(held, request.upload, b"good"))
    assert await read(files, held, cache) == b"good"
    assert not (await find(files, held, "deps")).files


async def test_files_of_a_removed_upload_are_not_there(server: Server) -> None:
    files, held = server.scene.files, await server.scene.first()
    request = upload_of(held)
    await files.begin_upload(request)
    for data in parts_of(b"abc"):
        await files.put_part(part_of(held, request.upload, 0, data), data)
    second = await server.scene.second(held)
    await server.go_round()
    with pytest.raises(ArtifactNotFoundError):
        await read(files, second, request.upload)
    assert server.blobs.blobs() == []


async def _held_up(server: Server, held: Held, upload: UUID) -> asyncio.Task[None]:
    """Begin to put a part, up to the moment at which its blob is there."""
    server.blobs.open.clear()
    server.blobs.arrived.clear()
    part = part_of(held, upload, 0, b"abc")
    calling = asyncio.create_task(server.scene.files.put_part(part, b"abc"))
    await server.blobs.arrived.wait()
    return calling
