"""Removing what a task has left: no link is followed, nothing is opened but folders, no depth is too much."""

import logging
import os
import secrets
import stat
from pathlib import Path
from typing import Final

FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""With which a folder is opened, and anything else is not."""

_LOG: Final = logging.getLogger("lineshaft.worker")
_ALL: Final = 0o700
_MOUNTS: Final = Path("/proc/self/mountinfo")
_MOUNT_POINT: Final = 4
_DEEPEST: Final = 40
"""How many folders are open at once at most; what lies deeper is moved up first."""


def remove_tree(path: Path) -> bool:
    """Remove a file, a link, or a folder with all that is in it, as far as that is possible.

    Rights that a task has taken away from its own folders are taken back. What is mounted below stays as it
    is, and with it the whole folder. Nobody may be at work in there.

    Returns:
        Whether nothing is left.
    """
    if has_mounts(path):
        _LOG.warning("%s is not removed, since something is mounted in it.", path)
        return False
    try:
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return not os.path.lexists(path)
    try:
        _remove(parent, path.name)
    finally:
        os.close(parent)
    if not os.path.lexists(path):
        return True
    _LOG.warning("%s cannot be removed wholly; it is tried again when the worker starts.", path)
    return False


def has_mounts(folder: Path) -> bool:
    """Whether something is mounted on a folder or below it."""
    try:
        table = _MOUNTS.read_bytes()
    except OSError:
        return False
    place = os.fsencode(folder.parent.resolve() / folder.name)
    # Most tables do not know of the folder at all; spaces and the like are written in another way there.
    if b"\\" not in place and not any(each in place for each in b" \t\n") and place not in table:
        return False
    points = (_plain(line.split(b" ")[_MOUNT_POINT]) for line in table.splitlines())
    return any(point == place or point.startswith(place + b"/") for point in points)


def _plain(point: bytes) -> bytes:
    for escaped, character in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        point = point.replace(escaped, character)
    return point


def _remove(parent: int, name: str) -> bool:
    """Remove an entry of a folder, as far as that is possible; tell whether that changed anything."""
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)
            return True
        folder = _open(parent, name)
    except OSError:
        return False
    try:
        changed = False
        while _empty(folder, folder, 0):
            changed = True
    finally:
        os.close(folder)
    return _rmdir(parent, name) or changed


def _empty(folder: int, top: int, depth: int) -> bool:
    """Remove what is in a folder, and move up to the top what lies too deep.

    Returns:
        Whether that changed anything, so that another pass may find more.
    """
    changed = False
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.name, dir_fd=folder)
                    changed = True
                elif depth < _DEEPEST:
                    changed = _empty_inner(folder, entry.name, top, depth) or changed
                else:
                    own_folder(folder, entry.name)
                    os.rename(entry.name, secrets.token_hex(16), src_dir_fd=folder, dst_dir_fd=top)
                    changed = True
            except OSError:
                continue
    return changed


def _empty_inner(folder: int, name: str, top: int, depth: int) -> bool:
    inner = _open(folder, name)
    try:
        changed = _empty(inner, top, depth + 1)
    finally:
        os.close(inner)
    return _rmdir(folder, name) or changed


def _open(parent: int, name: str) -> int:
    own_folder(parent, name)
    return os.open(name, FOLDER_FLAGS, dir_fd=parent)


def own_folder(parent: int, name: str) -> None:
    """Take the right back to read a folder, to write in it, and to move it.

    Args:
        parent: the open folder that it lies in.
        name: which is that of a folder, and of no link.

    Raises:
        OSError: it is another user's.
    """
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if status.st_mode & _ALL != _ALL:
        os.chmod(name, _ALL, dir_fd=parent)


def _rmdir(parent: int, name: str) -> bool:
    try:
        os.rmdir(name, dir_fd=parent)
    except OSError:
        return False
    return True
