import os
from pathlib import Path

import pytest

from lfs_server import oid_of
from lineshaft.integrations.lfs.object_store import ObjectStore, Shelf
from lineshaft.integrations.lfs.pointer import Pointer


def pointer_of(content: bytes) -> Pointer:
    return Pointer(oid_of(content), len(content))


def keep(shelf: Shelf, content: bytes, *, age_seconds: int = 0) -> Path:
    """Put an object on a shelf, last used so long ago."""
    pointer = pointer_of(content)
    with shelf.arriving(pointer) as arriving:
        arriving.write(content)
        assert arriving.keep()
    path = shelf.path_of(pointer)
    os.utime(path, (10**9 - age_seconds,) * 2)
    return path


def test_an_object_that_has_come_is_there(tmp_path: Path) -> None:
    shelf = ObjectStore(tmp_path / "lfs", 100).shelf("one")
    assert not shelf.has(pointer_of(b"a"))
    assert keep(shelf, b"a").read_bytes() == b"a"
    assert shelf.has(pointer_of(b"a"))


def test_one_that_was_cut_short_is_not_there(tmp_path: Path) -> None:
    shelf = ObjectStore(tmp_path / "lfs", 100).shelf("one")
    keep(shelf, b"long").write_bytes(b"lon")
    assert not shelf.has(pointer_of(b"long"))


@pytest.mark.parametrize("content", [b"", b"lon", b"song", b"longer"])
def test_what_is_not_the_object_is_not_kept(tmp_path: Path, content: bytes) -> None:
    store = ObjectStore(tmp_path / "lfs", 100)
    with store.shelf("one").arriving(pointer_of(b"long")) as arriving:
        arriving.write(content)
        assert not arriving.keep()
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_one_shelf_does_not_give_what_another_has(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "lfs", 100)
    keep(store.shelf("one"), b"a")
    assert not store.shelf("two").has(pointer_of(b"a"))


def test_what_was_used_least_lately_goes_first(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "lfs", 8)
    old = keep(store.shelf("one"), b"1111", age_seconds=30)
    older = keep(store.shelf("two"), b"2222", age_seconds=60)
    new = keep(store.shelf("one"), b"3333")
    assert store.shelf("two").has(pointer_of(b"2222"))
    store.tidy()
    assert [path.exists() for path in (old, older, new)] == [False, True, True]


def test_what_is_in_use_stays_whatever_the_bound_is(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "lfs", 0)
    used, other = keep(store.shelf("one"), b"used", age_seconds=60), keep(store.shelf("one"), b"other")
    with store.in_use([used]), store.in_use([used]):
        store.tidy()
        assert [path.exists() for path in (used, other)] == [True, False]
    store.tidy()
    assert not used.exists()


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    kept = keep(ObjectStore(tmp_path / "lfs", 100).shelf("one"), b"kept")
    left = tmp_path / "lfs" / "unfinished" / "left"
    left.write_bytes(b"half")
    ObjectStore(tmp_path / "lfs", 100)
    assert kept.exists()
    assert not left.exists()
