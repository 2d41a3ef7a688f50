"""Reading ZIP archives whose two tables of contents say the same, byte for byte, and leave no gap.

A ZIP archive tells everything twice: in the directory at its end, and before each entry. Programs that go by
one of them can be shown another archive than those that go by the other, and entries may lie over one another
(CVE-2019-13232) or in what no entry claims. So only archives are read here whose entries lie in the
directory's order, each directly behind the one before, with headers that agree.
"""

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lineshaft.archive.entry import Entry, EntryKind, refusal
from lineshaft.archive.limits import CHUNK_BYTES, LONGEST_PATH_BYTES, LONGEST_TARGET_BYTES, Limits
from lineshaft.archive.zip_format import (
    CENTRAL,
    CENTRAL_SIGN,
    DEFLATED,
    DESCRIPTOR,
    DESCRIPTOR_64,
    DESCRIPTOR_SIGN,
    ENCRYPTED,
    END,
    END_64,
    END_64_SIGN,
    END_SIGN,
    EXTRA_64,
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
)

_KINDS: Final = {
    0: EntryKind.FILE,
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.FOLDER,
    stat.S_IFLNK: EntryKind.LINK,
}
_LONGEST_EXTRA: Final = 64
_PLAIN_MODE: Final = 0o644


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the directory says of an entry.

    Attributes:
        name: its bytes.
        flags: how it is written.
        method: how it is compressed.
        crc: of its content.
        packed: its size in the archive.
        size: its size.
        offset: where its local header is.
        attributes: what kind of file it is, and its permissions.
        maker: on which system it was made.
    """

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    attributes: int
    maker: int


class ZipReader:
    """Reads one archive from its beginning to its end."""

    def __init__(self, descriptor: int, limits: Limits) -> None:
        """Read the end record.

        Args:
            descriptor: an open file, which nobody changes meanwhile.
            limits: how many entries it may have.

        Raises:
            ArchiveRefusedError: it is no ZIP archive.
        """
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self.count, self._directory_bytes, self._directory = self._end()
        if self.count > limits.entries:
            raise refusal("", f"has more than {limits.entries:,} entries")
        if self._directory_bytes > self.count * (CENTRAL.size + LONGEST_PATH_BYTES + _LONGEST_EXTRA):
            raise refusal("", "has a directory of the wrong size")

    def entries(self) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Go through the entries; the content of each is to be read to its end before the next.

        Raises:
            ArchiveRefusedError: an entry is not what both tables say, or of a kind that is not unpacked.
        """
        place = 0
        for listed in self._listed():
            if listed.offset != place:
                raise refusal(listed.name, "does not begin where the entry before it ends")
            start, behind = self._local(listed)
            entry = self._entry(listed, start)
            content = iter(()) if entry.kind is EntryKind.LINK else self._content(listed, start)
            yield entry, content
            place = start + listed.packed + self._descriptor_bytes(listed, start + listed.packed, behind)
        if place != self._directory:
            raise refusal("", "has bytes that belong to no entry")

    def _read(self, start: int, size: int) -> bytes:
        data = os.pread(self._descriptor, size, start) if start >= 0 else b""
        if len(data) != size:
            raise refusal("", "is cut off, or names a place that it does not have")
        return data

    def _end(self) -> tuple[int, int, int]:
        place = self._size - END.size
        sign, disk, other, here, count, size, offset, comment = END.unpack(self._read(place, END.size))
        if sign != END_SIGN or comment:
            raise refusal("", "is no ZIP archive, or something follows its end")
        if disk or other or here != count:
            raise refusal("", "is one of several parts")
        if count == MANY or LARGE in {size, offset}:
            place, count, size, offset = self._end_64(place, (count, size, offset))
        if offset + size != place:
            raise refusal("", "has a directory that does not end where it should")
        return count, size, offset

    def _end_64(self, end: int, said: tuple[int, int, int]) -> tuple[int, int, int, int]:
        locator = end - LOCATOR_64.size
        place = locator - END_64.size
        sign, _, at, _ = LOCATOR_64.unpack(self._read(locator, LOCATOR_64.size))
        if sign != LOCATOR_64_SIGN or at != place:
            raise refusal("", "has no ZIP64 end record where it should be")
        sign, length, _, _, disk, other, here, *numbers = END_64.unpack(self._read(place, END_64.size))
        if sign != END_64_SIGN or length != END_64.size - 12 or disk or other or here != numbers[0]:
            raise refusal("", "has a ZIP64 end record that makes no sense")
        for small, most, large in zip(said, (MANY, LARGE, LARGE), numbers, strict=True):
            if small not in {most, large}:
                raise refusal("", "has two end records that differ")
        count, size, offset = numbers
        return place, count, size, offset

    def _listed(self) -> Iterator[_Listed]:
        place, end = self._directory, self._directory + self._directory_bytes
        for _ in range(self.count):
            fields = CENTRAL.unpack(self._read(place, CENTRAL.size))
            if fields[0] != CENTRAL_SIGN:
                raise refusal("", "has a directory that makes no sense")
            name_bytes, extra_bytes, comment_bytes = fields[10:13]
            name = self._read(place + CENTRAL.size, name_bytes)
            extra = self._read(place + CENTRAL.size + name_bytes, extra_bytes)
            if comment_bytes or fields[13]:
                raise refusal(name, "has a comment, or lies on another disk")
            yield _listed(name, fields, extra)
            place += CENTRAL.size + name_bytes + extra_bytes
        if place != end:
            raise refusal("", "has a directory of the wrong size")

    def _local(self, listed: _Listed) -> tuple[int, struct.Struct | None]:
        """Hold the local header against the directory.

        Returns:
            Where the content begins, and in which form its sizes follow it.
        """
        sign, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = LOCAL.unpack(
            self._read(listed.offset, LOCAL.size)
        )
        name = self._read(listed.offset + LOCAL.size, name_bytes)
        if (sign, name, flags, method) != (LOCAL_SIGN, listed.name, listed.flags, listed.method):
            raise refusal(listed.name, "has another name or form in its own header than in the directory")
        place = listed.offset + LOCAL.size + name_bytes
        extra = self._read(place, extra_bytes)
        size, packed = _wide(listed.name, extra, (size, packed))
        if flags & IN_DESCRIPTOR:
            wanted, form = (0, 0, 0), DESCRIPTOR_64 if extra else DESCRIPTOR
        else:
            wanted, form = (listed.crc, listed.packed, listed.size), None
        if (crc, packed, size) != wanted:
            raise refusal(listed.name, "has another size in its own header than in the directory")
        return place + extra_bytes, form

    def _descriptor_bytes(self, listed: _Listed, place: int, form: struct.Struct | None) -> int:
        if form is None:
            return 0
        wanted = (DESCRIPTOR_SIGN, listed.crc, listed.packed, listed.size)
        if form.unpack(self._read(place, form.size)) != wanted:
            raise refusal(listed.name, "has another size behind its content than in the directory")
        return form.size

    def _entry(self, listed: _Listed, start: int) -> Entry:
        name, kind = _name_and_kind(listed)
        mode = (listed.attributes >> 16) & 0o777 if listed.maker == MADE_BY_UNIX else _PLAIN_MODE
        if kind is EntryKind.FILE:
            return Entry(name, kind, mode or _PLAIN_MODE, listed.size)
        if kind is EntryKind.FOLDER:
            if listed.size or listed.packed:
                raise refusal(name, "is a folder with content")
            return Entry(name, kind)
        if listed.size > LONGEST_TARGET_BYTES:
            raise refusal(name, f"is a link with a target of more than {LONGEST_TARGET_BYTES:,} bytes")
        target = b"".join(self._content(listed, start))
        try:
            return Entry(name, kind, target=target.decode())
        except UnicodeDecodeError:
            raise refusal(name, "is a link whose target is no UTF-8") from None

    def _content(self, listed: _Listed, start: int) -> Iterator[bytes]:
        pieces = self._pieces(start, listed.packed)
        crc = size = 0
        for chunk in pieces if listed.method == STORED else _inflated(listed.name, pieces):
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            if size > listed.size:
                break
            yield chunk
        if size != listed.size:
            raise refusal(listed.name, "is not of the size that the archive says")
        if crc != listed.crc:
            raise refusal(listed.name, "does not have the checksum that the archive says")

    def _pieces(self, start: int, size: int) -> Iterator[bytes]:
        end = start + size
        if end > self._directory:
            raise refusal("", "has an entry that reaches into its directory")
        for place in range(start, end, CHUNK_BYTES):
            yield self._read(place, min(CHUNK_BYTES, end - place))


def _listed(name: bytes, fields: tuple[int, ...], extra: bytes) -> _Listed:
    _, maker, _, flags, method, _, _, crc, packed, size, *_ = fields
    if flags & ENCRYPTED:
        raise refusal(name, "is encrypted")
    if flags & ~(UTF_8 | IN_DESCRIPTOR | 0x6):
        raise refusal(name, "is written in a way that is not known here")
    if method not in {STORED, DEFLATED}:
        raise refusal(name, f"is compressed by method {method}, which is not known here")
    size, packed, offset = _wide(name, extra, (size, packed, fields[16]))
    if method == STORED and packed != size:
        raise refusal(name, "has two sizes, and is not compressed")
    return _Listed(name, flags, method, crc, packed, size, offset, fields[15], maker >> 8)


def _wide(name: bytes, extra: bytes, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Take from ZIP64's extra field those numbers that stand there; there may be no other field."""
    places = [at for at, number in enumerate(numbers) if number == LARGE]
    if not extra and not places:
        return numbers
    if len(extra) != 4 + 8 * len(places):
        raise refusal(name, "has an extra field that is not known here")
    kind, size, *wide = struct.unpack(f"<2H{len(places)}Q", extra)
    if kind != EXTRA_64 or size != len(extra) - 4:
        raise refusal(name, "has an extra field that is not known here")
    found = dict(zip(places, wide, strict=True))
    return tuple(found.get(at, number) for at, number in enumerate(numbers))


def _name_and_kind(listed: _Listed) -> tuple[str, EntryKind]:
    if not listed.flags & UTF_8 and not listed.name.isascii():
        raise refusal(listed.name, "has a name that is no UTF-8")
    try:
        name = listed.name.decode()
    except UnicodeDecodeError:
        raise refusal(listed.name, "has a name that is no UTF-8") from None
    file_type = stat.S_IFMT(listed.attributes >> 16) if listed.maker == MADE_BY_UNIX else 0
    kind = _KINDS.get(file_type)
    if kind is None:
        raise refusal(name, "is a device, a pipe or a socket")
    if name.endswith("/"):
        if file_type not in {0, stat.S_IFDIR}:
            raise refusal(name, "is a folder by its name, and something else by its attributes")
        return name.removesuffix("/"), EntryKind.FOLDER
    if kind is EntryKind.FOLDER:
        raise refusal(name, "is a folder by its attributes, and something else by its name")
    return name, kind


def _inflated(name: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in pieces:
            data = piece
            while data:
                chunk = inflater.decompress(data, CHUNK_BYTES)
                if chunk:
                    yield chunk
                data = inflater.unconsumed_tail
                if inflater.eof and (inflater.unused_data or data):
                    raise refusal(name, "goes on behind the end of its content")
        while chunk := inflater.decompress(inflater.unconsumed_tail, CHUNK_BYTES):
            yield chunk
    except zlib.error:
        raise refusal(name, "cannot be decompressed") from None
    if not inflater.eof:
        raise refusal(name, "is cut off")
