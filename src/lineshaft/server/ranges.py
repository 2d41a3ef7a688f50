"""Byte ranges (RFC 9110, section 14)."""

import re
from dataclasses import dataclass
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=[ \t,]*([0-9]*)-([0-9]*)[ \t,]*", re.ASCII | re.IGNORECASE)
_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a representation.

    Attributes:
        start: its first byte, counted from 0.
        stop: the byte behind its last one.
    """

    start: int
    stop: int


class UnsatisfiableRangeError(Exception):
    """No byte of the representation lies in the range that was asked for."""


def requested_range(header: str, size: int) -> ByteRange | None:
    """Tell which part of a representation a Range header asks for.

    Args:
        header: the header's value.
        size: the representation's length in bytes.

    Returns:
        The part; None where the whole is to be sent: for several ranges, another unit, a range that is none.

    Raises:
        UnsatisfiableRangeError: the range lies behind the end.
    """
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        return _suffix(last, size)
    start = _position(first)
    if last and _position(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableRangeError
    return ByteRange(start, min(_position(last) + 1, size) if last else size)


def _suffix(length: str, size: int) -> ByteRange | None:
    if not length:
        return None
    if _position(length) == 0:
        raise UnsatisfiableRangeError
    # The last bytes of nothing are nothing, and a 206 cannot say so.
    return ByteRange(max(0, size - _position(length)), size) if size else None


def _position(digits: str) -> int:
    # Cut to what lies far behind the end of any log: Python refuses to read numbers of many thousand digits.
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _DIGITS else 10**_DIGITS
