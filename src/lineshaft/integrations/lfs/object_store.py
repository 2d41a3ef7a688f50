"""Objects that were fetched, kept for later checkouts: a shelf for each mirror, a bound for them all."""

import hashlib
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from lineshaft.integrations.lfs.pointer import Pointer

_MODE: Final = 0o700
_UNFINISHED: Final = "unfinished"


class ObjectStore:
    """Keeps objects below one folder, which is this process's alone."""

    def __init__(self, root: Path, most_bytes: int) -> None:
        """Use a folder, which is made when it is not there; what a killed process was writing is removed.

        Args:
            root: the folder.
            most_bytes: how much may stay there that nobody uses.
        """
        self.root: Final = root
        self._most_bytes: Final = most_bytes
        self._unfinished: Final = root / _UNFINISHED
        self._used: Final[Counter[Path]] = Counter()
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.mkdir(mode=_MODE, parents=True)

    def shelf(self, name: str) -> "Shelf":
        """Return what is kept for one mirror: what a repository keeps is for those who may read it."""
        return Shelf(self.root / name, self._unfinished)

    @contextmanager
    def in_use(self, paths: Iterable[Path]) -> Iterator[None]:
        """Keep objects from being removed, those too that are not there yet."""
        used = tuple(paths)
        self._used.update(used)
        try:
            yield
        finally:
            self._used.subtract(used)
            for path in used:
                if not self._used[path]:
                    del self._used[path]

    def tidy(self, most_bytes: int | None = None) -> None:
        """Remove objects that nobody uses, those first that were used least lately, until the rest is little.

        Args:
            most_bytes: what may stay; None means what the store was made for.
        """
        found: list[tuple[int, int, Path]] = []
        for path in self.root.glob("*/??/*"):
            # Another tidying may be at work.
            with suppress(FileNotFoundError):
                status = path.lstat()
                found.append((status.st_mtime_ns, status.st_size, path))
        most = self._most_bytes if most_bytes is None else most_bytes
        left = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if left <= most:
                return
            # Looked up in this order, so that one that has just come into use stays.
            if path not in self._used:
                path.unlink(missing_ok=True)
                left -= size


class Shelf:
    """The objects of one mirror."""

    def __init__(self, folder: Path, unfinished: Path) -> None:
        """Use a folder, which is made with the first object."""
        self._folder: Final = folder
        self._unfinished: Final = unfinished

    def path_of(self, pointer: Pointer) -> Path:
        """Tell where an object is, or would be."""
        return self._folder / pointer.oid[:2] / pointer.oid

    def has(self, pointer: Pointer) -> bool:
        """Tell whether an object is there, and note that it is used now."""
        path = self.path_of(pointer)
        try:
            if path.lstat().st_size != pointer.size_bytes:
                return False
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def discard(self, pointer: Pointer) -> None:
        """Remove an object that is not what it should be."""
        self.path_of(pointer).unlink(missing_ok=True)

    @contextmanager
    def arriving(self, pointer: Pointer) -> Iterator["Arriving"]:
        """Take an object in, which is gone at the end unless `Arriving.keep` was called.

        Raises:
            OSError: there is no room for it.
        """
        unfinished = self._unfinished / secrets.token_hex(16)
        try:
            with unfinished.open("xb") as file:
                yield Arriving(file, unfinished, self.path_of(pointer), pointer)
        finally:
            unfinished.unlink(missing_ok=True)


class Arriving:
    """An object that is on its way into the store.

    Attributes:
        size_bytes: how much of it has come.
    """

    def __init__(self, file: IO[bytes], unfinished: Path, target: Path, pointer: Pointer) -> None:
        """Begin with nothing."""
        self._file: Final = file
        self._from: Final = unfinished
        self._to: Final = target
        self._pointer: Final = pointer
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, piece: bytes) -> None:
        """Add what comes next.

        Raises:
            OSError: there is no room for it.
        """
        self._digest.update(piece)
        self.size_bytes += len(piece)
        self._file.write(piece)

    @property
    def whole(self) -> bool:
        """Whether as many bytes have come as it has."""
        return self.size_bytes == self._pointer.size_bytes

    def keep(self) -> bool:
        """Have it in the store from now on; answers whether it is what its pointer says.

        Raises:
            OSError: there is no room for it.
        """
        if not self.whole or self._digest.hexdigest() != self._pointer.oid:
            return False
        self._file.flush()
        self._to.parent.mkdir(mode=_MODE, parents=True, exist_ok=True)
        self._from.rename(self._to)
        return True
