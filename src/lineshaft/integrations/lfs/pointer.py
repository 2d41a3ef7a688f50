"""Pointers: what a repository holds in the place of files that Git LFS keeps.

Their form is that of https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.
"""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_BYTES: Final = 1023
"""A file with more is none."""

_VERSIONS: Final = frozenset({"https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1"})
_LINE: Final = re.compile(r"([a-z0-9.-]+) ([^\r\n]+)")
_OID: Final = re.compile(r"sha256:([0-9a-f]{64})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_EXTENSION: Final = "ext-"


@dataclass(frozen=True, slots=True)
class Pointer:
    """What content a file has.

    Attributes:
        oid: the content's SHA-256, in hexadecimal digits.
        size_bytes: its length.
        extended: whether it is not the file's content itself, but what programs called extensions make of it.
    """

    oid: str
    size_bytes: int
    extended: bool = False


def read_pointer(data: bytes) -> Pointer | None:
    """Read a pointer; None where it is none by the letter of the specification.

    Args:
        data: a whole file.
    """
    if len(data) > LONGEST_BYTES or not data.endswith(b"\n"):
        return None
    try:
        lines = [_LINE.fullmatch(line) for line in data.decode().removesuffix("\n").split("\n")]
    except UnicodeDecodeError:
        return None
    pairs = [(line[1], line[2]) for line in lines if line is not None]
    keys = [key for key, _ in pairs]
    if len(pairs) < len(lines) or keys[:1] != ["version"] or keys[1:] != sorted(set(keys[1:])):
        return None
    told = dict(pairs)
    oid, size = _OID.fullmatch(told.get("oid", "")), _SIZE.fullmatch(told.get("size", ""))
    if told["version"] not in _VERSIONS or oid is None or size is None:
        return None
    return Pointer(oid[1], int(size[0]), any(key.startswith(_EXTENSION) for key in keys))
