"""Blobs as files in a folder."""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from typing import Final, TypeVar

from lineshaft.model.errors import NotFoundError, UnavailableError

_KEY: Final = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*")
_CHUNK_BYTES: Final = 1024 * 1024
_FOLDER_TRIES: Final = 100
_T = TypeVar("_T")


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
        part = _Part(path)
        size = 0
        with _explained(path):
            try:
                await _in_thread(part.open)
                async for chunk in chunks:
                    await _in_thread(part.write, chunk)
                    size += len(chunk)
                await _in_thread(part.finish)
            finally:
                part.discard()
        return size

    async def read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` up to `stop`, in chunks of at most 1 MiB.

        Raises:
            NotFoundError: there is no such blob.
            UnavailableError: the folder cannot be read.
        """
        path = self._path(key)
        with ExitStack() as opened:
            with _explained(path):
                file = await _in_thread(lambda: opened.enter_context(_open_at(path, start)))
            while start < stop:
                with _explained(path):
                    chunk = await _in_thread(file.read, min(_CHUNK_BYTES, stop - start))
                if not chunk:
                    return
                start += len(chunk)
                yield chunk

    async def delete(self, key: str) -> None:
        """Remove a blob, what was left of it, and the folders that are empty then.

        Raises:
            UnavailableError: the folder cannot be written to.
        """
        path = self._path(key)
        with _explained(path):
            await _in_thread(_remove, path, self._root)

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


async def _in_thread(function: Callable[..., _T], *arguments: object) -> _T:
    """Call a function in a thread, and come back only when it has returned, even when cancelled.

    A thread cannot be cut off: what it still opens or writes must not outlive who asked for it.
    """
    working = asyncio.get_running_loop().run_in_executor(None, function, *arguments)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


class _Part:
    """A blob that is being written, beside its place; the methods are called one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        self._file: FileIO | None = None

    def open(self) -> None:
        """Make the file."""
        for left in reversed(range(_FOLDER_TRIES)):
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._part.open("xb", buffering=0)
            except (FileNotFoundError, FileExistsError):
                # Who removes the folder's last blob at this moment removes the folder as well: it is not
                # there to open a file in, or it was there when it was to be made, and is no more.
                if not left:
                    raise
            else:
                return

    def write(self, chunk: bytes) -> None:
        """Write at its end."""
        rest = memoryview(chunk)
        while rest and self._file is not None:
            rest = rest[self._file.write(rest) :]

    def finish(self) -> None:
        """Make what was written durable, then visible, then make that durable as well."""
        if self._file is None:
            return
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        self._file = None
        for folder in (self._path.parent, self._path.parent.parent):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def discard(self) -> None:
        """Remove what was not finished."""
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)


def _remove(path: Path, root: Path) -> None:
    for part in path.parent.glob(f".{path.name}.*.part"):
        part.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root:
            return
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return


def _open_at(path: Path, start: int) -> FileIO:
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        raise NotFoundError(f"There is no blob at {path}.") from None
    file.seek(start)
    return file
