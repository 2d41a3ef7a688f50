"""No files: what a worker has that was started without a place to keep any."""

from collections.abc import AsyncIterator
from typing import Final

from lineshaft.model.artifact import PART_BYTES
from lineshaft.model.errors import ArtifactNotFoundError
from lineshaft.sdk.worker_files import PartData
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

_WHY: Final = "This worker has no place to keep files."


class NoFiles:
    """Speaks `sdk.worker_files.WorkerFiles`, keeps nothing, and finds nothing."""

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        """Refuse."""
        del request
        return UploadAnswer(part_bytes=PART_BYTES, refused=_WHY)

    async def put_part(self, part: Part, data: PartData) -> None:
        """Refuse."""
        del part, data
        raise ArtifactNotFoundError(_WHY)

    async def end_upload(self, end: UploadEnd) -> None:
        """Refuse."""
        del end
        raise ArtifactNotFoundError(_WHY)

    async def needed_files(self, request: FilesRequest) -> FilesAnswer:
        """Refuse: a task that needs files is not to run without them."""
        del request
        raise ArtifactNotFoundError(_WHY)

    async def find_cache(self, request: CacheRequest) -> CacheAnswer:
        """Find none."""
        del request
        return CacheAnswer(writable=False, why_not=_WHY)

    def read(self, request: ReadRequest) -> AsyncIterator[bytes]:
        """Refuse."""
        del request
        raise ArtifactNotFoundError(_WHY)

    async def report_tests(self, cases: TestCases) -> None:
        """Take no notice."""
        del cases
