"""Files of attempts kept in memory: a `WorkerFiles` for tests of those who use one."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from lineshaft.engine.cache_scope import CacheScope, cache_scope, is_branch
from lineshaft.model.artifact import PART_BYTES, Artifact, ArtifactKind, Content
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.cause import Cause
from lineshaft.model.errors import (
    ArtifactNotFoundError,
    InputTooLargeError,
    InvalidInputError,
    StaleLeaseError,
    UnavailableError,
)
from lineshaft.model.run import Source
from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.sdk.worker_files import PartData
from lineshaft.wire.files import (
    PART_WAIT_SECONDS,
    CacheAnswer,
    CacheRequest,
    FilesAnswer,
    FilesRequest,
    KeptFiles,
    Leased,
    Part,
    ReadRequest,
    TestCases,
    UploadAnswer,
    UploadEnd,
    UploadRequest,
)

_CHUNK_BYTES: Final = 1024 * 1024
_PIPELINE: Final = UUID(int=1)


@dataclass(frozen=True, slots=True)
class MemoryLease:
    """An attempt that is leased, and what of its run matters for its files.

    Attributes:
        address: which attempt.
        token: of its lease.
        pipeline_id: of whose run it is.
        path: the node's.
        source: what the run works on.
        cause: what started the run.
        untrusted: whether the run works on a change that is not trusted.
        needs: the attempts whose artifacts it gets, in their order.
    """

    address: AttemptAddress
    token: str
    pipeline_id: UUID = _PIPELINE
    path: str = "a"
    source: Source | None = None
    cause: Cause = Cause.MANUAL
    untrusted: bool = False
    needs: tuple[AttemptAddress, ...] = ()


@dataclass(slots=True)
class _Upload:
    lease: MemoryLease
    request: UploadRequest
    parts: dict[int, bytes] = field(default_factory=dict)
    end: UploadEnd | None = None
    kept: Artifact | None = None
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def data(self) -> bytes:
        return b"".join(self.parts[number] for number in sorted(self.parts))

    def has_all_before(self, number: int) -> bool:
        return all(each in self.parts for each in range(number))


class MemoryFiles:
    """Serves `WorkerFiles` from memory, by the rules of a server: durable as long as the process.

    Tests tell it which attempts are leased (`lease`, `end_lease`), and look at what it keeps.

    Attributes:
        tests: the test cases that were told of, without repeats.
    """

    def __init__(
        self, clock: Clock | None = None, *, part_bytes: int = PART_BYTES, largest_bytes: int = 2**30
    ) -> None:
        """Keep nothing yet.

        Args:
            clock: tells the time; the machine's by default.
            part_bytes: how many bytes each part has, but for the last.
            largest_bytes: how many bytes an artifact may have.
        """
        self.tests: Final[list[TestCases]] = []
        self._clock = clock or SystemClock()
        self._part_bytes = part_bytes
        self._largest_bytes = largest_bytes
        self._leases: dict[AttemptAddress, MemoryLease] = {}
        self._uploads: dict[UUID, _Upload] = {}
        self._caches: dict[tuple[UUID, str, str], Artifact] = {}

    def lease(self, lease: MemoryLease) -> None:
        """Let an attempt be leased."""
        self._leases[lease.address] = lease

    def end_lease(self, address: AttemptAddress) -> None:
        """Let an attempt's lease be dead; what it has not ended is removed."""
        del self._leases[address]
        for upload_id, upload in list(self._uploads.items()):
            if upload.lease.address == address and upload.kept is None:
                del self._uploads[upload_id]

    @property
    def kept(self) -> tuple[Artifact, ...]:
        """All that is kept, in the order in which it was begun."""
        return tuple(upload.kept for upload in self._uploads.values() if upload.kept is not None)

    def content(self, artifact: UUID) -> bytes:
        """Return the bytes of what is kept."""
        return self._uploads[artifact].data

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        """Begin to keep files, or hear how much of them is there already."""
        lease = self._living(request)
        known = self._uploads.get(request.upload)
        if known is not None:
            if (known.lease.address, known.request.kind, known.request.name) != (
                lease.address,
                request.kind,
                request.name,
            ):
                raise InvalidInputError("The id is that of another upload.")
            there = next(number for number in range(len(known.parts) + 1) if number not in known.parts)
            return UploadAnswer(part_bytes=self._part_bytes, parts=there)
        if any(_is_same(upload, lease, request) for upload in self._uploads.values()):
            raise InvalidInputError(f"The attempt keeps another {request.kind.value} named '{request.name}'.")
        why_not = self._why_not(lease, request)
        if why_not:
            return UploadAnswer(part_bytes=self._part_bytes, refused=why_not)
        self._uploads[request.upload] = _Upload(lease, request)
        return UploadAnswer(part_bytes=self._part_bytes)

    async def put_part(self, part: Part, data: PartData) -> None:
        """Store a part."""
        upload = self._upload(part, part.upload)
        if len(data) > self._part_bytes:
            raise InputTooLargeError(f"A part has at most {self._part_bytes:,} bytes.")
        if part.number * self._part_bytes + len(data) > self._largest_bytes:
            raise InputTooLargeError(f"No artifact may have more than {self._largest_bytes:,} bytes.")
        await self._wait_for_those_before(upload, part.number)
        upload = self._upload(part, part.upload)
        before = b"".join(upload.parts[number] for number in range(part.number))
        if hashlib.sha256(before + data).hexdigest() != part.sha256:
            raise InvalidInputError("The upload up to the part's end has another digest than was said.")
        if upload.parts.get(part.number, data) != data:
            raise InvalidInputError("Another part of this number is there already.")
        if data and upload.end is None:
            upload.parts[part.number] = bytes(data)
            async with upload.came:
                upload.came.notify_all()

    async def end_upload(self, end: UploadEnd) -> None:
        """Declare an upload complete."""
        upload = self._upload(end, end.upload)
        if upload.end is not None:
            if upload.end != end:
                raise InvalidInputError("The upload has ended with other bytes.")
            return
        whole = len(upload.parts) == -(-end.size_bytes // self._part_bytes)
        if not whole or len(upload.data) != end.size_bytes:
            raise InvalidInputError("Parts of the upload are missing, or it has another number of bytes.")
        if hashlib.sha256(upload.data).hexdigest() != end.sha256:
            raise InvalidInputError("The upload has another digest than was said.")
        upload.end = end
        kept = self._artifact(upload, end)
        if upload.request.kind is ArtifactKind.CACHE:
            scope = _scope(upload.lease, upload.request.branch, "")
            self._caches.setdefault((upload.lease.pipeline_id, scope.own, upload.request.name), kept)
        upload.kept = kept

    async def needed_files(self, request: FilesRequest) -> FilesAnswer:
        """Hear which artifacts are to be placed in the attempt's workspace."""
        return FilesAnswer(files=tuple(_files(each) for each in self._needed(self._living(request))))

    async def find_cache(self, request: CacheRequest) -> CacheAnswer:
        """Look for a cache that the attempt may read, and hear whether it may keep one."""
        lease = self._living(request)
        scope = _scope(lease, request.branch, request.default_branch)
        held = (lease.pipeline_id, scope.own, request.key) in self._caches
        why_not = scope.why_not or (_taken(request.key) if held else "")
        wanted = [(request.key, True)] + [(beginning, False) for beginning in request.restore]
        for text, exact in wanted:
            for branch in scope.readable:
                fitting = [
                    cache
                    for (pipeline_id, of_branch, key), cache in self._caches.items()
                    if (pipeline_id, of_branch) == (lease.pipeline_id, branch)
                    and (key == text if exact else key.startswith(text))
                ]
                if fitting:
                    return CacheAnswer(
                        files=_files(fitting[-1]),
                        exact=fitting[-1].name == request.key,
                        branch=branch,
                        writable=not why_not,
                        why_not=why_not,
                    )
        return CacheAnswer(writable=not why_not, why_not=why_not)

    async def read(self, request: ReadRequest) -> AsyncIterator[bytes]:
        """Read bytes of files that the attempt was told of, in chunks of at most 1 MiB."""
        lease = self._living(request)
        readable = [*self._needed(lease), *self._readable_caches(lease)]
        if request.artifact not in {each.id for each in readable}:
            raise ArtifactNotFoundError("There are no such files, or the attempt has no business with them.")
        data = memoryview(self.content(request.artifact))[request.start : request.stop]
        for at in range(0, len(data), _CHUNK_BYTES):
            yield bytes(data[at : at + _CHUNK_BYTES])

    async def report_tests(self, cases: TestCases) -> None:
        """Tell of test cases."""
        self._living(cases)
        known = {(each.address, each.result, each.number) for each in self.tests}
        if (cases.address, cases.result, cases.number) not in known:
            self.tests.append(cases)

    async def _wait_for_those_before(self, upload: _Upload, number: int) -> None:
        try:
            async with asyncio.timeout(PART_WAIT_SECONDS), upload.came:
                await upload.came.wait_for(lambda: upload.has_all_before(number))
        except TimeoutError:
            raise UnavailableError("The parts before it are not there yet.") from None

    def _living(self, message: Leased) -> MemoryLease:
        lease = self._leases.get(message.address)
        if lease is None or lease.token != message.token:
            raise StaleLeaseError("The token is not that of a living lease on this attempt.")
        return lease

    def _upload(self, message: Leased, upload_id: UUID) -> _Upload:
        lease = self._living(message)
        upload = self._uploads.get(upload_id)
        if upload is None or upload.lease.address != lease.address:
            raise ArtifactNotFoundError("The attempt has no such upload.")
        return upload

    def _why_not(self, lease: MemoryLease, request: UploadRequest) -> str:
        if request.kind is not ArtifactKind.CACHE:
            return ""
        scope = _scope(lease, request.branch, "")
        held = (lease.pipeline_id, scope.own, request.name) in self._caches
        return scope.why_not or (_taken(request.name) if held else "")

    def _needed(self, lease: MemoryLease) -> Iterable[Artifact]:
        for address in lease.needs:
            for artifact in self.kept:
                if artifact.address == address and artifact.kind is ArtifactKind.ARTIFACT:
                    yield artifact

    def _readable_caches(self, lease: MemoryLease) -> Iterable[Artifact]:
        for (pipeline_id, scope, _), cache in self._caches.items():
            if pipeline_id == lease.pipeline_id and (not lease.untrusted or is_branch(scope)):
                yield cache

    def _artifact(self, upload: _Upload, end: UploadEnd) -> Artifact:
        request, now = upload.request, self._clock.now()
        seconds = request.expire_seconds
        return Artifact(
            id=request.upload,
            kind=request.kind,
            address=upload.lease.address,
            pipeline_id=upload.lease.pipeline_id,
            path=upload.lease.path,
            name=request.name,
            type=request.type,
            content=Content(request.format, request.media_type, end.size_bytes, end.sha256),
            created_at=now,
            expires_at=None if seconds is None else now + timedelta(seconds=seconds),
        )


def _scope(lease: MemoryLease, found: str, default: str) -> CacheScope:
    return cache_scope(lease.source, lease.cause, untrusted=lease.untrusted, found=found, default=default)


def _is_same(upload: _Upload, lease: MemoryLease, request: UploadRequest) -> bool:
    known = upload.request
    return (upload.lease.address, known.kind, known.name) == (lease.address, request.kind, request.name)


def _files(artifact: Artifact) -> KeptFiles:
    return KeptFiles(id=artifact.id, path=artifact.path, name=artifact.name, content=artifact.content)


def _taken(key: str) -> str:
    return f"A cache is kept under the key '{key}' already."
