"""The index of a repository, which tells what a checkout has written: version 2 of gitformat-index(5)."""

import hashlib
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_HEADER: Final = struct.Struct(">4sII")
_SIGNATURE: Final = b"DIRC"
_VERSION: Final = 2
_FIXED: Final = {size: struct.Struct(f">10I{size}sH") for size in (20, 32)}
_STATUS: Final = struct.Struct(">10I")
_HASHES: Final = {20: "sha1", 32: "sha256"}
_LOW_BITS: Final = 0xFFFF_FFFF
_NAMES: Final = sys.getfilesystemencoding()
_STAGE: Final = 0x3000
_SECOND_NS: Final = 1_000_000_000
_ATTRIBUTES: Final = ".gitattributes"


class UnreadableIndexError(Exception):
    """An index is damaged, or of a form that no checkout of ours has."""


class IndexEntry(NamedTuple):
    """A file of the commit, and what lstat(2) said of it when it had been written.

    Attributes:
        mode: as git has it: `0o100644`, `0o100755`, `0o120000` for a link, `0o160000` for a submodule.
        object_id: of its content.
        changed_ns: when its inode was changed, in nanoseconds since 1970.
        modified_ns: when its content was changed, in nanoseconds since 1970.
        inode: the lower 32 bits of its number.
        size_bytes: the lower 32 bits of its size.
    """

    mode: int
    object_id: bytes
    changed_ns: int
    modified_ns: int
    inode: int
    size_bytes: int


def read_index(data: bytes) -> dict[str, IndexEntry]:
    """Read the entries of an index by their paths, which are spelt as `os.fsdecode` does it.

    Args:
        data: the whole file.

    Raises:
        UnreadableIndexError: it is no whole index of version 2, or has unmerged entries.
    """
    for fixed in _FIXED.values():
        try:
            return _entries(data, fixed)
        except (struct.error, ValueError):
            continue
    raise UnreadableIndexError


def attributes_of(data: bytes) -> Mapping[str, bytes]:
    """Find the files of attributes in an index, by which git decides how it writes all others.

    Returns:
        Their objects' ids by path.

    Raises:
        UnreadableIndexError: as `read_index` does.
    """
    if _ATTRIBUTES.encode() not in data:
        return {}
    return {
        path: entry.object_id
        for path, entry in read_index(data).items()
        if path.rpartition("/")[2] == _ATTRIBUTES
    }


def with_status(data: bytes, status: Mapping[str, os.stat_result]) -> bytes:
    """Write an index anew in which files are known as they are now, and not as git has written them.

    Args:
        data: the whole file.
        status: what stat(2) says of files, by their paths; others than the index has are passed over.

    Returns:
        The same index but for that.

    Raises:
        UnreadableIndexError: as `read_index` does.
    """
    for size, fixed in _FIXED.items():
        try:
            places = [(at, path, facts) for at, path, facts in _records(data, fixed) if path in status]
        except (struct.error, ValueError):
            continue
        written = bytearray(data[:-size])
        for at, path, facts in places:
            _STATUS.pack_into(written, at, *_status_fields(status[path], mode=facts[6]))
        # It ends with its own checksum, by the same function as ids are made.
        return bytes(written) + hashlib.new(_HASHES[size], written, usedforsecurity=False).digest()
    raise UnreadableIndexError


def _status_fields(status: os.stat_result, mode: int) -> Iterator[int]:
    for nanoseconds in (status.st_ctime_ns, status.st_mtime_ns):
        yield from (part & _LOW_BITS for part in divmod(nanoseconds, _SECOND_NS))
    whole = (status.st_dev, status.st_ino, mode, status.st_uid, status.st_gid, status.st_size)
    yield from (part & _LOW_BITS for part in whole)


def _entries(data: bytes, fixed: struct.Struct) -> dict[str, IndexEntry]:
    entries: dict[str, IndexEntry] = {}
    for _, path, facts in _records(data, fixed):
        changed, changed_ns, modified, modified_ns, _, inode, mode, _, _, size, object_id, _ = facts
        entries[path] = IndexEntry(
            mode,
            object_id,
            changed * _SECOND_NS + changed_ns,
            modified * _SECOND_NS + modified_ns,
            inode,
            size,
        )
    return entries


def _records(data: bytes, fixed: struct.Struct) -> Iterator[tuple[int, str, tuple[Any, ...]]]:
    """Read the entries one by one: where each begins, its path, and its fields."""
    signature, version, count = _HEADER.unpack_from(data)
    if signature != _SIGNATURE or version != _VERSION:
        raise ValueError
    at = _HEADER.size
    for _ in range(count):
        facts = fixed.unpack_from(data, at)
        begin = at + fixed.size
        end = data.index(0, begin)
        # The name's length stands there too, which tells ids of 20 bytes from those of 32.
        flags = facts[-1]
        if flags & _STAGE or flags & 0xFFF != min(end - begin, 0xFFF) or end == begin:
            raise ValueError
        yield at, data[begin:end].decode(_NAMES, "surrogateescape"), facts
        at += (end - at + 8) & ~7
