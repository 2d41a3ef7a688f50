"""The part of the worker protocol by which files are kept, and found again."""

from collections.abc import AsyncIterator
from typing import Protocol, TypeAlias

from lineshaft.wire.files import (
    CacheAnswer,
    CacheRequest,
    FilesAnswer,
    FilesRequest,
    Part,
    ReadRequest,
    TestCases,
    UploadAnswer,
    UploadEnd,
    UploadRequest,
)

PartData: TypeAlias = bytes | memoryview
"""The bytes of a part. Who has given a view may write to what it shows as soon as the call has ended."""


class WorkerFiles(Protocol):
    """Where a worker keeps files of its attempts, and finds those of others.

    Call order for each upload: `begin_upload`; `put_part` for every part, from the one that the answer names
    on, in their order, several of them concurrently; `end_upload`. All of it happens before the attempt is
    reported. What was begun and never ended is removed when the attempt has ended.

    Every method may raise `UnavailableError` (try again later, with the same arguments) and `StaleLeaseError`
    (the lease is dead: nothing was changed). Repeating a call is safe. When `put_part` or `end_upload` has
    returned, what it was given is durable.
    """

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        """Begin to keep files, or hear how much of them is there already.

        Raises:
            InvalidInputError: another upload of this attempt has the name, or the id is another's.
        """
        ...

    async def put_part(self, part: Part, data: PartData) -> None:
        """Store a part, behind those before it: it waits for them up to `PART_WAIT_SECONDS`.

        Args:
            part: which one.
            data: its bytes: as many as the answer to `begin_upload` said, or fewer in the last part.

        Raises:
            InvalidInputError: the bytes have another digest, or there are too many.
            ArtifactNotFoundError: there is no such upload.
            UnavailableError: besides what it means everywhere, that a part before it has not come.
        """
        ...

    async def end_upload(self, end: UploadEnd) -> None:
        """Declare an upload complete: from now on the artifact is there.

        Raises:
            InvalidInputError: parts are missing, or make up another number of bytes, or other bytes.
            ArtifactNotFoundError: there is no such upload.
        """
        ...

    async def needed_files(self, request: FilesRequest) -> FilesAnswer:
        """Hear which artifacts are to be placed in the attempt's workspace."""
        ...

    async def find_cache(self, request: CacheRequest) -> CacheAnswer:
        """Look for a cache that the attempt may read, and hear whether it may keep one."""
        ...

    def read(self, request: ReadRequest) -> AsyncIterator[bytes]:
        """Read bytes of files that the attempt was told of, in chunks of at most 1 MiB.

        Raises:
            ArtifactNotFoundError: there are no such files, or the attempt has no business with them.
        """
        ...

    async def report_tests(self, cases: TestCases) -> None:
        """Tell of test cases; what was told already under the same number is not taken again."""
        ...
