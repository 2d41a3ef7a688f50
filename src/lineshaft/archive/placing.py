"""Placing: what was unpacked goes to where it belongs, by renaming, and no link is followed on the way."""

import os
import stat
from collections.abc import Iterator

from lineshaft.archive.entry import refusal
from lineshaft.archive.finding import FOLDER_FLAGS


def place(source: int, destination: int) -> None:
    """Move all that is in one folder into another, on the same file system, and leave the first one empty.

    Folders that are in both become one; files and links of the destination are replaced. All of it is looked
    at before the first thing is moved.

    Args:
        source: an open folder in which there are files, links and folders alone.
        destination: an open folder; nobody else may be at work in either of them.

    Raises:
        ArchiveRefusedError: in the destination something else is in a folder's place, or a folder is in the
            place of something else; nothing was moved.
        OSError: something could not be moved.
    """
    for path, name, new, there in _pairs(source, destination, ""):
        _check(f"{path}{name}", new, there)
    _move(source, destination)


def _pairs(
    source: int, destination: int, path: str
) -> Iterator[tuple[str, str, os.stat_result, os.stat_result]]:
    """Name what is in both, folder by folder."""
    for name, new, there in _both(source, destination):
        yield path, name, new, there
        if stat.S_ISDIR(new.st_mode) and stat.S_ISDIR(there.st_mode):
            inner, below = _opened(name, source), -1
            try:
                below = _opened(name, destination)
                yield from _pairs(inner, below, f"{path}{name}/")
            finally:
                _close(inner, below)


def _both(source: int, destination: int) -> Iterator[tuple[str, os.stat_result, os.stat_result]]:
    for name in os.listdir(source):
        try:
            there = os.stat(name, dir_fd=destination, follow_symlinks=False)
        except FileNotFoundError:
            continue
        yield name, os.stat(name, dir_fd=source, follow_symlinks=False), there


def _check(path: str, new: os.stat_result, there: os.stat_result) -> None:
    if stat.S_ISDIR(new.st_mode) == stat.S_ISDIR(there.st_mode):
        return
    if stat.S_ISLNK(there.st_mode):
        raise refusal(path, "is a folder, in whose place there is a link")
    if stat.S_ISDIR(there.st_mode):
        raise refusal(path, "is no folder, and there is one in its place")
    raise refusal(path, "is a folder, in whose place there is a file")


def _move(source: int, destination: int) -> None:
    merged = [name for name, new, _ in _both(source, destination) if stat.S_ISDIR(new.st_mode)]
    for name in merged:
        inner, below = _opened(name, source), -1
        try:
            below = _opened(name, destination)
            _move(inner, below)
        finally:
            _close(inner, below)
        os.rmdir(name, dir_fd=source)
    for name in os.listdir(source):
        os.rename(name, name, src_dir_fd=source, dst_dir_fd=destination)


def _opened(name: str, parent: int) -> int:
    return os.open(name, FOLDER_FLAGS, dir_fd=parent)


def _close(*folders: int) -> None:
    for folder in folders:
        if folder >= 0:
            os.close(folder)
