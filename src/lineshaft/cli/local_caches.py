"""Caches of pipelines that run here without a server: in a folder of their user, from run to run."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Final, TypeVar
from uuid import UUID

from pydantic import ValidationError

from lineshaft.engine.cache_scope import UNTRUSTED
from lineshaft.model.artifact import PART_BYTES, ArtifactKind, Content
from lineshaft.model.errors import InvalidInputError
from lineshaft.sdk.worker_files import PartData, WorkerFiles
from lineshaft.wire.files import (
    CacheAnswer,
    CacheRequest,
    FilesAnswer,
    FilesRequest,
    KeptFiles,
    Part,
    ReadRequest,
    TestCases,
    UploadAnswer,
    UploadEnd,
    UploadRequest,
)

T = TypeVar("T")

MOST_CACHES: Final = 20
"""How many caches are kept for one folder; those that were not used for longest go."""

_PRIVATE: Final = 0o700
_CHUNK_BYTES: Final = 1 << 20


def cache_folder(environ: Mapping[str, str], folders: frozenset[Path]) -> Path:
    """Tell where the caches of pipelines are that work on some folders.

    Args:
        environ: the environment; `XDG_CACHE_HOME` counts, as the XDG Base Directory Specification says.
        folders: what the pipelines work on.
    """
    said = environ.get("XDG_CACHE_HOME", "")
    home = Path(said) if said.startswith("/") else Path(environ.get("HOME") or "/") / ".cache"
    name = hashlib.sha256("\n".join(sorted(str(folder) for folder in folders)).encode()).hexdigest()
    return home / "lineshaft" / "caches" / name[:16]


@dataclass(slots=True)
class _Upload:
    request: UploadRequest
    path: Path


class LocalCaches:
    """Speaks `sdk.worker_files.WorkerFiles`: caches are kept in a folder, all else is for another to keep.

    Caches have no branches here: whoever works on this machine is one and the same.
    """

    def __init__(self, files: WorkerFiles, folder: Path, *, keeps: bool = True) -> None:
        """Keep caches in `folder`, which is made when the first is kept.

        Args:
            files: keeps all else.
            folder: where they are.
            keeps: whether any are kept; those of changes that are not trusted are only looked for.
        """
        self._files = files
        self._folder = folder
        self._why_not = "" if keeps else UNTRUSTED
        self._uploads: dict[UUID, _Upload] = {}
        self._found: dict[UUID, Path] = {}

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        """Begin to keep files, or hear how much of them is there already."""
        if request.kind is not ArtifactKind.CACHE:
            return await self._files.begin_upload(request)
        if self._why_not:
            return UploadAnswer(part_bytes=PART_BYTES, refused=self._why_not)
        if request.upload not in self._uploads:
            try:
                self._uploads[request.upload] = await asyncio.to_thread(self._begin, request)
            except OSError as error:
                why = f"The folder of caches, {self._folder}, cannot be written ({error.strerror})."
                return UploadAnswer(part_bytes=PART_BYTES, refused=why)
        return UploadAnswer(part_bytes=PART_BYTES)

    async def put_part(self, part: Part, data: PartData) -> None:
        """Store a part."""
        upload = self._uploads.get(part.upload)
        if upload is None:
            await self._files.put_part(part, data)
            return
        await _writing(lambda: _write(upload.path, part.number * PART_BYTES, data))

    async def end_upload(self, end: UploadEnd) -> None:
        """Declare an upload complete: from now on the cache is there."""
        upload = self._uploads.get(end.upload)
        if upload is None:
            await self._files.end_upload(end)
            return
        await _writing(lambda: self._end(upload, end))
        del self._uploads[end.upload]

    async def needed_files(self, request: FilesRequest) -> FilesAnswer:
        """Hear which artifacts are to be placed in the attempt's workspace."""
        return await self._files.needed_files(request)

    async def find_cache(self, request: CacheRequest) -> CacheAnswer:
        """Look for a cache."""
        found = await asyncio.to_thread(self._find, request)
        if found is None:
            return CacheAnswer(writable=not self._why_not, why_not=self._why_not)
        self._found[found.id] = self._data(found.content.sha256)
        exact = found.name == request.key
        there = f"A cache is kept under the key '{request.key}' already." if exact else ""
        why_not = self._why_not or there
        return CacheAnswer(files=found, exact=exact, writable=not why_not, why_not=why_not)

    async def read(self, request: ReadRequest) -> AsyncGenerator[bytes, None]:
        """Read bytes of files that the attempt was told of."""
        path = self._found.get(request.artifact)
        chunks: AsyncIterator[bytes] = self._files.read(request) if path is None else _read(path, request)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def report_tests(self, cases: TestCases) -> None:
        """Tell of test cases."""
        await self._files.report_tests(cases)

    def close(self) -> None:
        """Remove what was begun and never ended."""
        for upload in self._uploads.values():
            upload.path.unlink(missing_ok=True)

    def _begin(self, request: UploadRequest) -> _Upload:
        self._folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        descriptor, name = mkstemp(dir=self._folder, suffix=".part")
        os.close(descriptor)
        return _Upload(request, Path(name))

    def _end(self, upload: _Upload, end: UploadEnd) -> None:
        request = upload.request
        content = Content(request.format, request.media_type, end.size_bytes, end.sha256)
        kept = KeptFiles(id=request.upload, path="", name=request.name, content=content)
        upload.path.replace(self._data(end.sha256))
        note = upload.path.with_suffix(".note")
        note.write_text(kept.model_dump_json(), "utf-8")
        note.replace(self._folder / f"{hashlib.sha256(request.name.encode()).hexdigest()}.json")
        self._remove_old()

    def _find(self, request: CacheRequest) -> KeptFiles | None:
        known = list(self._newest_first())
        for fits in (_is(request.key), *(_begins(each) for each in request.restore)):
            for note, kept in known:
                if fits(kept.name) and self._data(kept.content.sha256).is_file():
                    os.utime(note)
                    return kept
        return None

    def _newest_first(self) -> Iterator[tuple[Path, KeptFiles]]:
        notes = {note: note.stat().st_mtime_ns for note in self._folder.glob("*.json")}
        for note in sorted(notes, key=notes.__getitem__, reverse=True):
            try:
                yield note, KeptFiles.model_validate_json(note.read_bytes())
            except (OSError, ValidationError):
                # Another run has removed it, or another version has written it.
                continue

    def _remove_old(self) -> None:
        kept: set[str] = set()
        for number, (note, files) in enumerate(self._newest_first()):
            if number < MOST_CACHES:
                kept.add(self._data(files.content.sha256).name)
            else:
                note.unlink(missing_ok=True)
        for data in self._folder.glob("*.zst"):
            if data.name not in kept:
                data.unlink(missing_ok=True)

    def _data(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.tar.zst"


async def _writing(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise InvalidInputError(f"The cache cannot be written ({error.strerror}).") from error


def _write(path: Path, offset: int, data: PartData) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


async def _read(path: Path, request: ReadRequest) -> AsyncIterator[bytes]:
    place = request.start
    while place < request.stop:
        size = min(_CHUNK_BYTES, request.stop - place)
        chunk = await asyncio.to_thread(_read_at, path, place, size)
        if not chunk:
            return
        place += len(chunk)
        yield chunk


def _read_at(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def _is(key: str) -> Callable[[str], bool]:
    return lambda name: name == key


def _begins(beginning: str) -> Callable[[str], bool]:
    return lambda name: name.startswith(beginning)
