"""Packing into ZIP archives: their bytes, made while the files are read, once, with no copy of them."""

import stat
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lineshaft.archive.finding import Found, LeftOut
from lineshaft.archive.limits import CHUNK_BYTES
from lineshaft.archive.opened import Opened, counted
from lineshaft.archive.zip_format import (
    CENTRAL,
    CENTRAL_SIGN,
    DESCRIPTOR,
    DESCRIPTOR_64,
    DESCRIPTOR_SIGN,
    END,
    END_64,
    END_64_SIGN,
    END_SIGN,
    EXTRA_64,
    FOLDER_ATTRIBUTE,
    IN_DESCRIPTOR,
    LARGE,
    LOCAL,
    LOCAL_SIGN,
    LOCATOR_64,
    LOCATOR_64_SIGN,
    MADE_BY_UNIX,
    MANY,
    STORED,
    UTF_8,
    VERSION,
    VERSION_64,
)

_PERMISSIONS: Final = 0o777
_FIRST_DOS_YEAR: Final = 1980
_LAST_DOS_YEAR: Final = 2107


def packed_zip(files: Iterable[Found], left_out: LeftOut) -> Iterator[bytes]:
    """Pack files into a ZIP archive whose entries are stored as they are.

    Permissions and links are kept by Unix's external attributes. Files that are larger than one read have
    their sizes behind them; of one that grows meanwhile, what it had when it was opened is taken.

    Args:
        files: what to pack.
        left_out: is told of what cannot be read after all.

    Yields:
        The archive's bytes.

    Raises:
        TooManyFilesError: there are more than one archive may have.
    """
    directory = bytearray()
    offset = count = 0
    for found in counted(files):
        entry = _ZipEntry(found, offset)
        try:
            for chunk in entry.packed():
                offset += len(chunk)
                yield chunk
        except OSError as error:
            left_out.add(found.path, f"cannot be read ({error.strerror})")
        if entry.failure:
            left_out.add(found.path, entry.failure)
        if entry.begun:
            directory += entry.central()
            count += 1
    yield bytes(directory)
    yield _zip_end(count, len(directory), offset)


@dataclass(slots=True)
class _ZipEntry:
    """An entry that is being written.

    Attributes:
        found: what is written.
        offset: where it begins in the archive.
        begun: whether anything of it was written.
        failure: why not all of it was, as the end of a sentence; empty where it was.
    """

    found: Found
    offset: int
    begun: bool = False
    failure: str = ""
    _crc: int = 0
    _size: int = 0
    _large: bool = False
    _flags: int = UTF_8

    def packed(self) -> Iterator[bytes]:
        """Give the local header, the content, and what belongs behind it."""
        if not stat.S_ISREG(self.found.status.st_mode):
            yield self._whole(self.found.target.encode())
            return
        with Opened(self.found) as file:
            if file.size_bytes <= CHUNK_BYTES:
                yield self._whole(b"".join(file.chunks()))
                return
            yield from self._streamed(file)

    def _whole(self, data: bytes) -> bytes:
        self._crc, self._size = zlib.crc32(data), len(data)
        return self._header() + data

    def _streamed(self, file: Opened) -> Iterator[bytes]:
        self._flags |= IN_DESCRIPTOR
        self._large = file.size_bytes >= LARGE
        yield self._header()
        try:
            for chunk in file.chunks():
                self._crc = zlib.crc32(chunk, self._crc)
                self._size += len(chunk)
                yield chunk
        except OSError as error:
            # The entry ends here, and the archive is sound all the same.
            self.failure = f"cannot be read to its end ({error.strerror})"
        if self._size < file.size_bytes and not self.failure:
            self.failure = "became shorter while it was read"
        form = DESCRIPTOR_64 if self._large else DESCRIPTOR
        yield form.pack(DESCRIPTOR_SIGN, self._crc, self._size, self._size)

    def _header(self) -> bytes:
        self.begun = True
        name = self._name()
        streamed = bool(self._flags & IN_DESCRIPTOR)
        size = LARGE if self._large else 0 if streamed else self._size
        extra = _extra_64(0, 0) if self._large else b""
        crc = 0 if streamed else self._crc
        head = (self._version(), self._flags, STORED, *_dos_time(self.found.status.st_mtime))
        return LOCAL.pack(LOCAL_SIGN, *head, crc, size, size, len(name), len(extra)) + name + extra

    def central(self) -> bytes:
        """Give what the directory says of it."""
        name = self._name()
        wide = [number for number in (self._size, self._size, self.offset) if number >= LARGE]
        extra = _extra_64(*wide) if wide else b""
        mode = self.found.status.st_mode
        attributes = (stat.S_IFMT(mode) | mode & _PERMISSIONS) << 16
        if stat.S_ISDIR(mode):
            attributes |= FOLDER_ATTRIBUTE
        size = min(self._size, LARGE)
        version = VERSION_64 if wide else self._version()
        head = (MADE_BY_UNIX << 8 | VERSION_64, version, self._flags, STORED)
        times = _dos_time(self.found.status.st_mtime)
        lengths = (len(name), len(extra), 0, 0, 0)
        where = min(self.offset, LARGE)
        packed = CENTRAL.pack(CENTRAL_SIGN, *head, *times, self._crc, size, size, *lengths, attributes, where)
        return packed + name + extra

    def _name(self) -> bytes:
        folder = stat.S_ISDIR(self.found.status.st_mode)
        return f"{self.found.path}/".encode() if folder else self.found.path.encode()

    def _version(self) -> int:
        return VERSION_64 if self._large else VERSION


def _extra_64(*numbers: int) -> bytes:
    data = b"".join(number.to_bytes(8, "little") for number in numbers)
    return EXTRA_64.to_bytes(2, "little") + len(data).to_bytes(2, "little") + data


def _dos_time(modified: float) -> tuple[int, int]:
    when = time.gmtime(max(0, int(modified)))
    if when.tm_year < _FIRST_DOS_YEAR:
        return 0, 1 << 5 | 1
    year = min(when.tm_year, _LAST_DOS_YEAR) - _FIRST_DOS_YEAR
    clock = when.tm_hour << 11 | when.tm_min << 5 | min(when.tm_sec, 59) // 2
    return clock, year << 9 | when.tm_mon << 5 | when.tm_mday


def _zip_end(count: int, size: int, offset: int) -> bytes:
    end = b""
    if count >= MANY or size >= LARGE or offset >= LARGE:
        versions = (MADE_BY_UNIX << 8 | VERSION_64, VERSION_64)
        end += END_64.pack(END_64_SIGN, END_64.size - 12, *versions, 0, 0, count, count, size, offset)
        end += LOCATOR_64.pack(LOCATOR_64_SIGN, 0, offset + size, 1)
    entries = min(count, MANY)
    return end + END.pack(END_SIGN, 0, 0, entries, entries, min(size, LARGE), min(offset, LARGE), 0)
