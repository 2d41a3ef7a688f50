"""Downloading: what is kept comes to the worker, and is unpacked once its digest is what was said."""

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import mkstemp

from lineshaft.archive import Limits, PathRules, extract
from lineshaft.integrations.git.thread import in_thread
from lineshaft.model.errors import OtherContentError
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.wire.files import KeptFiles, ReadRequest
from lineshaft.worker.files.progress import Progress, size_text


async def unpack(
    assignment: Assignment, kept: KeptFiles, folder: Path, *, what: str, only: PathRules | None = None
) -> int:
    """Bring what is kept into a folder.

    Args:
        assignment: whose attempt was told of it.
        kept: what it is.
        folder: where it goes; nobody else is at work there.
        what: what it is called in the log.
        only: which paths it may hold; None means any.

    Returns:
        How many files, links and empty folders there were.

    Raises:
        ArchiveRefusedError: it holds what must not be unpacked; nothing of it is there.
        OtherContentError: its bytes are others than were kept.
        ArtifactNotFoundError: it is not there any more.
        StaleLeaseError: the lease is dead.
        OSError: it cannot be written.
    """
    content = kept.content
    async with _downloaded(assignment, kept, folder, what) as archive:
        return await in_thread(partial(extract, archive, content.format, folder, Limits(), only=only))


@asynccontextmanager
async def _downloaded(
    assignment: Assignment, kept: KeptFiles, folder: Path, what: str
) -> AsyncIterator[Path]:
    descriptor, name = mkstemp(prefix=".lineshaft-", dir=folder)
    archive = Path(name)
    try:
        try:
            await _download(assignment, kept, descriptor, Progress(assignment.log, f"{what}: received"))
        finally:
            os.close(descriptor)
        yield archive
    finally:
        await in_thread(archive.unlink)


async def _download(assignment: Assignment, kept: KeptFiles, descriptor: int, progress: Progress) -> None:
    lease, content = assignment.lease, kept.content
    request = ReadRequest(
        address=lease.address, token=lease.token, artifact=kept.id, start=0, stop=content.size_bytes
    )
    digest = hashlib.sha256()
    size = 0

    def take(chunk: bytes) -> None:
        digest.update(chunk)
        left = memoryview(chunk)
        while left:
            left = left[os.write(descriptor, left) :]

    reading = assignment.files.read(request)
    try:
        async for chunk in reading:
            size += len(chunk)
            if size > content.size_bytes:
                break
            await in_thread(partial(take, chunk))
            await progress.moved(len(chunk))
    finally:
        if isinstance(reading, AsyncGenerator):
            await reading.aclose()
    if size != content.size_bytes or digest.hexdigest() != content.sha256:
        raise OtherContentError(what_text(kept))


def what_text(kept: KeptFiles) -> str:
    """Name what is kept for people."""
    # What an earlier run on this machine has kept is no node's of this one.
    node = f" of '{kept.path}'" if kept.path else ""
    return f"'{kept.name}'{node} ({size_text(kept.content.size_bytes)})"
