"""Files of attempts at a server that may be away for a while."""

from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial

from lineshaft.model.errors import UnavailableError
from lineshaft.sdk.agent.patience import Patience
from lineshaft.sdk.worker_files import PartData, WorkerFiles
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


class PatientFiles:
    """Speaks `sdk.worker_files.WorkerFiles`, and makes each call again until the server answers it."""

    def __init__(self, files: WorkerFiles, patience: Patience) -> None:
        """Make calls of `files`, as `patience` says."""
        self._files = files
        self._patience = patience

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        """Begin to keep files."""
        return await self._patience.until_available(partial(self._files.begin_upload, request))

    async def put_part(self, part: Part, data: PartData) -> None:
        """Store a part."""
        await self._patience.until_available(partial(self._files.put_part, part, data))

    async def end_upload(self, end: UploadEnd) -> None:
        """Declare an upload complete."""
        await self._patience.until_available(partial(self._files.end_upload, end))

    async def needed_files(self, request: FilesRequest) -> FilesAnswer:
        """Hear which artifacts are to be placed in the attempt's workspace."""
        return await self._patience.until_available(partial(self._files.needed_files, request))

    async def find_cache(self, request: CacheRequest) -> CacheAnswer:
        """Look for a cache."""
        return await self._patience.until_available(partial(self._files.find_cache, request))

    async def read(self, request: ReadRequest) -> AsyncGenerator[bytes, None]:
        """Read bytes, and go on where the server went away."""
        place = request.start
        reading: AsyncIterator[bytes] = self._files.read(request)

        async def next_chunk() -> bytes | None:
            nonlocal reading
            try:
                return await anext(reading, None)
            except UnavailableError:
                reading = self._files.read(request.model_copy(update={"start": place}))
                raise

        try:
            while place < request.stop:
                chunk = await self._patience.until_available(next_chunk)
                if chunk is None:
                    return
                place += len(chunk)
                yield chunk
        finally:
            if isinstance(reading, AsyncGenerator):
                await reading.aclose()

    async def report_tests(self, cases: TestCases) -> None:
        """Tell of test cases."""
        await self._patience.until_available(partial(self._files.report_tests, cases))
