import os
import stat
from pathlib import Path

import pytest

from git_server import git
from lineshaft.integrations.git.index import UnreadableIndexError, attributes_of, read_index, with_status


def index_of(folder: Path, *options: str) -> bytes:
    """Add some files to a new repository, and return its index."""
    git("init", "--quiet", *options, folder=folder)
    (folder / "deep").mkdir()
    (folder / "deep" / ("n" * 200)).write_text("text")
    (folder / "program").write_text("#!/bin/sh\n")
    (folder / "program").chmod(0o755)
    (folder / "link").symlink_to("deep")
    (folder / "\udcff\n").write_text("")
    (folder / "deep" / ".gitattributes").write_text("* text\n")
    git("add", "--all", folder=folder)
    return (folder / ".git" / "index").read_bytes()


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
def test_the_entries_tell_what_lstat_says_of_the_files(tmp_path: Path, options: tuple[str, ...]) -> None:
    entries = read_index(index_of(tmp_path, *options))
    assert sorted(entries) == ["deep/.gitattributes", "deep/" + "n" * 200, "link", "program", "\udcff\n"]
    for path, entry in entries.items():
        status = (tmp_path / path).lstat()
        assert stat.S_IFMT(entry.mode) == stat.S_IFMT(status.st_mode)
        assert (entry.changed_ns, entry.modified_ns) == (status.st_ctime_ns, status.st_mtime_ns)
        assert (entry.inode, entry.size_bytes) == (status.st_ino & 0xFFFF_FFFF, status.st_size)
    assert entries["program"].mode == 0o100755


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
def test_an_index_that_is_told_of_files_anew_is_one_to_git(tmp_path: Path, options: tuple[str, ...]) -> None:
    before = index_of(tmp_path, *options)
    (tmp_path / "program").write_text("another content\n")
    os.utime(tmp_path / "program", ns=(10**18, 10**18 + 1))
    told = {path: (tmp_path / path).lstat() for path in ("program", "deep/.gitattributes")}
    (tmp_path / ".git" / "index").write_bytes(with_status(before, {**told, "other": told["program"]}))
    assert git("status", "--porcelain", folder=tmp_path).splitlines() == [
        f"A  deep/{name}" for name in (".gitattributes", "n" * 200)
    ] + ["A  link", "A  program", 'A  "\\377\\n"']
    assert git("fsck", folder=tmp_path) == ""


def test_what_is_no_index_is_told_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnreadableIndexError):
        with_status(b"DIRC", {})
    with pytest.raises(UnreadableIndexError):
        with_status(index_of(tmp_path)[:200], {})


def test_the_object_id_is_that_of_the_content(tmp_path: Path) -> None:
    entries = read_index(index_of(tmp_path))
    assert entries["program"].object_id.hex() == git("rev-parse", ":program", folder=tmp_path)


def test_files_of_attributes_are_found_wherever_they_are(tmp_path: Path) -> None:
    assert list(attributes_of(index_of(tmp_path))) == ["deep/.gitattributes"]


@pytest.mark.parametrize("kept", [0, 4, 12, 60, 200])
def test_a_piece_of_an_index_is_refused(tmp_path: Path, kept: int) -> None:
    with pytest.raises(UnreadableIndexError):
        read_index(index_of(tmp_path)[:kept])


def test_another_version_is_refused(tmp_path: Path) -> None:
    index_of(tmp_path)
    git("update-index", "--index-version", "4", folder=tmp_path)
    with pytest.raises(UnreadableIndexError):
        read_index((tmp_path / ".git" / "index").read_bytes())


def test_what_is_no_index_is_refused() -> None:
    with pytest.raises(UnreadableIndexError):
        read_index(os.urandom(4000))
