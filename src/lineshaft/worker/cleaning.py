"""Cleaning a work tree: all that is not just as its checkout has left it goes."""

import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lineshaft.integrations.git.index import IndexEntry
from lineshaft.worker.removal import FOLDER_FLAGS, has_mounts, own_folder

_TOP_MODE: Final = 0o700
_SUBMODULE: Final = 0o160000
_LINK: Final = 0o120000
_LOW_BITS: Final = 0xFFFF_FFFF


class UncleanError(Exception):
    """A folder cannot be cleaned and is not to be used again; the message says why."""


@dataclass(frozen=True, slots=True)
class FolderForm:
    """What a folder looks like that git makes.

    Attributes:
        mode: its rights.
        owner: the user that it belongs to.
        group: the group that it belongs to.
        attributes: the names of its extended attributes.
    """

    mode: int
    owner: int
    group: int
    attributes: frozenset[str]

    @property
    def text(self) -> str:
        """The same in a line, which is equal for equal forms in any process."""
        return f"{self.mode:o} {self.owner}:{self.group} {','.join(sorted(self.attributes))}"

    @classmethod
    def below(cls, folder: Path) -> "FolderForm":
        """Find out by making one in a folder, and removing it."""
        probe = folder / f"probe-{secrets.token_hex(8)}"
        probe.mkdir()
        try:
            status = probe.stat()
            with _opened(probe) as opened:
                attributes = _attributes(opened)
            return cls(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, attributes)
        finally:
            probe.rmdir()


@contextmanager
def _opened(path: Path | str, parent: int | None = None) -> Iterator[int]:
    folder = os.open(path, FOLDER_FLAGS, dir_fd=parent)
    try:
        yield folder
    finally:
        os.close(folder)


@dataclass(slots=True)
class Cleaning:
    """One cleaning of one work tree, whose former task is dead.

    A file stays when its inode's change time, which no task can set, is that of the checkout and earlier than
    the task; so content, rights, owner and further links are those of then. All else goes: folders by being
    moved into the rubbish, whatever they hold, so that cleaning takes no longer for them.

    Attributes:
        folder: the work tree.
        entries: what its checkout has written.
        lent_ns: the file system's time when a task got it.
        form: that of its folders.
        rubbish: where folders go, on the same file system.
    """

    folder: Path
    entries: Mapping[str, IndexEntry]
    lent_ns: int
    form: FolderForm
    rubbish: Path
    _folders: set[str] = field(default_factory=set)
    _kept: dict[str, int] = field(default_factory=dict)
    _rubbish: int = -1

    def clean(self) -> bool:
        """Clean it.

        Returns:
            Whether nothing of the checkout is missing now.

        Raises:
            UncleanError: it cannot be cleaned.
        """
        if has_mounts(self.folder):
            raise UncleanError("something is mounted in it")
        for path in self.entries:
            self._note_parents(path)
        try:
            self._own_top()
            with _opened(self.rubbish) as rubbish, _opened(self.folder) as top:
                self._rubbish = rubbish
                kept = self._clean_all(top)
                self._remove_empty(top)
        except OSError as error:
            raise UncleanError(error.strerror or str(error)) from error
        return kept == len(self.entries)

    def _note_parents(self, path: str) -> None:
        parent = path.rpartition("/")[0]
        while parent and parent not in self._folders:
            self._folders.add(parent)
            parent = parent.rpartition("/")[0]

    def _own_top(self) -> None:
        status = self.folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != self.form.owner:
            raise UncleanError("another thing lies in its place")
        if stat.S_IMODE(status.st_mode) != _TOP_MODE:
            self.folder.chmod(_TOP_MODE)

    def _clean_all(self, top: int) -> int:
        """Clean folder by folder, and return how many entries are as they were."""
        waiting = [""]
        kept = 0
        while waiting:
            path = waiting.pop()
            with _opened(path or ".", top) as folder:
                for name in _attributes(folder) - self.form.attributes:
                    os.removexattr(folder, name)
                inner, files = self._clean_one(folder, f"{path}/" if path else "")
            self._kept[path] = len(inner) + files
            waiting += inner
            kept += files
        return kept

    def _clean_one(self, folder: int, prefix: str) -> tuple[list[str], int]:
        inner: list[str] = []
        kept = 0
        with os.scandir(folder) as entries:
            found = list(entries)
            for entry in found:
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if path in self._folders and self._is_ours(entry, folder):
                        inner.append(path)
                    elif self._is_submodule(path, entry, folder):
                        kept += 1
                    else:
                        self._throw_away(folder, entry.name)
                elif self._is_as_written(path, entry):
                    kept += 1
                else:
                    os.unlink(entry.name, dir_fd=folder)
        return inner, kept

    def _is_ours(self, entry: os.DirEntry[str], parent: int) -> bool:
        """Whether a folder belongs to whom it should; its rights are set to what they should be."""
        status = entry.stat(follow_symlinks=False)
        if (status.st_uid, status.st_gid) != (self.form.owner, self.form.group):
            return False
        if stat.S_IMODE(status.st_mode) != self.form.mode:
            os.chmod(entry.name, self.form.mode, dir_fd=parent)
        return True

    def _is_submodule(self, path: str, entry: os.DirEntry[str], parent: int) -> bool:
        """Whether a folder is the empty one that stands for a submodule."""
        facts = self.entries.get(path)
        if facts is None or facts.mode != _SUBMODULE or not self._is_ours(entry, parent):
            return False
        with _opened(entry.name, parent) as folder, os.scandir(folder) as inner:
            return next(inner, None) is None and _attributes(folder) <= self.form.attributes

    def _is_as_written(self, path: str, entry: os.DirEntry[str]) -> bool:
        facts = self.entries.get(path)
        if facts is None or facts.mode == _SUBMODULE:
            return False
        status = entry.stat(follow_symlinks=False)
        is_kind = stat.S_ISLNK if facts.mode == _LINK else stat.S_ISREG
        return (
            is_kind(status.st_mode)
            and status.st_ctime_ns == facts.changed_ns < self.lent_ns
            and status.st_mtime_ns == facts.modified_ns
            and status.st_ino & _LOW_BITS == facts.inode
            and status.st_size & _LOW_BITS == facts.size_bytes
        )

    def _throw_away(self, parent: int, name: str) -> None:
        own_folder(parent, name)
        os.rename(name, secrets.token_hex(16), src_dir_fd=parent, dst_dir_fd=self._rubbish)

    def _remove_empty(self, top: int) -> None:
        """Remove folders of which nothing is left: git makes those that the next commit has."""
        for path in reversed(self._kept):
            if path and not self._kept[path]:
                os.rmdir(path, dir_fd=top)
                self._kept[path.rpartition("/")[0]] -= 1


def _attributes(folder: int) -> frozenset[str]:
    return frozenset(os.listxattr(folder)) if sys.platform == "linux" else frozenset()
