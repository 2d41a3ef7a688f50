"""A folder of a kept archive as an archive of its own, written while it is read.

What is compressed is copied as it stands, so that it costs no more than reading. The archive has ZIP64 extras
where it needs them (APPNOTE.TXT, 4.3.14 to 4.5.3).
"""

import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from lineshaft.model.artifact import Artifact
from lineshaft.services.files.inside import FileInside, FolderInside, Inside

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sBBHHHHHIIIHHHHHII")
_END_64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR: Final = struct.Struct("<4sIQI")
_END: Final = struct.Struct("<4sHHHHIIH")
_EXTRA: Final = struct.Struct("<HH")
_LARGE: Final = 0xFFFFFFFF
_MANY: Final = 0xFFFF
_VERSION: Final = 45
_UNIX: Final = 3
_UTF_8: Final = 0x800
_ZIP_64: Final = 1


@dataclass(frozen=True, slots=True)
class _Written:
    """A file that was written.

    Attributes:
        file: as it is in the archive that it comes from.
        name: its name in the new one.
        at: where its header is there.
    """

    file: FileInside
    name: bytes
    at: int


async def rezipped(inside: Inside, artifact: Artifact, folder: FolderInside) -> AsyncGenerator[bytes, None]:
    """Write a folder of an archive as an archive, whose names begin with the folder's own.

    Raises:
        ConflictError: the archive is not as its own list says.
    """
    above = folder.path.rpartition("/")[0]
    cut = len(above) + 1 if above else 0
    written: list[_Written] = []
    at = 0
    for file in folder.files:
        begins = await inside.begins(artifact, file)
        entry = _Written(file, file.path[cut:].encode(errors="replace"), at)
        header = _local(entry)
        yield header
        async with aclosing(inside.packed(artifact, begins, file)) as packed:
            async for chunk in packed:
                yield chunk
        at += len(header) + file.packed_bytes
        written.append(entry)
    size = 0
    for entry in written:
        listed = _central(entry)
        size += len(listed)
        yield listed
    yield _end(len(written), size, at)


def _local(written: _Written) -> bytes:
    file = written.file
    large = max(file.size_bytes, file.packed_bytes) >= _LARGE
    extra = _extra(file.size_bytes, file.packed_bytes) if large else b""
    header = _LOCAL.pack(b"PK\x03\x04", *_common(file, large=large), len(written.name), len(extra))
    return header + written.name + extra


def _central(written: _Written) -> bytes:
    file = written.file
    large = max(file.size_bytes, file.packed_bytes) >= _LARGE
    far = written.at >= _LARGE
    numbers = [*((file.size_bytes, file.packed_bytes) if large else ()), *((written.at,) if far else ())]
    extra = _extra(*numbers) if numbers else b""
    header = _CENTRAL.pack(
        b"PK\x01\x02",
        _VERSION,
        _UNIX,
        *_common(file, large=large),
        len(written.name),
        len(extra),
        0,
        0,
        0,
        file.entry.external_attr,
        _LARGE if far else written.at,
    )
    return header + written.name + extra


def _common(file: FileInside, *, large: bool) -> tuple[int, ...]:
    year, month, day, hour, minute, second = file.entry.date_time
    date = (year - 1980) << 9 | month << 5 | day
    time = hour << 11 | minute << 5 | second // 2
    sizes = (_LARGE, _LARGE) if large else (file.packed_bytes, file.size_bytes)
    return _VERSION, _UTF_8, file.entry.compress_type, time, date, file.checksum, *sizes


def _extra(*numbers: int) -> bytes:
    return _EXTRA.pack(_ZIP_64, 8 * len(numbers)) + struct.pack(f"<{len(numbers)}Q", *numbers)


def _end(count: int, size: int, at: int) -> bytes:
    end = _END.pack(
        b"PK\x05\x06", 0, 0, min(count, _MANY), min(count, _MANY), min(size, _LARGE), min(at, _LARGE), 0
    )
    if count < _MANY and size < _LARGE and at < _LARGE:
        return end
    behind = _END_64.pack(b"PK\x06\x06", _END_64.size - 12, _VERSION, _VERSION, 0, 0, count, count, size, at)
    return behind + _LOCATOR.pack(b"PK\x06\x07", 0, at + size, 1) + end
