"""The files of workers in all forms: the fake, by direct calls, and over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from http_server import http_server
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_files import HttpFiles
from lineshaft.sdk.worker_files import WorkerFiles
from planes import PASSWORD, USERNAME, temporary_plane
from worker_files_scene import FilesScene, MemoryScene, ServedScene


@pytest_asyncio.fixture(params=["memory", "direct", "http"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FilesScene]:
    if request.param == "memory":
        yield MemoryScene()
        return
    async with AsyncExitStack() as opened:
        plane = await opened.enter_async_context(temporary_plane(tmp_path))
        files: WorkerFiles = plane.files.desk
        if request.param == "http":
            url = await opened.enter_async_context(http_server(plane))
            files = await opened.enter_async_context(HttpFiles(ClientConfig(url, USERNAME, PASSWORD)))
        yield ServedScene(plane, plane.fleet.desk, files)
