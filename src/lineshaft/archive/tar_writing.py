"""Packing into tar archives, compressed by Zstandard, made while the files are read, once."""

import stat
import tarfile
from collections.abc import Iterable, Iterator
from typing import Final

from lineshaft.archive.finding import Found, LeftOut
from lineshaft.archive.opened import FileChangedError, Opened, counted
from lineshaft.archive.zstandard import zstd

_PERMISSIONS: Final = 0o777
_TAR_END: Final = b"\0" * (2 * tarfile.BLOCKSIZE)
_LEVEL: Final = 3
_WINDOW_LOG: Final = 21


def packed_tar(files: Iterable[Found], left_out: LeftOut) -> Iterator[bytes]:
    """Pack files into a POSIX tar archive, compressed by Zstandard.

    Owners are left out, and times are whole seconds, so that the same files give the same bytes.

    Args:
        files: what to pack.
        left_out: is told of what cannot be read after all.

    Yields:
        The archive's bytes.

    Raises:
        FileChangedError: a file became shorter.
        TooManyFilesError: there are more than one archive may have.
    """
    parameter = zstd.CompressionParameter
    options: dict[int, int] = {
        parameter.compression_level: _LEVEL,
        parameter.window_log: _WINDOW_LOG,
        parameter.checksum_flag: 1,
    }
    compressor = zstd.ZstdCompressor(options=options)
    for found in counted(files):
        for chunk in _tar_entry(found, left_out):
            if packed := compressor.compress(chunk):
                yield packed
    yield compressor.compress(_TAR_END, zstd.ZstdCompressor.FLUSH_FRAME)


def _tar_entry(found: Found, left_out: LeftOut) -> Iterator[bytes]:
    info = tarfile.TarInfo(found.path)
    info.mode = found.status.st_mode & _PERMISSIONS
    info.mtime = int(found.status.st_mtime)
    if not stat.S_ISREG(found.status.st_mode):
        info.type = tarfile.DIRTYPE if stat.S_ISDIR(found.status.st_mode) else tarfile.SYMTYPE
        info.linkname = found.target
        yield info.tobuf(tarfile.PAX_FORMAT)
        return
    try:
        file = Opened(found)
    except OSError as error:
        left_out.add(found.path, f"cannot be read ({error.strerror})")
        return
    with file:
        info.size = file.size_bytes
        yield info.tobuf(tarfile.PAX_FORMAT)
        yield from _tar_content(found, file)


def _tar_content(found: Found, file: Opened) -> Iterator[bytes]:
    done = 0
    try:
        for chunk in file.chunks():
            done += len(chunk)
            yield chunk
    except OSError as error:
        raise FileChangedError(f"{found.path!r} cannot be read to its end ({error.strerror})") from error
    if done < file.size_bytes:
        raise FileChangedError(f"{found.path!r} became shorter while it was read")
    if over := done % tarfile.BLOCKSIZE:
        yield bytes(tarfile.BLOCKSIZE - over)
