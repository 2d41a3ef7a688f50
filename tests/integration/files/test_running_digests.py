"""Digests that go on from part to part: behind a restart, with two servers, and when something is lost."""

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.artifact import PART_BYTES
from lineshaft.model.errors import ArtifactNotFoundError, InvalidInputError, UnavailableError
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.files.limits import DEFAULT_FILE_LIMITS, FileLimits
from lineshaft.services.files.running_digests import RunningDigests
from planes import temporary_plane
from worker_files_scene import (
    ServedScene,
    end_of,
    keep_cache,
    part_of,
    parts_of,
    read,
    send,
    send_part,
    sha256,
    upload_of,
)

NOTHING = timedelta()
CONTENT = os.urandom(1024) * (3 * PART_BYTES // 1024) + b"the end"
PARTS = range(4)


class Blobs(BlobFolder):
    """Counts what is read of each part, and may lose one that it was given."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        self.reads: Counter[int] = Counter()
        self.loses: int | None = None

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        size = await super().put(key, chunks)
        if _number(key) == self.loses:
            self.loses = None
            await self.delete(key)
            raise UnavailableError("The blob store has gone away.")
        return size

    async def read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        self.reads[_number(key)] += 1
        async for chunk in super().read(key, start, stop):
            yield chunk

    def spoil(self, number: int) -> None:
        """Change a byte of a part."""
        (path,) = self.folder.rglob(f"{number}-*")
        data = bytearray(path.read_bytes())
        data[1] ^= 1
        path.write_bytes(data)


def _number(key: str) -> int:
    return int(key.rpartition("/")[2].partition("-")[0])


@dataclass
class Server:
    """A process that takes uploads."""

    plane: ControlPlane
    blobs: Blobs
    scene: ServedScene


@asynccontextmanager
async def server_over(
    url: str, folder: Path, parts_wait: timedelta = DEFAULT_FILE_LIMITS.parts_wait
) -> AsyncIterator[Server]:
    """Start a server."""
    blobs = Blobs(folder / "blobs")
    limits = FileLimits(parts_wait=parts_wait)
    async with temporary_plane(folder, blobs=blobs, url=url, file_limits=limits) as plane:
        yield Server(plane, blobs, ServedScene(plane, plane.fleet.desk, plane.files.desk))


@pytest.fixture(params=["file", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of each kind of database."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'lineshaft.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


async def test_what_came_before_a_restart_is_read_back_once(url: str, tmp_path: Path) -> None:
    async with server_over(url, tmp_path) as server:
        held = await server.scene.first()
        request = upload_of(held)
        await server.scene.files.begin_upload(request)
        await send(server.scene.files, held, request.upload, CONTENT, (0, 1))
    async with server_over(url, tmp_path) as server:
        assert (await server.scene.files.begin_upload(request)).parts == 2
        sending = (
            send_part(server.scene.files, held, request.upload, CONTENT, number) for number in (3, 2, 2)
        )
        await asyncio.gather(*sending)
        assert server.blobs.reads == {0: 1, 1: 1}
    async with server_over(url, tmp_path) as server:
        files = server.scene.files
        with pytest.raises(InvalidInputError, match="another digest"):
            await files.end_upload(end_of(held, request.upload, CONTENT, sha256=sha256(b"others")))
        await files.end_upload(end_of(held, request.upload, CONTENT))
        kept = await server.plane.store.read(lambda transaction: transaction.artifacts.get(request.upload))
        assert kept is not None
        assert kept.content.sha256 == sha256(CONTENT)


async def test_a_server_reads_what_another_one_has_taken_once_and_waits_for_it(
    postgres_url: str, tmp_path: Path
) -> None:
    async with server_over(postgres_url, tmp_path) as one, server_over(postgres_url, tmp_path) as other:
        held = await one.scene.first()
        request = upload_of(held)
        await one.scene.files.begin_upload(request)
        sending = (
            send_part((one, other)[number % 2].scene.files, held, request.upload, CONTENT, number)
            for number in reversed(PARTS)
        )
        await asyncio.gather(*sending)
        await other.scene.files.end_upload(end_of(held, request.upload, CONTENT))
        assert (one.blobs.reads, other.blobs.reads) == ({1: 1}, {0: 1, 2: 1})
        assert await read(one.scene.files, await one.scene.second(held), request.upload) == CONTENT


async def test_a_byte_that_broke_on_its_way_to_another_server_is_refused_there(
    postgres_url: str, tmp_path: Path
) -> None:
    async with server_over(postgres_url, tmp_path) as one, server_over(postgres_url, tmp_path) as other:
        held = await one.scene.first()
        request = upload_of(held)
        await one.scene.files.begin_upload(request)
        await send(one.scene.files, held, request.upload, CONTENT, [0])
        first, right, *_ = parts_of(CONTENT)
        part = part_of(held, request.upload, 1, right, first)
        with pytest.raises(InvalidInputError, match="part 1 has another digest"):
            await other.scene.files.put_part(part, right[:-1] + bytes([right[-1] ^ 1]))
        await send(one.scene.files, held, request.upload, CONTENT, (1, 2, 3))
        await one.scene.files.end_upload(end_of(held, request.upload, CONTENT))


async def test_a_part_whose_predecessors_do_not_come_is_to_be_sent_again(url: str, tmp_path: Path) -> None:
    async with server_over(url, tmp_path, parts_wait=NOTHING) as server:
        files, held = server.scene.files, await server.scene.first()
        request = upload_of(held)
        await files.begin_upload(request)
        await send(files, held, request.upload, CONTENT, [0])
        with pytest.raises(UnavailableError, match="The parts before part 2 are not there yet"):
            await send(files, held, request.upload, CONTENT, [2])
        assert (await files.begin_upload(request)).parts == 1
        await send(files, held, request.upload, CONTENT, (1, 2, 3))
        await files.end_upload(end_of(held, request.upload, CONTENT))


async def test_a_part_that_was_lost_is_sent_again_behind_the_next_one(url: str, tmp_path: Path) -> None:
    async with server_over(url, tmp_path, parts_wait=NOTHING) as server:
        files, held = server.scene.files, await server.scene.first()
        request = upload_of(held)
        await files.begin_upload(request)
        server.blobs.loses = 1
        with pytest.raises(UnavailableError, match="gone away"):
            await send(files, held, request.upload, CONTENT, (0, 1))
        await send(files, held, request.upload, CONTENT, (2, 3))
        assert (await files.begin_upload(request)).parts == 1
        with pytest.raises(InvalidInputError, match="Part 1 of 4 is missing"):
            await files.end_upload(end_of(held, request.upload, CONTENT))
        await send(files, held, request.upload, CONTENT, [1])
        await files.end_upload(end_of(held, request.upload, CONTENT))
        assert await read(files, await server.scene.second(held), request.upload) == CONTENT


async def test_nothing_goes_on_from_a_part_that_has_changed_where_it_is_stored(
    url: str, tmp_path: Path
) -> None:
    async with server_over(url, tmp_path) as server:
        held = await server.scene.first()
        request = upload_of(held)
        await server.scene.files.begin_upload(request)
        await send(server.scene.files, held, request.upload, CONTENT, (0, 1))
        server.blobs.spoil(0)
    async with server_over(url, tmp_path) as server:
        with pytest.raises(ArtifactNotFoundError, match="What is stored of part 0 is not what came"):
            await send(server.scene.files, held, request.upload, CONTENT, [2])
        assert (await server.scene.files.begin_upload(request)).parts == 2


async def test_an_id_that_is_used_again_goes_on_from_nothing_of_before(tmp_path: Path) -> None:
    async with server_over("sqlite://", tmp_path) as server:
        files, held = server.scene.files, await server.scene.first()
        request = upload_of(held)
        await files.begin_upload(request)
        before, after = b"x" * PART_BYTES + b"end", b"z" * PART_BYTES + b"end"
        await send(files, held, request.upload, before, (0, 1))
        second = await server.scene.second(held)
        await server.plane.retention.go_round()
        again = upload_of(second, upload=request.upload)
        await files.begin_upload(again)
        await send(files, second, again.upload, after, [0])
        with pytest.raises(InvalidInputError, match="another digest"):
            await send(files, second, again.upload, before, [1])
        assert (await files.begin_upload(again)).parts == 1


@pytest.mark.parametrize("most_states", [1, 2, 100])
@pytest.mark.parametrize("numbers", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 4, 1, 4, 3), (4, 4, 0, 2, 2)])
async def test_digests_that_were_forgotten_are_found_again(
    tmp_path: Path, most_states: int, numbers: tuple[int, ...]
) -> None:
    pieces = [b"a", b"bc", b"def", b"g"]
    async with server_over("sqlite://", tmp_path) as server:
        files, held = server.scene.files, await server.scene.first()
        request = upload_of(held)
        await files.begin_upload(request)
        for number, piece in enumerate(pieces):
            before = b"".join(pieces[:number])
            await files.put_part(part_of(held, request.upload, number, piece, before), piece)
        digests = RunningDigests(server.plane.store, server.blobs, most_states)
        for number in numbers:
            found = await digests.before(request.upload, number, NOTHING)
            assert found.hexdigest() == hashlib.sha256(b"".join(pieces[:number])).hexdigest()
            found.update(b"what the caller does with it is nobody else's matter")


async def test_what_many_ask_for_at_once_is_read_back_once(tmp_path: Path) -> None:
    async with server_over("sqlite://", tmp_path) as server:
        files, held = server.scene.files, await server.scene.first()
        cache = await keep_cache(files, held, "deps", CONTENT)
        digests = RunningDigests(server.plane.store, server.blobs)
        found = await asyncio.gather(*(digests.before(cache, number, NOTHING) for number in (3, 4, 2, 4, 1)))
        assert [each.hexdigest() for each in found[1::2]] == [sha256(CONTENT)] * 2
        assert server.blobs.reads == dict.fromkeys(PARTS, 1)
