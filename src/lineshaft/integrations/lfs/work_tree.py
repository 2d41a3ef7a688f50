"""The files of a work tree that are pointers, and the content in their place.

Every folder on the way to a file is opened without following a link, so that nothing is read or written
outside of the work tree.
"""

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from lineshaft.integrations.lfs.pointer import LONGEST_BYTES, Pointer, read_pointer

PIECE_BYTES: Final = 1024 * 1024

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe in a file's place must not hold anybody up.
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLDER_NS: Final = 2_000_000_000
_HASHES: Final = {40: "sha1", 64: "sha256"}


class DamagedObjectError(Exception):
    """What is kept of an object is not its content.

    Attributes:
        pointer: names the object.
    """

    def __init__(self, pointer: Pointer) -> None:
        """Name the object."""
        super().__init__(pointer.oid)
        self.pointer: Final = pointer


@dataclass(frozen=True, slots=True)
class Tracked:
    """A file that the attributes of its repository give to Git LFS.

    Attributes:
        path: in the work tree, as `os.fsdecode` spells it.
        blob: git's id of what the commit has there.
    """

    path: str
    blob: str


@dataclass(frozen=True, slots=True)
class PointerFile:
    """A file of the work tree that is a pointer as yet.

    Attributes:
        path: in the work tree.
        pointer: what it says.
    """

    path: str
    pointer: Pointer


def find_pointers(folder: Path, tracked: Iterable[Tracked]) -> list[PointerFile]:
    """Find the files that are the pointers of their commit; others have their content, or never had pointers.

    Args:
        folder: the work tree.
        tracked: where they may be.
    """
    found = []
    for each in tracked:
        data = _short_content(folder, each.path)
        pointer = None if data is None else _pointer_of(data, each.blob)
        if pointer is not None:
            found.append(PointerFile(each.path, pointer))
    return found


def place(folder: Path, file: PointerFile, content: Path) -> os.stat_result:
    """Put a copy of an object in its pointer's place, with the pointer's rights.

    It is dated back by two seconds: a file that is as young as an index is compared with it by its content.

    Args:
        folder: the work tree.
        file: the pointer.
        content: where the object is kept; it is checked while it is copied.

    Returns:
        What stat(2) says of the file.

    Raises:
        DamagedObjectError: it is not what the pointer says.
        OSError: it cannot be written.
    """
    unfinished = f".lfs-{secrets.token_hex(8)}"
    with _parent(folder, file.path) as (parent, name):
        before = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISREG(before.st_mode):
            raise OSError("another thing lies in the place of a file")
        with (
            _opened_object(content, file.pointer) as source,
            os.fdopen(os.open(unfinished, _NEW, 0o600, dir_fd=parent), "wb") as target,
        ):
            try:
                _copy(source, target, file.pointer)
                os.fchmod(target.fileno(), stat.S_IMODE(before.st_mode))
                older = os.fstat(target.fileno()).st_mtime_ns - _OLDER_NS
                os.utime(target.fileno(), ns=(older, older))
                os.rename(unfinished, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(unfinished, dir_fd=parent)
                raise
        return os.stat(name, dir_fd=parent, follow_symlinks=False)


def _copy(source: IO[bytes], target: IO[bytes], pointer: Pointer) -> None:
    digest, size = hashlib.sha256(), 0
    while piece := source.read(PIECE_BYTES):
        digest.update(piece)
        size += len(piece)
        if size > pointer.size_bytes:
            break
        target.write(piece)
    if size != pointer.size_bytes or digest.hexdigest() != pointer.oid:
        raise DamagedObjectError(pointer)
    target.flush()


@contextmanager
def _opened_object(path: Path, pointer: Pointer) -> Iterator[IO[bytes]]:
    try:
        opened = os.open(path, _READ)
    except FileNotFoundError as error:
        raise DamagedObjectError(pointer) from error
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise DamagedObjectError(pointer)
        yield file


def _short_content(folder: Path, path: str) -> bytes | None:
    """Read a file that may be a pointer; None where there is none, or it is too long."""
    try:
        with (
            _parent(folder, path) as (parent, name),
            os.fdopen(os.open(name, _READ, dir_fd=parent), "rb") as file,
        ):
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > 2 * LONGEST_BYTES:
                return None
            return file.read(2 * LONGEST_BYTES)
    except OSError:
        return None


def _pointer_of(data: bytes, blob: str) -> Pointer | None:
    """Read what the commit has in a file's place, which may have got other ends of lines; None if it is not.

    An object may look like a pointer, too, and must not be taken for one where it is in its place already.
    """
    text = data.replace(b"\r\n", b"\n")
    if _blob_id(text, blob) != blob:
        return None
    return read_pointer(text)


def _blob_id(data: bytes, like: str) -> str:
    digest = hashlib.new(_HASHES[len(like)], usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    return digest.hexdigest()


@contextmanager
def _parent(folder: Path, path: str) -> Iterator[tuple[int, str]]:
    """Open the folder that a file is in; gives its descriptor and the file's name in it."""
    *parts, name = path.split("/")
    current = os.open(folder, _FOLDER)
    try:
        for part in parts:
            inner = os.open(part, _FOLDER, dir_fd=current)
            os.close(current)
            current = inner
        yield current, name
    finally:
        os.close(current)
