"""Single files and folders in kept ZIP archives (APPNOTE.TXT, 6.3.10), without reading the archives whole.

The list of entries at an archive's end is read by the standard library; a file's bytes are read from where
the list says that they are. What is in an archive was written by a task: nothing in it is believed but within
bounds.
"""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from stat import S_ISLNK
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from lineshaft.model.artifact import Artifact, ContentFormat
from lineshaft.model.errors import ArtifactNotFoundError, ConflictError
from lineshaft.services.files.reading import FileReading

MOST_LIST_BYTES: Final = 32 * 1024 * 1024
"""How long the list of an archive's entries may be for single files to be found in it."""

_LISTS_AT_ONCE: Final = 4
_CHUNK_BYTES: Final = 1024 * 1024
_BUFFER_BYTES: Final = 64 * 1024
_HEADER: Final = struct.Struct("<4s22xHH")
_HEADER_SIGNATURE: Final = b"PK\x03\x04"
_ENCRYPTED: Final = 1
_MODE_BITS: Final = 16

_Fetch = Callable[[int, int], Coroutine[Any, Any, bytes]]


@dataclass(frozen=True, slots=True)
class FileInside:
    """A file in an archive.

    Attributes:
        path: its name there.
        size_bytes: how long it is.
        checksum: its CRC-32.
        packed_bytes: how many bytes it takes in the archive.
        deflated: whether it is compressed there.
        header_at: where its header begins there.
        entry: the entry, as the list has it.
    """

    path: str
    size_bytes: int
    checksum: int
    packed_bytes: int
    deflated: bool
    header_at: int
    entry: ZipInfo


@dataclass(frozen=True, slots=True)
class FolderInside:
    """A folder in an archive.

    Attributes:
        path: its name there, without a slash at the end; empty for all of it.
        files: all that are in it, at whatever depth.
    """

    path: str
    files: Sequence[FileInside]


class Inside:
    """Finds and reads what is in archives; at most some lists of entries are in memory at once."""

    def __init__(self, reading: FileReading) -> None:
        self._reading = reading
        self._lists = asyncio.Semaphore(_LISTS_AT_ONCE)

    async def find(self, artifact: Artifact, path: str) -> FileInside | FolderInside:
        """Find a file or a folder.

        Args:
            artifact: an archive.
            path: the name; a folder's may end with a slash, and the empty one means all.

        Raises:
            ArtifactNotFoundError: it holds nothing of that name.
            ConflictError: single files cannot be had from it.
        """
        if artifact.content.format is not ContentFormat.ZIP:
            raise ConflictError(
                f"'{artifact.name}' is one file, with nothing in it.", advice="Leave out `/files/...`."
            )
        async with self._lists:
            reader = _Reader(partial(self._bytes, artifact), artifact.content.size_bytes)
            return await asyncio.to_thread(_find, reader, path)

    async def read(
        self, artifact: Artifact, file: FileInside, begins: int, start: int, stop: int
    ) -> AsyncGenerator[bytes, None]:
        """Read the bytes of a file from `start` up to `stop`, in chunks of at most 1 MiB.

        Args:
            artifact: the archive.
            file: the file in it.
            begins: where its bytes begin there, as `begins` tells.
            start: of its first byte that is wanted.
            stop: behind the last one.

        Raises:
            ConflictError: the file is not as the list says.
        """
        if start >= stop:
            return
        ends = begins + file.packed_bytes
        if not file.deflated:
            async with aclosing(
                self._reading.read(artifact, begins + start, min(begins + stop, ends))
            ) as kept:
                async for chunk in kept:
                    yield chunk
            return
        at = 0
        async with aclosing(self._inflated(artifact, begins, ends)) as inflated:
            async for chunk in inflated:
                wanted = chunk[max(start - at, 0) : stop - at]
                at += len(chunk)
                if wanted:
                    yield wanted
                if at >= stop:
                    return
        raise _unreadable(artifact)

    async def begins(self, artifact: Artifact, file: FileInside) -> int:
        """Tell where the bytes of a file begin in its archive.

        Raises:
            ConflictError: the file is not where the list says.
        """
        if not 0 <= file.header_at < artifact.content.size_bytes:
            raise _unreadable(artifact)
        header = await self._bytes(artifact, file.header_at, file.header_at + _HEADER.size)
        if len(header) < _HEADER.size:
            raise _unreadable(artifact)
        signature, name_bytes, extra_bytes = _HEADER.unpack(header)
        begins: int = file.header_at + _HEADER.size + name_bytes + extra_bytes
        if signature != _HEADER_SIGNATURE or begins + file.packed_bytes > artifact.content.size_bytes:
            raise _unreadable(artifact)
        return begins

    def packed(self, artifact: Artifact, begins: int, file: FileInside) -> AsyncGenerator[bytes, None]:
        """Read a file as it stands in its archive, compressed or not."""
        return self._reading.read(artifact, begins, begins + file.packed_bytes)

    async def _inflated(self, artifact: Artifact, begins: int, ends: int) -> AsyncGenerator[bytes, None]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            async with aclosing(self._reading.read(artifact, begins, ends)) as packed:
                async for chunk in packed:
                    rest = chunk
                    while rest and not inflater.eof:
                        yield await asyncio.to_thread(inflater.decompress, rest, _CHUNK_BYTES)
                        rest = inflater.unconsumed_tail
            while data := await asyncio.to_thread(inflater.decompress, b"", _CHUNK_BYTES):
                yield data
        except zlib.error:
            raise _unreadable(artifact) from None

    async def _bytes(self, artifact: Artifact, start: int, stop: int) -> bytes:
        async with aclosing(self._reading.read(artifact, start, stop)) as chunks:
            return b"".join([chunk async for chunk in chunks])


class _Reader(io.RawIOBase):
    """An archive as a file to seek in, for a thread beside the event loop that reads its bytes."""

    def __init__(self, fetch: _Fetch, size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._loop = asyncio.get_running_loop()
        self._size = size
        self._at = 0
        self._left = MOST_LIST_BYTES

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        beginning = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if beginning + offset < 0:
            raise OSError("before the beginning")
        self._at = beginning + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), max(self._size - self._at, 0))
        if wanted > self._left:
            raise _ListTooLongError
        data = asyncio.run_coroutine_threadsafe(self._fetch(self._at, self._at + wanted), self._loop).result()
        buffer[: len(data)] = data
        self._at += len(data)
        self._left -= len(data)
        return len(data)


class _ListTooLongError(Exception):
    """More of the archive would have to be read than is allowed."""


def _find(reader: _Reader, path: str) -> FileInside | FolderInside:
    """Look in the list at an archive's end; runs in a thread."""
    try:
        with ZipFile(io.BufferedReader(reader, _BUFFER_BYTES)) as archive:
            entries = archive.infolist()
    except _ListTooLongError:
        raise ConflictError(
            "The archive has too many entries to look for one of them.", advice="Download it as a whole."
        ) from None
    except (BadZipFile, OSError, ValueError, struct.error, NotImplementedError):
        raise ConflictError("It is no archive that can be read.", advice="Download it as it is.") from None
    folder = path.rstrip("/")
    named = [each for each in entries if each.filename == path and not each.is_dir()] if path else []
    if named:
        return _file(named[-1])
    beginning = f"{folder}/" if folder else ""
    below = [each for each in entries if each.filename.startswith(beginning)]
    if not below and folder:
        raise ArtifactNotFoundError(
            f"There is no '{path}' in it.", advice="Names are as in the archive, capitals and all."
        )
    return FolderInside(folder, [_file(each) for each in below if not each.is_dir() and not _is_link(each)])


def _file(entry: ZipInfo) -> FileInside:
    if _is_link(entry):
        raise ArtifactNotFoundError(
            f"'{entry.filename}' is a symbolic link.", advice="Ask for the file that it leads to."
        )
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise ConflictError(
            f"'{entry.filename}' is packed in a way that is not known here.", advice="Download the archive."
        )
    return FileInside(
        entry.filename,
        entry.file_size,
        entry.CRC,
        entry.compress_size,
        entry.compress_type == ZIP_DEFLATED,
        entry.header_offset,
        entry,
    )


def _is_link(entry: ZipInfo) -> bool:
    return S_ISLNK(entry.external_attr >> _MODE_BITS)


def _unreadable(artifact: Artifact) -> ConflictError:
    return ConflictError(
        f"The archive '{artifact.name}' is not as its own list says.", advice="Download it as it is."
    )
