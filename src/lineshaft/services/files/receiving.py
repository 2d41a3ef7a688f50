"""Receiving files from workers, part by part."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from lineshaft.model.artifact import (
    LONGEST_ARTIFACT_NAME,
    PART_BYTES,
    ArtifactKind,
    Content,
)
from lineshaft.model.errors import (
    InputTooLargeError,
    InvalidInputError,
    LineshaftError,
    UnavailableError,
)
from lineshaft.model.memory_size import memory_size
from lineshaft.model.run import Run
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Foreseen, Store, StoredPart, Transaction, Upload, UploadState
from lineshaft.ports.wakeups import upload_topic
from lineshaft.services.files.caching import refusal_of_cache, scope_of_run
from lineshaft.services.files.limits import MOST_CACHES, MOST_UPLOADS, FileLimits
from lineshaft.services.files.running_digests import Digest, RunningDigests, no_upload
from lineshaft.services.finding import find_run
from lineshaft.wire.files import Leased, Part, UploadAnswer, UploadEnd, UploadRequest

T = TypeVar("T")

_ALL: Final = 2**31 - 1
_PARTS_AT_ONCE: Final = 32
"""How many parts one process takes at once: a blob store may have to hold each of them in memory."""

_SHA256_OF_NOTHING: Final = hashlib.sha256().hexdigest()

_PART_TIME: Final = timedelta(minutes=5)
"""How long a part may take, so that nobody keeps its place for nothing."""


class Receiving:
    """Takes uploads. Every write is fenced by the lease's token."""

    def __init__(self, store: Store, blobs: Blobs, clock: Clock, limits: FileLimits) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._limits = limits
        self._digests = RunningDigests(store, blobs)
        self._room = asyncio.Semaphore(_PARTS_AT_ONCE)

    async def begin(self, request: UploadRequest) -> UploadAnswer:
        """Begin an upload, or tell how much of it is there already.

        Raises:
            StaleLeaseError: the lease is dead.
            InvalidInputError: another upload of this attempt has the name, or the id is another's.
        """

        def work(transaction: Transaction) -> UploadAnswer:
            artifacts = transaction.artifacts
            known = artifacts.upload(request.upload)
            if known is not None:
                return _goes_on(transaction, known, request)
            run = find_run(transaction, request.address.run_id)
            refused = self._refusal(transaction, run, request)
            if refused:
                return UploadAnswer(part_bytes=PART_BYTES, refused=refused)
            if not artifacts.add(_upload(run, request), self._clock.now()):
                raise _name_taken(request)
            return UploadAnswer(part_bytes=PART_BYTES)

        _check_name(request)
        return await self._write(request, work)

    async def put(self, part: Part, chunks: AsyncIterator[bytes]) -> None:
        """Store a part whose bytes come in chunks; what is in memory is no more than three of these.

        None of them is asked for before all parts before it were seen, here or elsewhere.

        Raises:
            StaleLeaseError: the lease is dead.
            ArtifactNotFoundError: there is no such upload.
            InvalidInputError: the bytes have another digest, or there are too many.
            UnavailableError: the parts before it have not come, or the database or the blob store does not
                answer.
        """
        announced = StoredPart(part.upload, part.number, 0, part.sha256)

        def announce(transaction: Transaction) -> StoredPart:
            upload = _upload_of(transaction, part, part.upload)
            known = transaction.artifacts.part(part.upload, part.number)
            if known is not None and (known.stored or known.sha256 != part.sha256):
                return known
            if upload.state is not UploadState.RECEIVING:
                raise InvalidInputError("The upload has ended.", advice="Begin another one.")
            self._refuse_size(transaction, upload, part.number * PART_BYTES + 1, 1)
            return transaction.artifacts.announce(announced)

        known = await self._write(part, announce)
        if known.sha256 != part.sha256:
            raise InvalidInputError(
                f"Part {part.number} of the upload is there with another digest.",
                advice="Begin another upload for files that have changed.",
            )
        if known.stored:
            return
        digest = await self._digests.before(part.upload, part.number, self._limits.parts_wait)
        measured = _Measured(chunks, part, digest, partial(self._digests.learn, part.upload))
        # Room is taken last: whoever waits for another part must not keep that one from coming.
        async with self._room:
            try:
                async with asyncio.timeout(_PART_TIME.total_seconds()), aclosing(measured.bytes()) as data:
                    await self._blobs.put(announced.key, data)
            except TimeoutError:
                raise _too_slow() from None
        stored = replace(announced, size_bytes=measured.size_bytes, stored=True)
        try:
            await self._write(part, lambda transaction: self._note_stored(transaction, part, stored))
        except LineshaftError:
            await self._delete_unknown(stored)
            raise

    async def end(self, end: UploadEnd) -> None:
        """Declare an upload complete.

        Raises:
            StaleLeaseError: the lease is dead.
            ArtifactNotFoundError: there is no such upload.
            InvalidInputError: parts are missing, or make up another number of bytes, or other bytes.
        """

        def work(transaction: Transaction) -> None:
            upload = _upload_of(transaction, end, end.upload)
            if upload.state is not UploadState.RECEIVING:
                _refuse_other_end(upload, end)
                return
            parts = transaction.artifacts.parts(upload.id, 0, _ALL)
            _refuse_gaps(parts, end.size_bytes)
            _refuse_other_bytes(parts, end.sha256)
            content = Content(upload.format, upload.media_type, end.size_bytes, end.sha256)
            kept = transaction.artifacts.keep(upload, content, self._clock.now())
            if kept and upload.kind is ArtifactKind.CACHE:
                transaction.caches.remove_surplus(
                    upload.pipeline_id, most=MOST_CACHES, most_bytes=self._limits.cache_bytes
                )

        await self._write(end, work)

    def _note_stored(self, transaction: Transaction, part: Part, stored: StoredPart) -> None:
        """Make it known that a part's blob is there; another call may have brought the same part before."""
        if transaction.artifacts.part(part.upload, part.number) == stored:
            return
        upload = _upload_of(transaction, part, part.upload)
        end = stored.number * PART_BYTES + stored.size_bytes
        self._refuse_size(transaction, upload, end, stored.size_bytes)
        if not transaction.artifacts.note_stored(stored):
            raise no_upload()
        # Another process may have the part behind it, and wait.
        transaction.wake(upload_topic(part.upload))

    async def _delete_unknown(self, stored: StoredPart) -> None:
        """Delete a blob of which nothing is known any more.

        Who removed the upload may have had it deleted before it was put here. One that is still known stays:
        it may be part of what is kept, and goes with that.
        """
        known = await self._store.read(lambda t: t.artifacts.part(stored.content_id, stored.number))
        if known is None:
            await self._blobs.delete(stored.key)

    def _refusal(self, transaction: Transaction, run: Run, request: UploadRequest) -> str:
        """Say why files are not wanted; empty where they are."""
        if transaction.artifacts.count_of_attempt(request.address) >= MOST_UPLOADS:
            return f"A task keeps no more than {MOST_UPLOADS:,} results, artifacts and caches."
        if request.kind is ArtifactKind.CACHE:
            return refusal_of_cache(transaction, run, scope_of_run(run, request.branch), request.name)
        if transaction.artifacts.bytes_of_run(run.id) >= self._limits.run_bytes:
            return f"The run keeps {memory_size(self._limits.run_bytes)} already, and may keep no more."
        return ""

    def _refuse_size(self, transaction: Transaction, upload: Upload, end: int, more: int) -> None:
        """Refuse bytes beyond a limit.

        Args:
            transaction: where to look.
            upload: whose bytes they are.
            end: how many bytes the upload has at least, with them.
            more: how many of these are new.
        """
        limits = self._limits
        largest = limits.artifact_bytes
        if upload.kind is ArtifactKind.CACHE:
            largest = min(largest, limits.cache_bytes)
        if end > largest:
            raise InputTooLargeError(
                f"{upload.kind.value.capitalize()} '{upload.name}' is larger than {memory_size(largest)}, "
                "which is the limit.",
                advice="Keep less, or have the server's limit raised.",
            )
        if upload.kind is not ArtifactKind.CACHE:
            kept = transaction.artifacts.bytes_of_run(upload.address.run_id)
            if kept + more > limits.run_bytes:
                raise InputTooLargeError(
                    f"The run would keep more than {memory_size(limits.run_bytes)}, which is the limit.",
                    advice="Keep less, or have the server's limit raised.",
                )

    async def _write(self, message: Leased, work: Callable[[Transaction], T]) -> T:
        def held(transaction: Transaction) -> T:
            transaction.artifacts.hold_lease(message.address, message.token)
            return work(transaction)

        return await self._store.write(
            Foreseen(held, runs=(message.address.run_id,), logs=(message.address,))
        )


class _Measured:
    """Chunks of a part, whose length and digest are seen before the last of them is given on."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        part: Part,
        digest: Digest,
        learn: Callable[[Digest], None],
    ) -> None:
        """Measure a part.

        Args:
            chunks: its bytes.
            part: what is said of it.
            digest: of all bytes before it; is changed.
            learn: is told of the digest with its bytes, if that is what was said.
        """
        self._chunks = chunks
        self._part = part
        self._digest = digest
        self._learn = learn
        self.size_bytes = 0

    async def bytes(self) -> AsyncGenerator[bytes, None]:
        """Go through the chunks.

        Raises:
            InputTooLargeError: they are more than a part may have.
            InvalidInputError: they are none, or have another digest.
        """
        last = b""
        chunks = aiter(self._chunks)
        coming = asyncio.ensure_future(anext(chunks, None))
        try:
            while (chunk := await coming) is not None:
                self.size_bytes += len(chunk)
                if self.size_bytes > PART_BYTES:
                    raise InputTooLargeError(f"A part has at most {PART_BYTES:,} bytes.")
                # One chunk comes while the next is hashed, which lets go of the interpreter, and the one
                # before is written.
                coming = asyncio.ensure_future(anext(chunks, None))
                hashing = asyncio.ensure_future(asyncio.to_thread(self._digest.update, chunk))
                try:
                    if last:
                        yield last
                finally:
                    await asyncio.wait({hashing})
                last = chunk
        finally:
            await _stop(coming)
        if not last:
            raise InvalidInputError("A part has one byte at least.", advice="Send no parts of empty files.")
        if self._digest.hexdigest() != self._part.sha256:
            raise InvalidInputError(
                f"The upload up to the end of part {self._part.number} has another digest than was said.",
                advice="Say the SHA-256 of all bytes up to the part's end, and send the part again.",
            )
        self._learn(self._digest)
        yield last


async def _stop(coming: asyncio.Future[bytes | None]) -> None:
    """Wait no more for a chunk, nor for what may have become of it."""
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)


def _check_name(request: UploadRequest) -> None:
    if not request.name.isprintable():
        raise InvalidInputError("A name must not hold control characters.")
    if request.kind is not ArtifactKind.CACHE and len(request.name) > LONGEST_ARTIFACT_NAME:
        raise InvalidInputError(f"A name must not be longer than {LONGEST_ARTIFACT_NAME} characters.")


def _upload(run: Run, request: UploadRequest) -> Upload:
    cache = request.kind is ArtifactKind.CACHE
    seconds = None if cache else request.expire_seconds
    return Upload(
        id=request.upload,
        kind=request.kind,
        address=request.address,
        pipeline_id=run.pipeline_id,
        path=run.tree[request.address.node].path,
        name=request.name,
        type=request.type,
        format=request.format,
        media_type=request.media_type,
        expire=None if seconds is None else timedelta(seconds=seconds),
        scope=scope_of_run(run, request.branch).own if cache else "",
    )


def _goes_on(transaction: Transaction, known: Upload, request: UploadRequest) -> UploadAnswer:
    same = (known.address, known.kind, known.name) == (request.address, request.kind, request.name)
    if not same:
        raise InvalidInputError("The id is that of another upload.", advice="Choose another id, at random.")
    if known.state is UploadState.REMOVING:
        raise no_upload()
    parts = transaction.artifacts.parts(known.id, 0, _ALL)
    numbers = {part.number for part in parts if part.stored}
    there = next(number for number in range(len(numbers) + 1) if number not in numbers)
    return UploadAnswer(part_bytes=PART_BYTES, parts=there)


def _upload_of(transaction: Transaction, message: Leased, upload_id: UUID) -> Upload:
    upload = transaction.artifacts.upload(upload_id)
    if upload is None or upload.address != message.address:
        raise no_upload()
    return upload


def _refuse_other_end(upload: Upload, end: UploadEnd) -> None:
    if upload.state is not UploadState.REMOVING and upload.sha256 != end.sha256:
        raise InvalidInputError(
            "The upload has ended with other bytes.", advice="Begin another one for files that have changed."
        )


def _refuse_gaps(parts: Sequence[StoredPart], size_bytes: int) -> None:
    count = -(-size_bytes // PART_BYTES)
    for number in range(count):
        expected = min(PART_BYTES, size_bytes - number * PART_BYTES)
        if number >= len(parts) or parts[number].number != number or not parts[number].stored:
            raise InvalidInputError(f"Part {number} of {count} is missing.", advice="Send it, and end then.")
        if parts[number].size_bytes != expected:
            raise InvalidInputError(
                f"Part {number} has {parts[number].size_bytes:,} bytes, and should have {expected:,}.",
                advice="Begin another upload, and send whole parts.",
            )
    if len(parts) > count:
        raise InvalidInputError(f"There are more parts than {size_bytes:,} bytes make up.")


def _refuse_other_bytes(parts: Sequence[StoredPart], sha256: str) -> None:
    """Refuse a digest of the whole that is not the one that was seen here, which is the last part's.

    Who could say that other bytes are those of a cache to come could put them in its place.
    """
    if sha256 != (parts[-1].sha256 if parts else _SHA256_OF_NOTHING):
        raise InvalidInputError(
            "The parts make up bytes of another digest than was said.",
            advice="Begin another upload for files that have changed.",
        )


def _name_taken(request: UploadRequest) -> InvalidInputError:
    return InvalidInputError(
        f"The attempt keeps another {request.kind.value} named '{request.name}'.",
        advice="Go on with the upload that was begun, or choose another name.",
    )


def _too_slow() -> UnavailableError:
    return UnavailableError(
        f"A part was not there after {_PART_TIME.total_seconds():.0f} seconds.", advice="Send it again."
    )
