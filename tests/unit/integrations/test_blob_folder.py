"""What only blobs as files do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.errors import UnavailableError

KEY = "logs/0197/1-1"
MIB = 1024 * 1024


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _read(blobs: BlobFolder, start: int, stop: int) -> list[bytes]:
    return [chunk async for chunk in blobs.read(KEY, start, stop)]


async def test_a_put_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await BlobFolder(tmp_path).put(KEY, broken())

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_the_last_blob_of_a_folder_takes_the_folder_with_it(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path)
    await blobs.put(KEY, _chunks(b"x"))
    await blobs.put("logs/0197/2-1", _chunks(b"y"))
    await blobs.delete(KEY)
    assert (tmp_path / "logs/0197/2-1").read_bytes() == b"y"
    await blobs.delete("logs/0197/2-1")

    assert list(tmp_path.iterdir()) == []


async def test_deleting_a_blob_deletes_what_a_put_that_was_cut_off_has_left_of_it(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path)
    await blobs.put(KEY, _chunks(b"x"))
    (tmp_path / "logs/0197/.1-1.0123456789abcdef.part").write_bytes(b"half")
    await blobs.delete(KEY)

    assert list(tmp_path.iterdir()) == []


async def test_blobs_are_put_while_others_of_their_folder_are_deleted(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path)

    async def put_and_delete(number: int) -> None:
        for _ in range(20):
            await blobs.put(f"logs/0197/{number}-1", _chunks(b"x"))
            await blobs.delete(f"logs/0197/{number}-1")

    await asyncio.gather(*map(put_and_delete, range(4)))

    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_cannot_be_written_to_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where a folder should be")

    with pytest.raises(UnavailableError, match="logs"):
        await BlobFolder(tmp_path).put(KEY, _chunks(b"x"))


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "A", "a\0", "a/."])
async def test_a_key_that_would_leave_the_folder_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        await BlobFolder(tmp_path).delete(key)


async def test_no_file_stays_open_when_reading_stops_half_way(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path)
    await blobs.put(KEY, _chunks(bytes(2 * MIB)))
    before = len(list(Path("/proc/self/fd").iterdir()))

    reading = blobs.read(KEY, 0, 2 * MIB)
    await anext(reading)
    await reading.aclose()

    assert len(list(Path("/proc/self/fd").iterdir())) == before
