"""Archives as an attacker would write them: any name, any kind, any lie."""

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.archive.zip_format import (
    CENTRAL,
    CENTRAL_SIGN,
    END,
    END_SIGN,
    LOCAL,
    LOCAL_SIGN,
    MADE_BY_UNIX,
    STORED,
    UTF_8,
)
from lineshaft.archive.zstandard import zstd
from lineshaft.model.artifact import ContentFormat

ZIP: Final = ContentFormat.ZIP
TAR: Final = ContentFormat.TAR_ZSTD

BOTH: Final = (ZIP, TAR)


@dataclass(frozen=True, slots=True)
class Hostile:
    """An entry, with nothing forbidden.

    Attributes:
        name: its name.
        data: its content; of a link, its target.
        mode: what kind of file it claims to be, and its permissions.
    """

    name: str
    data: bytes = b"evil"
    mode: int = stat.S_IFREG | 0o644


def link(name: str, target: str) -> Hostile:
    """Make a symbolic link."""
    return Hostile(name, target.encode(), stat.S_IFLNK | 0o777)


def folder(name: str) -> Hostile:
    """Make a folder."""
    return Hostile(name, b"", stat.S_IFDIR | 0o755)


def write_archive(path: Path, form: ContentFormat, entries: Sequence[Hostile]) -> Path:
    """Write an archive by the standard library, which believes everything."""
    path.write_bytes(zip_of(entries) if form is ZIP else tar_of([tar_member(each) for each in entries]))
    return path


def zip_of(entries: Sequence[Hostile], method: int = zipfile.ZIP_STORED) -> bytes:
    """Make a ZIP archive."""
    data = b""
    directory = b""
    for entry in entries:
        # The standard library would cut a name at its first NUL.
        name = (entry.name + ("/" if stat.S_ISDIR(entry.mode) else "")).encode()
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = deflater.compress(entry.data) + deflater.flush() if method else entry.data
        numbers = (zlib.crc32(entry.data), len(packed), len(entry.data))
        head = (UTF_8, method, 0, 0x21, *numbers, len(name))
        directory += CENTRAL.pack(
            *(CENTRAL_SIGN, MADE_BY_UNIX << 8 | 20, 20, *head, 0, 0, 0, 0, entry.mode << 16, len(data))
        )
        directory += name
        data += LOCAL.pack(LOCAL_SIGN, 20, *head, 0) + name + packed
    count = len(entries)
    return data + directory + END.pack(END_SIGN, 0, 0, count, count, len(directory), len(data), 0)


def local_header(name: bytes, data: bytes) -> bytes:
    """Make a ZIP archive's local header."""
    numbers = (zlib.crc32(data), len(data), len(data))
    return LOCAL.pack(LOCAL_SIGN, 20, UTF_8, STORED, 0, 0x21, *numbers, len(name), 0) + name


_TYPES: Final = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
}


def tar_member(entry: Hostile) -> tuple[tarfile.TarInfo, bytes]:
    """Turn an entry into a member of a tar archive."""
    info = tarfile.TarInfo(entry.name)
    info.type = _TYPES[stat.S_IFMT(entry.mode)]
    info.mode = stat.S_IMODE(entry.mode)
    data = entry.data
    if stat.S_ISLNK(entry.mode):
        info.linkname, data = entry.data.decode(), b""
    if not stat.S_ISREG(entry.mode):
        data = b""
    info.size = len(data)
    return info, data


def tar_of(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """Make a compressed tar archive."""
    out = io.BytesIO()
    for info, data in members:
        out.write(info.tobuf(tarfile.PAX_FORMAT))
        out.write(data)
        out.write(bytes(-len(data) % 512))
    out.write(bytes(1024))
    return zstd.compress(out.getvalue())


def raw_tar(*blocks: bytes) -> bytes:
    """Compress a tar archive that is given block by block, and end it."""
    return zstd.compress(b"".join(blocks) + bytes(1024))


def tar_block(name: bytes, kind: bytes, size: bytes = b"00000000000", **fields: bytes) -> bytes:
    """Make one header block, with the right checksum and anything else in it.

    Args:
        name: the name.
        kind: the type flag.
        size: the size field.
        **fields: `magic`, `linkname`, `mode` or `prefix` in place of what is right.
    """
    head = struct.pack(
        "100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x",
        *(name, fields.get("mode", b"0000644"), b"0000000", b"0000000", size, b"00000000000", b" " * 8),
        *(kind, fields.get("linkname", b""), fields.get("magic", b"ustar\x0000"), b"", b"", b"", b""),
        fields.get("prefix", b""),
    )
    checksum = b"%06o\0 " % sum(head)
    return head[:148] + checksum + head[156:]
