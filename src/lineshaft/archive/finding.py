"""Finding: the files that globs mean, one after the other in their names' order, and no link is followed."""

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lineshaft.archive.limits import DEEPEST, LONGEST_PATH_BYTES, MOST_ENTRIES
from lineshaft.archive.names import why_target_unsafe
from lineshaft.archive.path_rules import PathRules

FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_NAMED_AT_MOST: Final = 10
_SHOWN: Final = 200
_KINDS: Final = {
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class TooManyFilesError(Exception):
    """There are more files than one archive may have; the message is the end of a sentence."""


@dataclass(slots=True)
class LeftOut:
    """What was not taken along, and why: the first few by name, all others as a number.

    Attributes:
        sentences: each begins with a path.
        count: how many there are in all.
    """

    sentences: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, path: str, why: str) -> None:
        """Add a path; `why` is the end of a sentence that begins with it."""
        self.count += 1
        if len(self.sentences) < _NAMED_AT_MOST:
            self.sentences.append(f"{ascii(path)[1:-1][:_SHOWN]} {why}")

    def clear(self) -> None:
        """Forget all of it."""
        self.sentences.clear()
        self.count = 0

    def lines(self) -> list[str]:
        """Tell of all of it."""
        more = self.count - len(self.sentences)
        return [*self.sentences, *([f"and {more:,} more"] if more else [])]


@dataclass(frozen=True, slots=True)
class Found:
    """A file, a link or an empty folder; to be read before the next one is asked for.

    Attributes:
        path: relative to the workspace.
        name: the last part of it.
        folder: the open folder that it lies in.
        status: what it is.
        target: where a link leads; empty for all else.
        direct: whether it is meant by itself, and not for the folder that it lies in.
    """

    path: str
    name: str
    folder: int
    status: os.stat_result
    target: str = ""
    direct: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is a plain file."""
        return stat.S_ISREG(self.status.st_mode)


class Finding:
    """Finds files in one workspace."""

    def __init__(self, root: Path, rules: PathRules) -> None:
        """Look in a folder.

        Args:
            root: the folder; it is none that a task could have put a link to in its place.
            rules: what to find.
        """
        self.left_out = LeftOut()
        self._root = root
        self._rules = rules

    def __iter__(self) -> Iterator[Found]:
        """Find all of it, in the order of the names' bytes, with no more memory than one folder's names take.

        What cannot be read, or is no file, folder or link, is left out, and told of in `left_out`.

        Raises:
            OSError: the workspace itself cannot be read.
            TooManyFilesError: a folder has too many.
        """
        self.left_out.clear()
        root = os.open(self._root, FOLDER_FLAGS)
        try:
            yield from self._inside(root, "", whole=self._rules.everything, depth=0)
        finally:
            os.close(root)

    def _inside(self, folder: int, path: str, *, whole: bool, depth: int) -> Iterator[Found]:
        empty = True
        for name in self._names(folder, path, whole=whole):
            empty = False
            below = f"{path}/{name}" if path else name
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except OSError as error:
                self._cannot(below, error)
                continue
            meant = whole or self._rules.fits(below)
            if stat.S_ISDIR(status.st_mode):
                if meant or self._rules.lead_into(below):
                    yield from self._folder(folder, name, below, whole=meant, depth=depth + 1)
            elif meant:
                yield from self._leaf(Found(below, name, folder, status, direct=not whole), depth)
        if empty and whole and path:
            yield Found(path, "", folder, os.fstat(folder))

    def _names(self, folder: int, path: str, *, whole: bool) -> list[str]:
        prefix = f"{path}/" if path else ""
        names: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    # A folder may hold a million other files; only what is meant is remembered.
                    if whole or self._matters(prefix + entry.name, entry):
                        names.append(entry.name)
                    if len(names) > MOST_ENTRIES:
                        raise TooManyFilesError(f"has more than {MOST_ENTRIES:,} files in one folder")
        except OSError as error:
            self._cannot(path or ".", error)
        names.sort(key=os.fsencode)
        return names

    def _matters(self, path: str, entry: os.DirEntry[str]) -> bool:
        if self._rules.fits(path):
            return True
        return entry.is_dir(follow_symlinks=False) and self._rules.lead_into(path)

    def _folder(self, parent: int, name: str, path: str, *, whole: bool, depth: int) -> Iterator[Found]:
        if depth >= DEEPEST:
            self.left_out.add(path, f"lies more than {DEEPEST} folders deep")
            return
        try:
            folder = os.open(name, FOLDER_FLAGS, dir_fd=parent)
        except OSError as error:
            self._cannot(path, error)
            return
        try:
            yield from self._inside(folder, path, whole=whole, depth=depth)
        finally:
            with contextlib.suppress(OSError):
                os.close(folder)

    def _leaf(self, found: Found, depth: int) -> Iterator[Found]:
        try:
            size = len(found.path.encode())
        except UnicodeEncodeError:
            self.left_out.add(found.path, "has a name that is no UTF-8")
            return
        if size > LONGEST_PATH_BYTES:
            self.left_out.add(found.path, f"has a path of more than {LONGEST_PATH_BYTES:,} bytes")
        elif stat.S_ISREG(found.status.st_mode):
            yield found
        elif stat.S_ISLNK(found.status.st_mode):
            yield from self._link(found, depth)
        else:
            what = _KINDS.get(stat.S_IFMT(found.status.st_mode), "of an unknown kind")
            self.left_out.add(found.path, f"is {what}")

    def _link(self, found: Found, depth: int) -> Iterator[Found]:
        try:
            target = os.readlink(found.name, dir_fd=found.folder)
        except OSError as error:
            self._cannot(found.path, error)
            return
        try:
            target.encode()
        except UnicodeEncodeError:
            self.left_out.add(found.path, "is a link whose target is no UTF-8")
            return
        why = why_target_unsafe(depth, target)
        if why is None:
            yield Found(found.path, found.name, found.folder, found.status, target)
        else:
            self.left_out.add(found.path, why)

    def _cannot(self, path: str, error: OSError) -> None:
        self.left_out.add(path, f"cannot be read ({error.strerror})")
