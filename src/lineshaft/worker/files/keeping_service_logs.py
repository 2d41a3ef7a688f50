"""Behind a task: the logs of the services beside it become results of its node."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lineshaft.model.artifact import ArtifactKind, ContentFormat
from lineshaft.model.kept_files import ResultType
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.worker.files.uploading import NotKeptError, ToKeep, upload
from lineshaft.worker.service_logs import ServiceLogs

_PIECE_BYTES: Final = 1 << 20
_SECONDS: Final = 60.0
"""How long keeping may take: the logs are worth less than a task that goes on."""


async def keep_service_logs(assignment: Assignment, logs: ServiceLogs) -> None:
    """Keep what each service has written as the result `NAME.log`; what cannot be kept the log is told.

    Args:
        assignment: the attempt; its services have ended.
        logs: theirs, masked.

    Raises:
        StaleLeaseError: the lease is dead.
    """
    await logs.close()
    try:
        async with asyncio.timeout(_SECONDS):
            for name, path in logs.paths.items():
                await _keep(assignment, f"{name}.log", path)
    except TimeoutError:
        text = f"Logs of services are not kept: it took longer than {_SECONDS:g} s.\n"
        await assignment.log.write_lines(text)


async def _keep(assignment: Assignment, name: str, path: Path) -> None:
    what = ToKeep(ArtifactKind.RESULT, name, ContentFormat.FILE, "text/plain", ResultType.FILE)
    try:
        await upload(assignment, what, _pieces(path))
    except NotKeptError as error:
        await assignment.log.write_lines(f"{what.title}: not kept. {error}\n")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
