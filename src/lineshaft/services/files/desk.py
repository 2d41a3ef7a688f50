"""The desk at which workers keep files and find them: `sdk.worker_files`, served by direct calls."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from lineshaft.engine.cache_scope import is_branch
from lineshaft.engine.files import file_sources
from lineshaft.model.artifact import Artifact, ArtifactKind
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import ArtifactNotFoundError
from lineshaft.model.run import Run
from lineshaft.model.worker_key import INSIDE, WorkerCaller
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Store, Transaction
from lineshaft.sdk.worker_files import PartData
from lineshaft.services.files.caching import found_cache, kept_files
from lineshaft.services.files.reading import FileReading
from lineshaft.services.files.receiving import Receiving
from lineshaft.services.fleet.sessions import Sessions
from lineshaft.services.logs import who_ran
from lineshaft.wire.files import (
    CacheAnswer,
    CacheRequest,
    FilesAnswer,
    FilesRequest,
    Leased,
    Part,
    ReadRequest,
    TestCases,
    UploadAnswer,
    UploadEnd,
    UploadRequest,
)

_CHUNK_BYTES: Final = 1024 * 1024

TakeTests = Callable[[TestCases], Awaitable[None]]
"""Keeps test cases that a worker tells of, whose lease it checks when it writes them."""


async def take_no_tests(_: TestCases) -> None:
    """Stand in where nobody wants to hear of test cases."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all callers share."""

    store: Store
    clock: Clock
    sessions: Sessions
    receiving: Receiving
    reading: FileReading
    take_tests: TakeTests


class CallersFiles:
    """The desk as one caller finds it; it speaks `sdk.worker_files.WorkerFiles`.

    Besides what the protocol names, every method raises `ForbiddenError` where the caller speaks for a lease
    that belongs to another key; nothing is changed then.
    """

    def __init__(self, desk: _Desk, caller: WorkerCaller) -> None:
        self._desk = desk
        self._caller = caller

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        """Begin to keep files, or hear how much of them is there already."""
        await self._check(request)
        return await self._desk.receiving.begin(request)

    async def put_part(self, part: Part, data: PartData) -> None:
        """Store a part."""
        await self.put_chunks(part, _in_chunks(data))

    async def put_chunks(self, part: Part, chunks: AsyncIterator[bytes]) -> None:
        """Store a part whose bytes come in chunks; see `put_part`."""
        await self._check(part)
        await self._desk.receiving.put(part, chunks)

    async def end_upload(self, end: UploadEnd) -> None:
        """Declare an upload complete: from now on the artifact is there."""
        await self._check(end)
        await self._desk.receiving.end(end)

    async def needed_files(self, request: FilesRequest) -> FilesAnswer:
        """Hear which artifacts are to be placed in the attempt's workspace."""
        now = self._desk.clock.now()

        def work(transaction: Transaction) -> FilesAnswer:
            needed = _needed(transaction, self._leased_run(transaction, request), request.address.node)
            there = [each for each in needed if each.expires_at is None or each.expires_at > now]
            return FilesAnswer(files=tuple(kept_files(each) for each in there))

        return await self._desk.store.read(work)

    async def find_cache(self, request: CacheRequest) -> CacheAnswer:
        """Look for a cache that the attempt may read, and hear whether it may keep one."""
        desk = self._desk
        answer, found = await desk.store.read(
            lambda transaction: found_cache(transaction, self._leased_run(transaction, request), request)
        )
        if found is not None:
            now, artifact_id = desk.clock.now(), found.id
            await desk.store.write(lambda transaction: transaction.caches.use(artifact_id, now))
        return answer

    async def read(self, request: ReadRequest) -> AsyncGenerator[bytes, None]:
        """Read bytes of files that the attempt was told of, in chunks of at most 1 MiB."""
        artifact = await self.readable(request)
        async with aclosing(self.bytes_of(artifact, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def readable(self, request: ReadRequest) -> Artifact:
        """Find the files that a worker wants to read.

        Raises:
            ArtifactNotFoundError: there are no such files, or the attempt has no business with them.
            ArtifactExpiredError: their time is over.
        """
        artifact = await self._desk.store.read(
            lambda transaction: _readable(transaction, self._leased_run(transaction, request), request)
        )
        self._desk.reading.refuse_expired(artifact)
        return artifact

    def bytes_of(self, artifact: Artifact, request: ReadRequest) -> AsyncGenerator[bytes, None]:
        """Read the bytes that were asked for, of files that `readable` has found."""
        return self._desk.reading.read(artifact, request.start, request.stop)

    async def report_tests(self, cases: TestCases) -> None:
        """Tell of test cases; what was told already under the same number is not taken again."""
        await self._check(cases)
        await self._desk.take_tests(cases)

    async def _check(self, message: Leased) -> None:
        await self._desk.sessions.check_lease(message.address, message.token, self._caller)

    def _leased_run(self, transaction: Transaction, message: Leased) -> Run:
        return self._desk.sessions.leased_run(transaction, message.address, message.token, self._caller)


class FilesDesk(CallersFiles):
    """Serves the files of workers within the server's process; `of` tells what callers elsewhere find."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        receiving: Receiving,
        reading: FileReading,
        *,
        take_tests: TakeTests,
    ) -> None:
        desk = _Desk(store, clock, Sessions(store), receiving, reading, take_tests)
        super().__init__(desk, INSIDE)

    def of(self, caller: WorkerCaller) -> CallersFiles:
        """Return the desk as a caller finds it."""
        return CallersFiles(self._desk, caller)


async def _in_chunks(data: PartData) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(data), _CHUNK_BYTES):
        yield bytes(data[start : start + _CHUNK_BYTES])


def _readable(transaction: Transaction, run: Run, request: ReadRequest) -> Artifact:
    artifact = transaction.artifacts.get(request.artifact)
    if artifact is None or not _has_business(transaction, run, request.address.node, artifact):
        raise ArtifactNotFoundError("There are no such files, or the attempt has no business with them.")
    return artifact


def _has_business(transaction: Transaction, run: Run, node: int, artifact: Artifact) -> bool:
    """Tell whether an attempt may have been told of files.

    On which branch the worker has found the source is not known here, so all caches of the pipeline count;
    for a run of an untrusted change those of branches.
    """
    if artifact.kind is ArtifactKind.CACHE:
        place = transaction.caches.has(artifact.id)
        return (
            place is not None and place[0] == run.pipeline_id and (not run.untrusted or is_branch(place[1]))
        )
    return artifact.kind is ArtifactKind.ARTIFACT and artifact.address in _sources(transaction, run, node)


def _needed(transaction: Transaction, run: Run, node: int) -> list[Artifact]:
    sources = _sources(transaction, run, node)
    found: dict[AttemptAddress, list[Artifact]] = {address: [] for address in sources}
    for artifact in transaction.artifacts.of_attempts(sources, ArtifactKind.ARTIFACT):
        found[artifact.address].append(artifact)
    return [artifact for address in sources for artifact in found[address]]


def _sources(transaction: Transaction, run: Run, node: int) -> list[AttemptAddress]:
    """List the attempts whose artifacts an attempt gets, in the order in which they are to be placed."""
    sources: list[AttemptAddress] = []
    for index in file_sources(run.tree, node):
        path = run.tree[index].path
        ran = who_ran(transaction, run, path)
        place = None if ran is None else ran.tree.find(path)
        if ran is not None and place is not None and ran.nodes[place.index].attempt:
            sources.append(AttemptAddress(ran.id, place.index, ran.nodes[place.index].attempt))
    return sources
