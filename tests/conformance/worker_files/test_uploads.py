"""Uploads: in parts, each behind those before it, again and again, and never under a dead lease."""

import asyncio
import os

import pytest

from lineshaft.model.artifact import PART_BYTES
from lineshaft.model.errors import ArtifactNotFoundError, InvalidInputError, StaleLeaseError
from lineshaft.ports.ids import RandomIds
from lineshaft.wire.files import FilesRequest
from worker_files_scene import (
    FilesScene,
    Held,
    end_of,
    find,
    keep,
    part_of,
    parts_of,
    read,
    send,
    send_part,
    sha256,
    upload_of,
)

IDS = RandomIds()
CONTENT = os.urandom(1024) * (2 * PART_BYTES // 1024) + b"the end"


async def test_what_came_in_parts_is_read_as_one(scene: FilesScene) -> None:
    held = await scene.first()
    artifact = await keep(scene.files, held, CONTENT)
    assert await read(scene.files, await scene.second(held), artifact) == CONTENT


@pytest.mark.parametrize("numbers", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_parts_may_come_at_once_and_each_waits_for_those_before_it(
    scene: FilesScene, numbers: tuple[int, ...]
) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    sending = (send_part(scene.files, held, request.upload, CONTENT, number) for number in numbers)
    await asyncio.gather(*sending)
    await scene.files.end_upload(end_of(held, request.upload, CONTENT))
    assert await read(scene.files, await scene.second(held), request.upload) == CONTENT


async def test_files_may_be_empty(scene: FilesScene) -> None:
    held = await scene.first()
    artifact = await keep(scene.files, held, b"")
    assert await read(scene.files, await scene.second(held), artifact) == b""


async def test_who_begins_again_hears_how_many_parts_are_there_without_a_gap(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    told = [(await scene.files.begin_upload(request)).parts]
    for number in range(2):
        await send_part(scene.files, held, request.upload, CONTENT, number)
        told.append((await scene.files.begin_upload(request)).parts)
    assert told == [0, 1, 2]


async def test_parts_may_be_sent_again(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await send(scene.files, held, request.upload, CONTENT, (0, 0, 1, 0, 1, 2, 2, 0))
    await scene.files.end_upload(end_of(held, request.upload, CONTENT))
    assert await read(scene.files, await scene.second(held), request.upload) == CONTENT


async def test_a_part_may_be_sent_twice_at_once(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    sending = (send_part(scene.files, held, request.upload, CONTENT, number) for number in (1, 0, 0, 1, 2, 2))
    await asyncio.gather(*sending)
    await scene.files.end_upload(end_of(held, request.upload, CONTENT))
    assert await read(scene.files, await scene.second(held), request.upload) == CONTENT


async def test_a_part_of_another_digest_is_not_stored(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    with pytest.raises(InvalidInputError, match="digest"):
        await scene.files.put_part(part_of(held, request.upload, 0, b"abc"), b"abd")
    assert (await scene.files.begin_upload(request)).parts == 0
    await scene.files.put_part(part_of(held, request.upload, 0, b"abc"), b"abc")
    assert (await scene.files.begin_upload(request)).parts == 1


async def test_a_byte_that_broke_on_its_way_is_refused_at_its_part_and_nothing_is_lost(
    scene: FilesScene,
) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await send(scene.files, held, request.upload, CONTENT, [0])
    first, right, _ = parts_of(CONTENT)
    broken = bytearray(right)
    broken[len(broken) // 2] ^= 1
    with pytest.raises(InvalidInputError, match="digest"):
        await scene.files.put_part(part_of(held, request.upload, 1, right, first), bytes(broken))
    assert (await scene.files.begin_upload(request)).parts == 1
    await send(scene.files, held, request.upload, CONTENT, (1, 2))
    await scene.files.end_upload(end_of(held, request.upload, CONTENT))
    assert await read(scene.files, await scene.second(held), request.upload) == CONTENT


async def test_a_part_that_says_the_digest_of_itself_alone_is_not_stored(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await send(scene.files, held, request.upload, CONTENT, [0])
    _, second, _ = parts_of(CONTENT)
    with pytest.raises(InvalidInputError, match="digest"):
        await scene.files.put_part(part_of(held, request.upload, 1, second), second)
    assert (await scene.files.begin_upload(request)).parts == 1


async def test_a_part_that_is_there_is_not_replaced_by_another_one(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await scene.files.put_part(part_of(held, request.upload, 0, b"abc"), b"abc")
    with pytest.raises(InvalidInputError):
        await scene.files.put_part(part_of(held, request.upload, 0, b"xyz"), b"xyz")
    await scene.files.end_upload(end_of(held, request.upload, b"abc"))
    assert await read(scene.files, await scene.second(held), request.upload) == b"abc"


async def test_a_part_has_no_more_bytes_than_was_said(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    answer = await scene.files.begin_upload(request)
    data = bytes(answer.part_bytes + 1)
    with pytest.raises(InvalidInputError):
        await scene.files.put_part(part_of(held, request.upload, 0, data), data)


async def test_an_upload_does_not_end_while_parts_are_missing(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    for number in range(3):
        with pytest.raises(InvalidInputError, match="missing"):
            await scene.files.end_upload(end_of(held, request.upload, CONTENT))
        await send_part(scene.files, held, request.upload, CONTENT, number)
    await scene.files.end_upload(end_of(held, request.upload, CONTENT))


@pytest.mark.parametrize("content", [b"", b"abc", CONTENT])
async def test_an_upload_does_not_end_as_other_bytes_than_it_has(scene: FilesScene, content: bytes) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await send(scene.files, held, request.upload, content, range(len(parts_of(content))))
    with pytest.raises(InvalidInputError, match="digest"):
        await scene.files.end_upload(end_of(held, request.upload, content, sha256=sha256(b"others")))
    await scene.files.end_upload(end_of(held, request.upload, content))
    assert await read(scene.files, await scene.second(held), request.upload) == content


@pytest.mark.parametrize("size", [0, 2, 4, PART_BYTES + 1])
async def test_an_upload_ends_with_as_many_bytes_as_it_has(scene: FilesScene, size: int) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await scene.files.put_part(part_of(held, request.upload, 0, b"abc"), b"abc")
    with pytest.raises(InvalidInputError):
        await scene.files.end_upload(end_of(held, request.upload, b"abc", size_bytes=size))


async def test_an_upload_may_be_ended_again_but_not_otherwise(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await scene.files.put_part(part_of(held, request.upload, 0, b"abc"), b"abc")
    for _ in range(2):
        await scene.files.end_upload(end_of(held, request.upload, b"abc"))
    with pytest.raises(InvalidInputError):
        await scene.files.end_upload(end_of(held, request.upload, b"abc", sha256=sha256(b"x")))


async def test_an_attempt_keeps_one_of_each_kind_and_name(scene: FilesScene) -> None:
    held = await scene.first()
    await scene.files.begin_upload(upload_of(held))
    with pytest.raises(InvalidInputError, match="dist"):
        await scene.files.begin_upload(upload_of(held))
    assert (await scene.files.begin_upload(upload_of(held, "other"))).refused is None


async def test_the_id_of_another_upload_is_refused(scene: FilesScene) -> None:
    held, other = await scene.first(), await scene.first("other")
    request = upload_of(held)
    await scene.files.begin_upload(request)
    with pytest.raises(InvalidInputError):
        await scene.files.begin_upload(upload_of(held, "other", upload=request.upload))
    with pytest.raises(InvalidInputError):
        await scene.files.begin_upload(upload_of(other, upload=request.upload))


async def test_there_is_no_upload_that_was_not_begun(scene: FilesScene) -> None:
    held, other = await scene.first(), await scene.first("other")
    request = upload_of(held)
    await scene.files.begin_upload(request)
    for who, upload in ((held, IDS.new_id()), (other, request.upload)):
        with pytest.raises(ArtifactNotFoundError):
            await scene.files.put_part(part_of(who, upload, 0, b"x"), b"x")
        with pytest.raises(ArtifactNotFoundError):
            await scene.files.end_upload(end_of(who, upload, b""))


async def test_a_wrong_token_changes_nothing(scene: FilesScene) -> None:
    held = await scene.first()
    wrong = Held(held.address, "x" * 22)
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await _all_are_stale(scene, wrong, request.upload)
    assert (await scene.files.begin_upload(request)).parts == 0


async def test_a_dead_lease_changes_nothing(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    await scene.files.put_part(part_of(held, request.upload, 0, b"x"), b"x")
    second = await scene.second(held)
    await _all_are_stale(scene, held, request.upload)
    assert (await scene.files.needed_files(FilesRequest(**second.members))).files == ()


async def _all_are_stale(scene: FilesScene, held: Held, upload: object) -> None:
    files = scene.files
    request = upload_of(held, "more", upload=upload)
    for call in (
        lambda: files.begin_upload(request),
        lambda: files.put_part(part_of(held, request.upload, 0, b"x"), b"x"),
        lambda: files.end_upload(end_of(held, request.upload, b"x")),
        lambda: files.needed_files(FilesRequest(**held.members)),
        lambda: find(files, held, "key"),
        lambda: read(files, held, request.upload),
    ):
        with pytest.raises(StaleLeaseError):
            await call()
