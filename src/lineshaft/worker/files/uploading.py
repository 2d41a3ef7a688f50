"""Uploading: what is packed goes to the server in parts, several at once, while the next is being made."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lineshaft.archive import FileChangedError, TooManyFilesError
from lineshaft.integrations.git.thread import in_thread
from lineshaft.model.artifact import ArtifactKind, ContentFormat
from lineshaft.model.errors import InvalidInputError, NotFoundError
from lineshaft.model.kept_files import ResultType
from lineshaft.ports.ids import RandomIds
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.wire.files import Part, UploadAnswer, UploadEnd, UploadRequest
from lineshaft.worker.files.parts import MadePart, Parts
from lineshaft.worker.files.progress import Progress

_AT_ONCE: Final = 3
"""How many parts are on their way at once; with the one that is made, all that is in memory."""


@dataclass(frozen=True, slots=True)
class ToKeep:
    """What is to be kept.

    Attributes:
        kind: what for.
        name: what it is called; of a cache, its key.
        format: how the bytes hold the files.
        media_type: what the bytes are.
        type: how the files of a result are written.
        expire_seconds: how long it is kept; None as long as the run.
        branch: of a cache: the branch that the source was found on, where the server does not know it.
    """

    kind: ArtifactKind
    name: str
    format: ContentFormat
    media_type: str
    type: ResultType | None = None
    expire_seconds: float | None = None
    branch: str = ""

    @property
    def title(self) -> str:
        """Name it for people, at the beginning of a line."""
        return f"{self.kind.value.capitalize()} '{self.name}'"


class NotKeptError(Exception):
    """Files cannot be kept; the message is a sentence that tells why."""


async def upload(assignment: Assignment, what: ToKeep, chunks: Iterator[bytes]) -> int:
    """Keep what is packed.

    Args:
        assignment: whose files they are.
        what: what they are.
        chunks: what is packed; is read in threads, no further than can be sent.

    Returns:
        How many bytes are kept.

    Raises:
        NotKeptError: the server does not want them, or they cannot be read as they are.
        StaleLeaseError: the lease is dead.
    """
    try:
        return await _upload(assignment, what, chunks)
    except (FileChangedError, TooManyFilesError) as error:
        raise NotKeptError(f"What it is to keep {error}.") from error
    except OSError as error:
        raise NotKeptError(f"The workspace cannot be read ({error.strerror}).") from error
    except (InvalidInputError, NotFoundError) as error:
        raise NotKeptError(error.message) from error


async def _upload(assignment: Assignment, what: ToKeep, chunks: Iterator[bytes]) -> int:
    lease = assignment.lease
    request = UploadRequest(
        address=lease.address,
        token=lease.token,
        upload=RandomIds().new_id(),
        kind=what.kind,
        name=what.name,
        type=what.type,
        format=what.format,
        media_type=what.media_type,
        expire_seconds=what.expire_seconds,
        branch=what.branch,
    )
    answer = await assignment.files.begin_upload(request)
    if answer.refused is not None:
        raise NotKeptError(answer.refused)
    parts = Parts(chunks, answer.part_bytes)
    await _Sending(assignment, request, answer, Progress(assignment.log, f"{what.title}: sent")).send(parts)
    end = UploadEnd(
        address=lease.address,
        token=lease.token,
        upload=request.upload,
        size_bytes=parts.size_bytes,
        sha256=parts.sha256,
    )
    await assignment.files.end_upload(end)
    return parts.size_bytes


class _Sending:
    """Sends the parts of one upload."""

    def __init__(
        self, assignment: Assignment, request: UploadRequest, answer: UploadAnswer, progress: Progress
    ) -> None:
        self._files = assignment.files
        self._request = request
        self._first = answer.parts
        self._progress = progress
        self._under_way: set[asyncio.Task[None]] = set()

    async def send(self, parts: Parts) -> None:
        """Send all parts; the first failure ends it, when nothing is under way any more."""
        try:
            while (part := await in_thread(parts.next)) is not None:
                if part.number < self._first:
                    parts.give_back(part.buffer)
                    continue
                await self._until_fewer_than(_AT_ONCE)
                self._under_way.add(asyncio.create_task(self._put(part, parts)))
            await self._until_fewer_than(1)
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _until_fewer_than(self, number: int) -> None:
        while len(self._under_way) >= number:
            done, self._under_way = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            failures = [error for task in done if (error := task.exception()) is not None]
            if failures:
                raise failures[0]

    async def _put(self, made: MadePart, parts: Parts) -> None:
        request = self._request
        part = Part(
            address=request.address,
            token=request.token,
            upload=request.upload,
            number=made.number,
            sha256=made.sha256,
        )
        await self._files.put_part(part, made.buffer.data)
        await self._progress.moved(made.buffer.size)
        parts.give_back(made.buffer)
