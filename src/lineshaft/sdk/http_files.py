"""Files of attempts over HTTP: the adapter for workers on other machines than the server's."""

from collections.abc import AsyncGenerator
from typing import Final

from lineshaft.sdk.worker_connection import WorkerConnection
from lineshaft.sdk.worker_files import PartData
from lineshaft.wire.files import (
    PART_WAIT_SECONDS,
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
from lineshaft.wire.message import LEASE_HEADER, SHA256_HEADER

_PIECE_BYTES: Final = 256 * 1024


class HttpFiles(WorkerConnection):
    """Speaks `sdk.worker_files.WorkerFiles` to a server elsewhere.

    Besides what the protocol names, every method may raise what every call of a `WorkerConnection` may. Close
    it, or use it as a context manager.
    """

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        """Begin to keep files, or hear how much of them is there already."""
        return await self.post("/uploads", request, UploadAnswer)

    async def put_part(self, part: Part, data: PartData) -> None:
        """Store a part."""
        address = part.address
        await self.request(
            "PUT",
            f"/runs/{address.run_id}/nodes/{address.node}/attempts/{address.attempt}"
            f"/uploads/{part.upload}/parts/{part.number}",
            wait_seconds=PART_WAIT_SECONDS,
            headers={
                LEASE_HEADER: part.token,
                SHA256_HEADER: part.sha256,
                "Content-Type": "application/octet-stream",
                "Content-Length": str(len(data)),
            },
            content=_Pieces(data),
        )

    async def end_upload(self, end: UploadEnd) -> None:
        """Declare an upload complete: from now on the artifact is there."""
        await self.tell("/uploads/end", end)

    async def needed_files(self, request: FilesRequest) -> FilesAnswer:
        """Hear which artifacts are to be placed in the attempt's workspace."""
        return await self.post("/files", request, FilesAnswer)

    async def find_cache(self, request: CacheRequest) -> CacheAnswer:
        """Look for a cache that the attempt may read, and hear whether it may keep one."""
        return await self.post("/cache", request, CacheAnswer)

    async def read(self, request: ReadRequest) -> AsyncGenerator[bytes, None]:
        """Read bytes of files that the attempt was told of, in chunks of at most 1 MiB."""
        async with self.bytes_of("/read", request) as chunks:
            async for chunk in chunks:
                yield chunk

    async def report_tests(self, cases: TestCases) -> None:
        """Tell of test cases; what was told already under the same number is not taken again."""
        await self.tell("/tests", cases)


class _Pieces:
    """A body that is sent piece by piece, so that neither it is copied as a whole nor bound in time."""

    def __init__(self, data: PartData) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        for start in range(0, len(self._data), _PIECE_BYTES):
            yield bytes(self._data[start : start + _PIECE_BYTES])
