"""Files of attempts over HTTP: the adapter for workers on other machines than the server's."""

import base64
from collections.abc import AsyncGenerator

from lineshaft.sdk.worker_connection import WorkerConnection
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
from lineshaft.wire.message import LEASE_HEADER


class HttpFiles(WorkerConnection):
    """Speaks `sdk.worker_files.WorkerFiles` to a server elsewhere.

    Besides what the protocol names, every method may raise what every call of a `WorkerConnection` may. Close
    it, or use it as a context manager.
    """

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        """Begin to keep files, or hear how much of them is there already."""
        return await self.post("/uploads", request, UploadAnswer)

    async def put_part(self, part: Part, data: bytes) -> None:
        """Store a part."""
        address = part.address
        await self.request(
            "PUT",
            f"/runs/{address.run_id}/nodes/{address.node}/attempts/{address.attempt}"
            f"/uploads/{part.upload}/parts/{part.number}",
            headers={
                LEASE_HEADER: part.token,
                "Content-Digest": content_digest(part.sha256),
                "Content-Type": "application/octet-stream",
            },
            content=data,
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


def content_digest(sha256: str) -> str:
    """Say a digest in hexadecimal as the value of `Content-Digest` (RFC 9530, section 2)."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
