"""What every store of blobs does; see `ports.blobs.Blobs`."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lineshaft.model.errors import NotFoundError
from lineshaft.ports.blobs import Blobs

KEY = "logs/0197/1-1"
MIB = 1 << 20
LONG = bytes(range(256)) * (9 * MIB // 256) + b"end"


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _read(blobs: Blobs, start: int, stop: int, key: str = KEY) -> list[bytes]:
    return [chunk async for chunk in blobs.read(key, start, stop)]


async def test_what_was_put_is_read_by_any_range(blobs: Blobs) -> None:
    size = await blobs.put(KEY, _chunks(b"abc", b"", b"defgh"))

    assert size == 8
    assert b"".join(await _read(blobs, 0, 8)) == b"abcdefgh"
    assert b"".join(await _read(blobs, 2, 5)) == b"cde"
    assert await _read(blobs, 3, 3) == []


async def test_nothing_may_be_put(blobs: Blobs) -> None:
    assert await blobs.put(KEY, _chunks()) == 0
    assert await _read(blobs, 0, 0) == []


async def test_a_long_blob_is_whole_and_is_read_in_chunks_of_a_mebibyte_at_most(blobs: Blobs) -> None:
    pieces = [LONG[start : start + 700_001] for start in range(0, len(LONG), 700_001)]

    assert await blobs.put(KEY, _chunks(*pieces)) == len(LONG)

    chunks = await _read(blobs, 0, len(LONG))
    assert max(map(len, chunks)) <= MIB
    assert b"".join(chunks) == LONG
    assert b"".join(await _read(blobs, 5 * MIB - 1, 8 * MIB + 1)) == LONG[5 * MIB - 1 : 8 * MIB + 1]


@pytest.mark.parametrize("begun_with", [b"half", LONG])
async def test_a_put_that_fails_leaves_nothing_to_read(blobs: Blobs, begun_with: bytes) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield begun_with
        raise RuntimeError("the source is broken")

    with pytest.raises(RuntimeError, match="the source is broken"):
        await blobs.put(KEY, broken())

    with pytest.raises(NotFoundError):
        await _read(blobs, 0, 1)


@pytest.mark.parametrize("begun_with", [b"one", LONG])
async def test_a_blob_appears_only_when_it_is_whole(blobs: Blobs, begun_with: bytes) -> None:
    half_way, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield begun_with
        half_way.set()
        await go_on.wait()
        yield b"two"

    putting = asyncio.create_task(blobs.put(KEY, slow()))
    await half_way.wait()
    with pytest.raises(NotFoundError):
        await _read(blobs, 0, 1)
    go_on.set()
    await putting

    size = len(begun_with) + 3
    assert b"".join(await _read(blobs, 0, size)) == begun_with + b"two"


async def test_putting_again_replaces_the_blob(blobs: Blobs) -> None:
    await blobs.put(KEY, _chunks(b"first"))
    await blobs.put(KEY, _chunks(b"again"))

    assert b"".join(await _read(blobs, 0, 5)) == b"again"


async def test_deleting_twice_is_deleting_once(blobs: Blobs) -> None:
    await blobs.put(KEY, _chunks(b"x"))
    await blobs.delete(KEY)
    await blobs.delete(KEY)

    with pytest.raises(NotFoundError):
        await _read(blobs, 0, 1)


async def test_blobs_of_many_keys_are_put_and_read_at_the_same_time(blobs: Blobs) -> None:
    texts = {f"logs/{number}": str(number).encode() for number in range(20)}

    await asyncio.gather(*(blobs.put(key, _chunks(text)) for key, text in texts.items()))
    read = await asyncio.gather(*(_read(blobs, 0, len(text), key) for key, text in texts.items()))

    assert [b"".join(chunks) for chunks in read] == list(texts.values())


async def test_a_blob_of_eight_mebibytes_is_whole(blobs: Blobs) -> None:
    pieces = [bytes([number]) * MIB for number in range(8)]

    assert await blobs.put(KEY, _chunks(*pieces)) == 8 * MIB
    assert b"".join(await _read(blobs, 0, 9 * MIB)) == b"".join(pieces)
