"""Archives that are written while files are read, as other programs read them."""

import io
import os
import stat
import tarfile
import tracemalloc
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from lineshaft.archive import (
    FileChangedError,
    Finding,
    LeftOut,
    Limits,
    PathRules,
    TooManyFilesError,
    extract,
    packed_tar,
    packed_zip,
    single_file,
)
from lineshaft.archive.finding import Found
from lineshaft.archive.limits import CHUNK_BYTES
from lineshaft.archive.opened import counted
from lineshaft.archive.zip_reading import ZipReader
from lineshaft.archive.zstandard import zstd
from lineshaft.model.artifact import ContentFormat

LARGE = 3 * CHUNK_BYTES + 17


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


def finding(root: Path) -> Finding:
    return Finding(root, PathRules(["."]))


def zipped(root: Path) -> bytes:
    files = finding(root)
    return b"".join(packed_zip(files, files.left_out))


def tarred(root: Path) -> bytes:
    files = finding(root)
    return b"".join(packed_tar(files, files.left_out))


def test_other_programs_read_what_is_written(root: Path) -> None:
    (root / "large").write_bytes(os.urandom(LARGE))
    (root / "small").write_bytes(b"small")
    (root / "ü").mkdir()
    (root / "link").symlink_to("small")
    with zipfile.ZipFile(io.BytesIO(zipped(root))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["large", "link", "small", "ü/"]
        assert archive.read("large") == (root / "large").read_bytes()
        assert stat.S_ISLNK(archive.getinfo("link").external_attr >> 16)
    with tarfile.open(fileobj=io.BytesIO(zstd.decompress(tarred(root)))) as tar:
        assert tar.getnames() == ["large", "link", "small", "ü"]
        large = tar.extractfile("large")
        assert large is not None
        assert large.read() == (root / "large").read_bytes()
        assert tar.getmember("link").linkname == "small"
        assert {(member.uid, member.uname) for member in tar.getmembers()} == {(0, "")}


def test_the_same_files_give_the_same_bytes_whatever_order_they_were_made_in(tmp_path: Path) -> None:
    names = ["b", "a", "c/d"]
    made = []
    for number, order in enumerate((names, names[::-1])):
        root = tmp_path / str(number)
        for name in order:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)
            os.utime(root / name, (number, 1_000_000_000))
        made.append((tarred(root), zipped(root)))
    assert made[0] == made[1]


def test_times_of_caches_come_back_to_the_second(root: Path, tmp_path: Path) -> None:
    (root / "a").write_text("x")
    os.utime(root / "a", (1, 1_234_567_890.75))
    (tmp_path / "archive").write_bytes(tarred(root))
    (tmp_path / "target").mkdir()
    extract(tmp_path / "archive", ContentFormat.TAR_ZSTD, tmp_path / "target")
    assert (tmp_path / "target/a").stat().st_mtime == 1_234_567_890


@pytest.mark.parametrize("when", [0, 10**12])
def test_times_that_a_zip_archive_cannot_tell_do_no_harm(root: Path, when: int) -> None:
    (root / "a").write_text("x")
    os.utime(root / "a", (when, when))
    assert zipfile.ZipFile(io.BytesIO(zipped(root))).testzip() is None


def test_what_grows_while_it_is_read_is_taken_as_it_was(root: Path, tmp_path: Path) -> None:
    path = root / "log"
    path.write_bytes(bytes(LARGE))
    files = finding(root)
    pieces = [_grow(piece, path) for piece in packed_zip(files, files.left_out)]
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert archive.getinfo("log").file_size == LARGE
    (tmp_path / "archive").write_bytes(b"".join(pieces))
    (tmp_path / "target").mkdir()
    assert extract(tmp_path / "archive", ContentFormat.ZIP, tmp_path / "target") == 1


def _grow(piece: bytes, path: Path) -> bytes:
    with path.open("ab") as file:
        file.write(b"more")
    return piece


def test_what_becomes_shorter_leaves_a_sound_zip_archive_and_is_told(root: Path) -> None:
    path = root / "log"
    path.write_bytes(bytes(LARGE))
    files = finding(root)
    pieces = []
    for piece in packed_zip(files, files.left_out):
        pieces.append(piece)
        os.truncate(path, CHUNK_BYTES + 5)
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert archive.getinfo("log").file_size == CHUNK_BYTES + 5
    assert files.left_out.sentences == ["log became shorter while it was read"]


def test_no_cache_is_made_of_what_becomes_shorter(root: Path) -> None:
    path = root / "log"
    path.write_bytes(os.urandom(LARGE))
    files = finding(root)
    with pytest.raises(FileChangedError, match="'log' became shorter"):
        _read_while_it_shrinks(packed_tar(files, files.left_out), path)


def test_no_file_is_kept_that_becomes_shorter(root: Path) -> None:
    path = root / "log"
    path.write_bytes(bytes(LARGE))
    for found in finding(root):
        with pytest.raises(FileChangedError):
            _read_while_it_shrinks(single_file(found), path)


def _read_while_it_shrinks(pieces: Iterator[bytes], path: Path) -> None:
    for _ in pieces:
        os.truncate(path, 1)


@pytest.mark.parametrize("exchange", ["link", "pipe", "nothing"])
@pytest.mark.parametrize("pack", [packed_zip, packed_tar])
def test_what_is_exchanged_before_it_is_read_is_left_out(
    root: Path, tmp_path: Path, exchange: str, pack: Callable[[Iterable[Found], LeftOut], Iterator[bytes]]
) -> None:
    (tmp_path / "secret").write_text("secret")
    (root / "b").write_text("y")
    files = finding(root)
    data = b"".join(pack(_exchanged(files, root / "b", tmp_path / "secret", exchange), files.left_out))
    assert b"secret" not in (data if pack is packed_zip else zstd.decompress(data))
    assert files.left_out.count == 1


def _exchanged(files: Finding, path: Path, secret: Path, exchange: str) -> Iterator[Found]:
    for found in files:
        path.unlink()
        if exchange == "link":
            path.symlink_to(secret)
        elif exchange == "pipe":
            os.mkfifo(path)
        yield found


def test_an_archive_may_have_more_entries_than_16_bits_can_count(root: Path, tmp_path: Path) -> None:
    (root / "a").symlink_to("b")
    files = finding(root)
    many = (replace(found, path=f"f{number}") for found in files for number in range(70_000))
    path = tmp_path / "archive"
    path.write_bytes(b"".join(packed_zip(many, files.left_out)))
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 70_000
    with path.open("rb") as file:
        assert sum(1 for _ in ZipReader(file.fileno(), Limits()).entries()) == 70_000


def test_more_files_than_an_archive_may_have_are_refused(root: Path) -> None:
    (root / "a").symlink_to("b")
    files = finding(root)
    endless = (found for found in files for _ in count())
    with pytest.raises(TooManyFilesError, match="250,000"):
        deque(counted(endless), maxlen=0)


def test_memory_does_not_grow_with_what_is_packed(root: Path) -> None:
    with (root / "large").open("wb") as file:
        file.truncate(64 * CHUNK_BYTES)
    for pack in (packed_zip, packed_tar):
        files = finding(root)
        tracemalloc.start()
        for _ in pack(files, files.left_out):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * CHUNK_BYTES
