import os
from pathlib import Path

import pytest

from git_server import git
from lfs_server import oid_of, pointer_to
from lineshaft.integrations.lfs.pointer import Pointer
from lineshaft.integrations.lfs.work_tree import (
    DamagedObjectError,
    PointerFile,
    Tracked,
    find_pointers,
    place,
)

CONTENT = b"content"
POINTER = Pointer(oid_of(CONTENT), len(CONTENT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a work tree with a folder in it."""
    made = tmp_path / "tree"
    (made / "deep").mkdir(parents=True)
    return made


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Keep an object."""
    path = tmp_path / "object"
    path.write_bytes(CONTENT)
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def blob_of(text: str, folder: Path, *options: str) -> str:
    git("init", "--quiet", *options, folder=folder)
    (folder / "blob").write_bytes(text.encode())
    return git("hash-object", "--no-filters", "blob", folder=folder)


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_pointer_is_found_whatever_ends_of_lines_it_has_got(
    folder: Path, options: tuple[str, ...], end: str
) -> None:
    text = pointer_to(CONTENT)
    blob = blob_of(text, folder, *options)
    (folder / "deep" / "a").write_bytes(text.replace("\n", end).encode())
    assert find_pointers(folder, [Tracked("deep/a", blob)]) == [PointerFile("deep/a", POINTER)]


def test_what_is_not_the_pointer_of_the_commit_is_none(folder: Path) -> None:
    blob = blob_of(pointer_to(CONTENT), folder)
    (folder / "a").write_text(pointer_to(b"other"))
    (folder / "b").write_text(pointer_to(CONTENT) * 30)
    assert find_pointers(folder, [Tracked(path, blob) for path in ("a", "b", "missing", "deep")]) == []


def test_no_pointer_is_read_over_a_link_or_from_a_pipe(folder: Path) -> None:
    text = pointer_to(CONTENT)
    blob = blob_of(text, folder)
    (folder / "deep" / "a").write_text(text)
    (folder / "way").symlink_to("deep")
    (folder / "link").symlink_to("deep/a")
    os.mkfifo(folder / "pipe")
    paths = ("way/a", "link", "pipe", "deep/../deep/x")
    assert find_pointers(folder, [Tracked(path, blob) for path in paths]) == []


def test_an_object_comes_into_its_place_with_the_pointers_rights_and_older_than_now(
    folder: Path, kept: Path
) -> None:
    (folder / "deep" / "a").write_text("pointer")
    (folder / "deep" / "a").chmod(0o755)
    status = place(folder, PointerFile("deep/a", POINTER), kept)
    assert (folder / "deep" / "a").read_bytes() == CONTENT
    found = (folder / "deep" / "a").stat()
    assert (status.st_ino, status.st_ctime_ns) == (found.st_ino, found.st_ctime_ns)
    assert status.st_mode & 0o7777 == 0o755
    assert status.st_mtime_ns == found.st_mtime_ns <= found.st_ctime_ns - 2 * 10**9
    assert status.st_nlink == 1
    assert names_in(folder / "deep") == ["a"]


@pytest.mark.parametrize("content", [b"damaged", b"contentmore", b"cont", b""])
def test_a_damaged_object_leaves_the_pointer_where_it_is(folder: Path, kept: Path, content: bytes) -> None:
    (folder / "a").write_text("pointer")
    kept.write_bytes(content)
    with pytest.raises(DamagedObjectError) as caught:
        place(folder, PointerFile("a", POINTER), kept)
    assert caught.value.pointer == POINTER
    assert (folder / "a").read_text() == "pointer"
    assert names_in(folder) == ["a", "deep"]


def test_an_object_that_is_gone_counts_as_damaged(folder: Path, kept: Path) -> None:
    (folder / "a").write_text("pointer")
    kept.unlink()
    with pytest.raises(DamagedObjectError):
        place(folder, PointerFile("a", POINTER), kept)


@pytest.mark.parametrize("path", ["way/a", "link", "deep"])
def test_nothing_is_written_over_a_link_or_in_the_place_of_another_thing(
    folder: Path, kept: Path, tmp_path: Path, path: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_text("mine")
    (folder / "way").symlink_to(outside)
    (folder / "link").symlink_to(outside / "a")
    with pytest.raises(OSError, match=r".+"):
        place(folder, PointerFile(path, POINTER), kept)
    assert (outside / "a").read_text() == "mine"
    assert names_in(outside) == ["a"]
    assert (folder / "link").is_symlink()
