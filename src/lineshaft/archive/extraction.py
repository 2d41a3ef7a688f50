"""Unpacking: into a fresh folder first, where nothing can lead astray, and then moved to where it belongs."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, assert_never

from lineshaft.archive.entry import Entry, EntryKind, refusal
from lineshaft.archive.finding import FOLDER_FLAGS
from lineshaft.archive.limits import Limits
from lineshaft.archive.names import Names, name_parts, why_target_unsafe
from lineshaft.archive.path_rules import PathRules
from lineshaft.archive.placing import place
from lineshaft.archive.tar_reading import TarReader
from lineshaft.archive.zip_reading import ZipReader
from lineshaft.model.artifact import ContentFormat

_PRIVATE: Final = 0o700
_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o600
_ALLOWED: Final = 0o755
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DEFAULT: Final = Limits()


def extract(
    archive: Path,
    content_format: ContentFormat,
    destination: Path,
    limits: Limits = _DEFAULT,
    *,
    only: PathRules | None = None,
) -> int:
    """Unpack an archive into a folder, over what is there. An archive that is refused leaves nothing there.

    Every entry is a plain file, a folder, or a link that leads to somewhere below the destination. No link is
    followed, neither one of the archive nor one that is there already; where there is a link or a file in a
    folder's place, or a folder in a file's, the archive is refused. Files that are there are replaced. Of
    permissions, those to read, write and execute are kept, but for others' right to write.

    Args:
        archive: the file, which nobody changes meanwhile.
        content_format: ZIP or TAR_ZSTD.
        destination: the folder, which is there and is no link. Nobody else may be at work in it.
        limits: how much it may unpack to.
        only: which paths it may hold; None means any.

    Returns:
        How many entries it has.

    Raises:
        ArchiveRefusedError: it holds what must not be unpacked; its entry is named.
        ValueError: the format is that of a single file.
        OSError: it cannot be read, or not be written.
    """
    if content_format is ContentFormat.FILE:
        raise ValueError("a single file is no archive")
    with ExitStack() as opened:
        descriptor = os.open(archive, os.O_RDONLY | os.O_CLOEXEC)
        opened.callback(os.close, descriptor)
        top = os.open(destination, FOLDER_FLAGS)
        opened.callback(os.close, top)
        staging = opened.enter_context(_staging(top, destination))
        unpacking = _Unpacking(staging, limits, os.fstat(descriptor).st_size, only)
        try:
            count = unpacking.unpack(_entries(descriptor, content_format, limits))
        finally:
            unpacking.close()
        place(staging, top)
        return count


def _entries(
    descriptor: int, content_format: ContentFormat, limits: Limits
) -> Iterator[tuple[Entry, Iterator[bytes]]]:
    if content_format is ContentFormat.ZIP:
        return ZipReader(descriptor, limits).entries()
    return TarReader(descriptor).entries()


@contextmanager
def _staging(top: int, destination: Path) -> Iterator[int]:
    """Make a fresh folder beside what is to be unpacked, on the same file system, and remove it again."""
    name = f".lineshaft-{secrets.token_hex(8)}"
    os.mkdir(name, _PRIVATE, dir_fd=top)
    try:
        staging = os.open(name, FOLDER_FLAGS, dir_fd=top)
        try:
            yield staging
        finally:
            os.close(staging)
    finally:
        shutil.rmtree(destination / name)


class _Unpacking:
    """Writes entries below a folder that was empty, and in which nobody else writes.

    Links are made last, so that while anything is written there is none that could be followed.
    """

    def __init__(self, top: int, limits: Limits, archive_bytes: int, only: PathRules | None) -> None:
        self._names = Names()
        self._limits = limits
        self._most_bytes = min(limits.size_bytes, max(limits.any_ratio_bytes, limits.ratio * archive_bytes))
        self._bytes = 0
        self._links: list[tuple[tuple[str, ...], str]] = []
        self._open: list[tuple[str, int]] = []
        self._top = top
        self._only = only

    def unpack(self, entries: Iterator[tuple[Entry, Iterator[bytes]]]) -> int:
        """Write all entries, and tell how many there were."""
        count = 0
        for entry, content in entries:
            count += 1
            parts = name_parts(entry.name)
            if self._only is not None and not self._only.cover(entry.name):
                raise refusal(entry.name, "is not among the paths that are asked for")
            self._names.add(parts, folder=entry.kind is EntryKind.FOLDER)
            if max(count, len(self._names)) > self._limits.entries:
                raise refusal(entry.name, f"is one of more than {self._limits.entries:,} entries")
            match entry.kind:
                case EntryKind.FILE:
                    self._write(entry, parts, content)
                case EntryKind.FOLDER:
                    self._folder(parts)
                case EntryKind.LINK:
                    self._note_link(entry, parts)
                case _:
                    assert_never(entry.kind)
            for _ in content:
                raise refusal(entry.name, "has content that does not belong to it")
        for parts, target in self._links:
            os.symlink(target, parts[-1], dir_fd=self._folder(parts[:-1]))
        return count

    def close(self) -> None:
        """Close the folders that are open."""
        while self._open:
            os.close(self._open.pop()[1])

    def _note_link(self, entry: Entry, parts: tuple[str, ...]) -> None:
        why = why_target_unsafe(len(parts) - 1, entry.target)
        if why is not None:
            raise refusal(entry.name, why)
        self._links.append((parts, entry.target))

    def _write(self, entry: Entry, parts: tuple[str, ...], content: Iterator[bytes]) -> None:
        self._charge(entry, entry.size_bytes)
        file = os.open(parts[-1], _NEW_FILE, _FILE_MODE, dir_fd=self._folder(parts[:-1]))
        try:
            written = 0
            for chunk in content:
                written += len(chunk)
                if written > entry.size_bytes:
                    raise refusal(entry.name, "is larger than the archive says")
                _write_all(file, chunk)
            os.fchmod(file, entry.mode & _ALLOWED | _FILE_MODE)
            if entry.modified:
                os.utime(file, (entry.modified, entry.modified))
        finally:
            os.close(file)

    def _charge(self, entry: Entry, size: int) -> None:
        self._bytes += size
        if self._bytes > self._most_bytes:
            raise refusal(
                entry.name, f"unpacks, with those before it, to more than {self._most_bytes:,} bytes"
            )

    def _folder(self, parts: tuple[str, ...]) -> int:
        """Open a folder, made where it is not there; those above it stay open for the next entry."""
        common = 0
        while common < min(len(parts), len(self._open)) and self._open[common][0] == parts[common]:
            common += 1
        while len(self._open) > common:
            os.close(self._open.pop()[1])
        for part in parts[common:]:
            parent = self._open[-1][1] if self._open else self._top
            try:
                os.mkdir(part, _FOLDER_MODE, dir_fd=parent)
            except FileExistsError:
                pass
            else:
                os.chmod(part, _FOLDER_MODE, dir_fd=parent)
            self._open.append((part, os.open(part, FOLDER_FLAGS, dir_fd=parent)))
        return self._open[-1][1] if self._open else self._top


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
