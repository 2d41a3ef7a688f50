"""Blobs as files in a folder."""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final

from lineshaft.model.errors import NotFoundError, UnavailableError

_KEY: Final = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*")
_CHUNK_BYTES: Final = 1024 * 1024


class BlobFolder:
    """Keeps each blob in a file of its own; see `ports.blobs.Blobs`.

    A blob is written beside its place, forced to the disk and then renamed, so that it is there whole or not
    at all. Files are read and written in threads.
    """

    def __init__(self, root: Path) -> None:
        """Keep the blobs below `root`, which is made when the first one comes."""
        self._root = root

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Store the chunks, joined, durably and atomically.

        Returns:
            The number of bytes stored.

        Raises:
            UnavailableError: the folder cannot be written to.
        """
        path = self._path(key)
        size = 0
        with _explained(path):
            file = await asyncio.to_thread(_open_beside, path)
            try:
                async for chunk in chunks:
                    await asyncio.to_thread(_write, file, chunk)
                    size += len(chunk)
                await asyncio.to_thread(_finish, file, path)
            except BaseException:
                _discard(file)
                raise
        return size

    async def read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` up to `stop`, in chunks of at most 1 MiB.

        Raises:
            NotFoundError: there is no such blob.
            UnavailableError: the folder cannot be read.
        """
        path = self._path(key)
        with _explained(path):
            file = await asyncio.to_thread(_open_at, path, start)
        try:
            while start < stop:
                with _explained(path):
                    chunk = await asyncio.to_thread(file.read, min(_CHUNK_BYTES, stop - start))
                if not chunk:
                    return
                start += len(chunk)
                yield chunk
        finally:
            file.close()

    async def delete(self, key: str) -> None:
        """Remove a blob; nothing happens when there is none.

        Raises:
            UnavailableError: the folder cannot be written to.
        """
        path = self._path(key)
        with _explained(path):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def _path(self, key: str) -> Path:
        if _KEY.fullmatch(key) is None:
            raise ValueError(f"{key!r} is no key of a blob")
        return self._root / key


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be used: {error.strerror or error}.",
            advice="Check the disk and the permissions of the data folder.",
        ) from error


def _open_beside(path: Path) -> FileIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    return part.open("xb", buffering=0)


def _open_at(path: Path, start: int) -> FileIO:
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        raise NotFoundError(f"There is no blob at {path}.") from None
    file.seek(start)
    return file


def _write(file: FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]


def _finish(file: FileIO, path: Path) -> None:
    """Make what was written durable, then visible, then make that durable as well."""
    os.fsync(file.fileno())
    file.close()
    Path(str(file.name)).replace(path)
    for folder in (path.parent, path.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _discard(file: FileIO) -> None:
    file.close()
    Path(str(file.name)).unlink(missing_ok=True)
