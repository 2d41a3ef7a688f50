"""Caches of runs without a server: found by the next run, and bounded."""

import hashlib
from pathlib import Path
from uuid import UUID

import pytest

from command_line import CommandLine, isolated
from lineshaft.cli.local_caches import MOST_CACHES, LocalCaches, cache_folder
from lineshaft.model.artifact import PART_BYTES, ArtifactKind, ContentFormat
from lineshaft.model.attempt import AttemptAddress
from lineshaft.sdk.memory_files import MemoryFiles, MemoryLease
from lineshaft.wire.files import CacheRequest, Part, ReadRequest, UploadEnd, UploadRequest

ADDRESS = AttemptAddress(UUID(int=7), 1, 1)


def request(key: str, number: int = 1) -> UploadRequest:
    return UploadRequest(
        address=ADDRESS,
        token="token",
        upload=UUID(int=number),
        kind=ArtifactKind.CACHE,
        name=key,
        format=ContentFormat.TAR_ZSTD,
        media_type="application/zstd",
    )


def caches_in(folder: Path) -> LocalCaches:
    files = MemoryFiles()
    files.lease(MemoryLease(ADDRESS, "token"))
    return LocalCaches(files, folder)


async def keep(caches: LocalCaches, key: str, data: bytes, number: int = 1) -> None:
    upload = UUID(int=number)
    await caches.begin_upload(request(key, number))
    for at in range(0, len(data), PART_BYTES):
        piece = data[at : at + PART_BYTES]
        digest = hashlib.sha256(piece).hexdigest()
        part = Part(address=ADDRESS, token="token", upload=upload, number=at // PART_BYTES, sha256=digest)
        await caches.put_part(part, piece)
        await caches.put_part(part, piece)
    digest = hashlib.sha256(data).hexdigest()
    await caches.end_upload(
        UploadEnd(address=ADDRESS, token="token", upload=upload, size_bytes=len(data), sha256=digest)
    )


async def found(caches: LocalCaches, key: str, *restore: str) -> tuple[bool, bytes] | None:
    answer = await caches.find_cache(CacheRequest(address=ADDRESS, token="token", key=key, restore=restore))
    if answer.files is None:
        return None
    size = answer.files.content.size_bytes
    wanted = ReadRequest(address=ADDRESS, token="token", artifact=answer.files.id, start=0, stop=size)
    return answer.exact, b"".join([chunk async for chunk in caches.read(wanted)])


async def test_what_one_run_keeps_the_next_one_finds(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40_000
    await keep(caches_in(tmp_path), "deps-1", data)

    assert await found(caches_in(tmp_path), "deps-1") == (True, data)
    assert await found(caches_in(tmp_path), "deps-2", "other-", "deps-") == (False, data)
    assert await found(caches_in(tmp_path), "deps-2") is None


async def test_those_that_were_not_used_for_longest_go(tmp_path: Path) -> None:
    caches = caches_in(tmp_path)
    for number in range(MOST_CACHES):
        await keep(caches, f"k{number}", b"%d" % number, number)
    assert await found(caches, "k0") == (True, b"0")
    await keep(caches, "new", b"new", 99)

    assert await found(caches, "k0") == (True, b"0")
    assert await found(caches, "k1") is None
    assert len(list(tmp_path.iterdir())) == 2 * MOST_CACHES


async def test_what_was_never_ended_is_removed(tmp_path: Path) -> None:
    caches = caches_in(tmp_path)
    await caches.begin_upload(request("k"))
    caches.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_note_that_makes_no_sense_is_passed_over(tmp_path: Path) -> None:
    await keep(caches_in(tmp_path), "k", b"x")
    (tmp_path / "other.json").write_text("{")
    assert await found(caches_in(tmp_path), "k") == (True, b"x")


async def test_a_folder_that_cannot_be_made_is_no_failure_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    answer = await caches_in(tmp_path / "file").begin_upload(request("k"))
    assert answer.refused is not None
    assert "cannot be written" in answer.refused


def test_caches_lie_where_the_user_keeps_such_things() -> None:
    folders = frozenset({Path("/shop")})
    default = cache_folder({"HOME": "/home/ada"}, folders)
    assert default.parent == Path("/home/ada/.cache/lineshaft/caches")
    said = cache_folder({"HOME": "/home/ada", "XDG_CACHE_HOME": "/var/cache"}, folders)
    assert said.parent == Path("/var/cache/lineshaft/caches")
    assert cache_folder({"XDG_CACHE_HOME": "relative", "HOME": "/home/ada"}, folders) == default
    assert cache_folder({"HOME": "/home/ada"}, frozenset({Path("/cart")})) != default


def test_a_second_run_here_finds_what_the_first_one_has_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name, value in isolated(tmp_path, "", "").items():
        monkeypatch.setenv(name, value)
    (tmp_path / "shop").mkdir()
    file = tmp_path / "shop" / "lineshaft.yml"
    file.write_text(
        "name: shop\nsteps:\n- name: a\n  run: mkdir -p deps; cat deps/list || true; echo kept > deps/list\n"
        "  cache: {key: k, paths: [deps]}\n"
    )
    lineshaft = CommandLine(capfdbinary)
    assert "a miss" in lineshaft("run", file, "--logs").out
    second = lineshaft("run", file, "--logs").out
    assert "a hit: 'k' (" in second
    assert "kept\n" in second


async def test_what_is_not_trusted_finds_caches_and_keeps_none(tmp_path: Path) -> None:
    trusted = caches_in(tmp_path)
    await keep(trusted, "deps-1", b"trusted")
    files = MemoryFiles()
    files.lease(MemoryLease(ADDRESS, "token"))
    untrusted = LocalCaches(files, tmp_path, keeps=False)

    answer = await untrusted.begin_upload(request("deps-2", 2))

    assert answer.refused is not None
    assert "not trusted" in answer.refused
    assert await found(untrusted, "deps-1") == (True, b"trusted")
    assert await found(untrusted, "deps-2") is None
    asked = CacheRequest(address=ADDRESS, token="token", key="deps-2", restore=("deps",))
    told = await untrusted.find_cache(asked)
    assert (told.writable, told.why_not) == (False, answer.refused)
