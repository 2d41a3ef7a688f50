"""A build's context as a tar stream, packed while it is sent."""

import asyncio
import os
import secrets
import stat
import tarfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.docker.ignore import Ignore

_PIECE_BYTES: Final = 1 << 20
_END: Final = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to pack.

    Attributes:
        path: where it is.
        name: its path in the context.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a build is sent.

    Attributes:
        folder: the context.
        dockerfile: the Dockerfile's path in the stream.
        beside: the Dockerfile, where it is not in the folder.
        ignore: what is left out; never the Dockerfile.
    """

    folder: Path
    dockerfile: str
    beside: Entry | None
    ignore: Ignore

    def entries(self) -> Iterator[Entry]:
        """List what is packed: files, folders and links, each folder before what is in it."""
        if self.beside is not None:
            yield self.beside
        yield from self._entries_of("")

    def _entries_of(self, prefix: str) -> Iterator[Entry]:
        waiting = [prefix]
        while waiting:
            inside = waiting.pop()
            with os.scandir(self.folder / inside) as found:
                children = sorted(found, key=lambda child: child.name)
            for child in children:
                name = f"{inside}/{child.name}" if inside else child.name
                left_out = name != self.dockerfile and self.ignore.leaves_out(name)
                if not left_out:
                    yield Entry(Path(child.path), name)
                if child.is_dir(follow_symlinks=False) and self._may_hold_more(name, left_out=left_out):
                    waiting.append(name)

    def _may_hold_more(self, folder: str, *, left_out: bool) -> bool:
        return not left_out or self.ignore.brings_back or self.dockerfile.startswith(f"{folder}/")

    async def pieces(self) -> AsyncIterator[bytes]:
        """Pack, as far as somebody takes the pieces. Files are read in threads."""
        packing = self._packed()
        while (piece := await asyncio.to_thread(next, packing, None)) is not None:
            yield piece

    def _packed(self) -> Iterator[bytes]:
        gathered = bytearray()
        for entry in self.entries():
            for part in _parts_of(entry):
                gathered += part
                if len(gathered) >= _PIECE_BYTES:
                    yield bytes(gathered)
                    gathered.clear()
        yield bytes(gathered + _END)


def pack(folder: Path, dockerfile: Path, ignore: Ignore) -> Context:
    """Make the context of a build.

    Args:
        folder: the context, a real path.
        dockerfile: the Dockerfile, a real path; where it is not in the folder, it is sent besides.
        ignore: what is left out.
    """
    if dockerfile.is_relative_to(folder):
        return Context(folder, dockerfile.relative_to(folder).as_posix(), None, ignore)
    name = f".dockerfile.{secrets.token_hex(8)}"
    return Context(folder, name, Entry(dockerfile, name), ignore)


def _parts_of(entry: Entry) -> Iterator[bytes]:
    """Pack one entry as it is now; owners are nobody's, and what is no file, folder or link is left out."""
    status = entry.path.lstat()
    header = tarfile.TarInfo(entry.name)
    header.mode = stat.S_IMODE(status.st_mode)
    header.mtime = int(status.st_mtime)
    if stat.S_ISDIR(status.st_mode):
        header.type = tarfile.DIRTYPE
        yield _header(header)
    elif stat.S_ISLNK(status.st_mode):
        header.type, header.linkname = tarfile.SYMTYPE, str(entry.path.readlink())
        yield _header(header)
    elif stat.S_ISREG(status.st_mode):
        header.size = status.st_size
        yield _header(header)
        yield from _content(entry.path, status.st_size)


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(path: Path, size: int) -> Iterator[bytes]:
    left = size
    with path.open("rb") as file:
        while left and (data := file.read(min(left, _PIECE_BYTES))):
            left -= len(data)
            yield data
    # A file that has become shorter must not shift all that comes behind it.
    yield bytes(left)
    yield bytes(-size % tarfile.BLOCKSIZE)
