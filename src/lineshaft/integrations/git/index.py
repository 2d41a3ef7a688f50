"""The index of a repository, which tells what a checkout has written: version 2 of gitformat-index(5)."""

import struct
import sys
from collections.abc import Mapping
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct(">4sII")
_SIGNATURE: Final = b"DIRC"
_VERSION: Final = 2
_FIXED: Final = {size: struct.Struct(f">10I{size}sH") for size in (20, 32)}
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


def _entries(data: bytes, fixed: struct.Struct) -> dict[str, IndexEntry]:
    signature, version, count = _HEADER.unpack_from(data)
    if signature != _SIGNATURE or version != _VERSION:
        raise ValueError
    entries: dict[str, IndexEntry] = {}
    at = _HEADER.size
    for _ in range(count):
        facts = fixed.unpack_from(data, at)
        begin = at + fixed.size
        end = data.index(0, begin)
        changed, changed_ns, modified, modified_ns, _, inode, mode, _, _, size, object_id, flags = facts
        # The name's length stands there too, which tells ids of 20 bytes from those of 32.
        if flags & _STAGE or flags & 0xFFF != min(end - begin, 0xFFF) or end == begin:
            raise ValueError
        entries[data[begin:end].decode(_NAMES, "surrogateescape")] = IndexEntry(
            mode,
            object_id,
            changed * _SECOND_NS + changed_ns,
            modified * _SECOND_NS + modified_ns,
            inode,
            size,
        )
        at += (end - at + 8) & ~7
    return entries
