"""Reading tar archives, compressed by Zstandard, of the one form that is written here.

That is POSIX.1-2001's interchange format with extended headers for long names, and of their keys `path`,
`linkpath`, `size` and `mtime` alone. Files with holes, hard links, devices, GNU's long names, global headers
are refused by their names: most of what befell readers of tar archives came by them, and nothing here needs
them. Python's own reader takes all of them, and its filters had to be mended again and again
(CVE-2025-4138, 4330, 4435, 4517, 8194).
"""

import os
import re
from collections.abc import Iterator
from typing import Final

from lineshaft.archive.entry import Entry, EntryKind, refusal
from lineshaft.archive.limits import CHUNK_BYTES, LONGEST_PATH_BYTES, LONGEST_TARGET_BYTES
from lineshaft.archive.zstandard import zstd

_BLOCK: Final = 512
_WINDOW_LOG_MAX: Final = 23
_LONGEST_PAX_BYTES: Final = 64 * 1024
_LONGEST_PADDING: Final = 64 * 1024
_KINDS: Final = {b"0": EntryKind.FILE, b"\0": EntryKind.FILE, b"2": EntryKind.LINK, b"5": EntryKind.FOLDER}
_REFUSED: Final = {
    b"1": "is a hard link",
    b"3": "is a device",
    b"4": "is a device",
    b"6": "is a pipe",
    b"7": "is of a kind that is not known here",
    b"S": "is a file with holes",
    b"L": "has a name in GNU's long form",
    b"K": "has a target in GNU's long form",
    b"g": "is a header for all others",
}
_OCTAL: Final = re.compile(rb" *([0-7]*)[ \0]*")
_LENGTH: Final = re.compile(rb"([1-9][0-9]{0,5}) ")
_NUMBER: Final = re.compile(r"[0-9]{1,18}(\.[0-9]*)?")


class TarReader:
    """Reads one archive from its beginning to its end."""

    def __init__(self, descriptor: int) -> None:
        """Read an open file from its beginning."""
        self._stream = _Stream(descriptor)

    def entries(self) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Go through the entries; the content of each is to be read to its end before the next.

        Raises:
            ArchiveRefusedError: it is no such archive, or has an entry that is not unpacked.
        """
        extended: dict[str, str] = {}
        while (block := self._stream.read(_BLOCK)) != bytes(_BLOCK):
            kind, size = block[156:157], _checked_size(block)
            if kind == b"x":
                if extended:
                    raise refusal(_field(block[:100]), "has two extended headers")
                extended = self._extended(size)
                continue
            entry = _entry(block, size, extended)
            extended = {}
            yield entry, self._content(entry.size_bytes)
        if extended:
            raise refusal("", "ends behind an extended header")
        self._stream.expect_end()

    def _extended(self, size: int) -> dict[str, str]:
        if size > _LONGEST_PAX_BYTES:
            raise refusal("", f"has an extended header of more than {_LONGEST_PAX_BYTES:,} bytes")
        data = b"".join(self._content(size))
        found: dict[str, str] = {}
        while data:
            length = _LENGTH.match(data)
            if length is None or int(length[1]) > len(data):
                raise refusal("", "has an extended header that makes no sense")
            record, data = data[length.end() : int(length[1])], data[int(length[1]) :]
            key, equals, value = record.partition(b"=")
            if not equals or not value.endswith(b"\n"):
                raise refusal("", "has an extended header that makes no sense")
            found[_text(key)] = _text(value[:-1])
        return found

    def _content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            chunk = self._stream.read(min(left, CHUNK_BYTES))
            left -= len(chunk)
            yield chunk
        if over := size % _BLOCK:
            self._stream.read(_BLOCK - over)


class _Stream:
    """What an archive holds, decompressed as it is asked for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._place = 0
        self._decompressor = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX}
        )
        self._ready = bytearray()

    def read(self, size: int) -> bytes:
        """Read exactly so many bytes."""
        while len(self._ready) < size:
            more = self._more()
            if not more:
                raise refusal("", "is cut off")
            self._ready += more
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data

    def expect_end(self) -> None:
        """Make sure that nothing but padding follows."""
        padding = bytes(self._ready)
        while len(padding) <= _LONGEST_PADDING and (more := self._more()):
            padding += more
        rest = os.pread(self._descriptor, 1, self._place)
        behind = not self._decompressor.eof or self._decompressor.unused_data or rest
        if padding.strip(b"\0") or behind:
            raise refusal("", "goes on behind its end")

    def _more(self) -> bytes:
        """Decompress some more; nothing at the end."""
        while not self._decompressor.eof:
            data = b""
            if self._decompressor.needs_input:
                data = os.pread(self._descriptor, CHUNK_BYTES, self._place)
                self._place += len(data)
                if not data:
                    raise refusal("", "is cut off")
            try:
                if found := self._decompressor.decompress(data, CHUNK_BYTES):
                    return found
            except zstd.ZstdError:
                raise refusal("", "cannot be decompressed") from None
        return b""


def _checked_size(block: bytes) -> int:
    name = _field(block[:100])
    if block[257:265] != b"ustar\x0000":
        raise refusal(name, "is written in another form than POSIX's")
    if _octal(name, block[148:156]) != sum(block[:148]) + 8 * 32 + sum(block[156:]):
        raise refusal(name, "has a header with the wrong checksum")
    return _octal(name, block[124:136])


def _octal(name: str, field: bytes) -> int:
    # GNU writes numbers in another way as well, with which a size below zero can be said.
    digits = _OCTAL.fullmatch(field)
    if digits is None:
        raise refusal(name, "has a number in its header that makes no sense")
    return int(digits[1] or b"0", 8)


def _entry(block: bytes, size: int, extended: dict[str, str]) -> Entry:
    prefix, name = _field(block[345:500]), _field(block[:100])
    name = extended.get("path", f"{prefix}/{name}" if prefix else name)
    for key in extended:
        if key not in {"path", "linkpath", "size", "mtime"}:
            raise refusal(name, f"has {key[:50]!r} in its extended header, which is not known here")
    kind = _KINDS.get(block[156:157])
    if kind is None:
        raise refusal(name, _REFUSED.get(block[156:157], "is of a kind that is not known here"))
    if "size" in extended:
        size = _number(name, extended["size"])
    modified = _number(name, extended["mtime"]) if "mtime" in extended else _octal(name, block[136:148])
    if kind is not EntryKind.FILE and size:
        raise refusal(name, "is a folder or a link with content")
    if len(name) > LONGEST_PATH_BYTES:
        raise refusal(name, f"has a path of more than {LONGEST_PATH_BYTES:,} bytes")
    target = extended.get("linkpath", _field(block[157:257])) if kind is EntryKind.LINK else ""
    if len(target) > LONGEST_TARGET_BYTES:
        raise refusal(name, f"is a link with a target of more than {LONGEST_TARGET_BYTES:,} bytes")
    if kind is EntryKind.FOLDER:
        name = name.removesuffix("/")
    return Entry(name, kind, _octal(name, block[100:108]) & 0o777, size, modified, target)


def _number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise refusal(name, "has a number in its extended header that makes no sense")
    return int(text.partition(".")[0])


def _field(field: bytes) -> str:
    # A NUL with something behind it stays, and is refused with the name.
    return _text(field.rstrip(b"\0"))


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise refusal(data, "has a name that is no UTF-8") from None
