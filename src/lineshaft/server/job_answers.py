"""What a job's run has printed and found, as RestfulCI answers it: one text, and ZIP archives."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from lineshaft.model.artifact import Artifact, ContentFormat
from lineshaft.model.errors import LogRemovedError
from lineshaft.model.node import Task
from lineshaft.model.run import Run
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.files.inside import FolderInside
from lineshaft.services.files.shown import ShownFiles
from lineshaft.wire.jobs import result_name

_REMOVED: Final = b"This log was too old to be kept.\n"


async def console(plane: ControlPlane, run: Run) -> AsyncGenerator[bytes, None]:
    """Read what a run's tasks have printed so far, in the order of the tasks, each below its path.

    A run of one task has no headings.
    """
    tasks = [place for place in run.tree.below_root() if isinstance(place.node, Task)]
    begun = [place for place in tasks if run.nodes[place.index].attempt]
    for place in begun:
        if len(tasks) > 1:
            yield f"== {place.path}\n".encode()
        try:
            log = await plane.logs.find(run.id, place.path)
            async with aclosing(plane.logs.read(log, 0, log.state.size_bytes)) as chunks:
                last = b""
                async for chunk in chunks:
                    last = chunk
                    yield chunk
            if len(tasks) > 1 and last and not last.endswith(b"\n"):
                yield b"\n"
        except LogRemovedError:
            yield _REMOVED


class _Written:
    """What an archive has written since it was taken last; it cannot be gone back in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep data."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing."""

    def take(self) -> bytes:
        """Return what was written, and forget it."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


async def zipped(shown: ShownFiles, artifacts: Sequence[Artifact]) -> AsyncGenerator[bytes, None]:
    """Write results as one ZIP archive, whose names are those of nodes and results.

    The files of a result that is an archive itself stand in a folder of its name.
    """
    written = _Written()
    with ZipFile(written, "w", ZIP_STORED) as archive:  # type: ignore[call-overload]
        for artifact in artifacts:
            async with aclosing(_files(shown, artifact)) as files:
                async for name, content in files:
                    with archive.open(ZipInfo(name), "w", force_zip64=True) as entry:
                        async with aclosing(content):
                            async for chunk in content:
                                entry.write(chunk)
                                yield written.take()
    yield written.take()


async def _files(
    shown: ShownFiles, artifact: Artifact
) -> AsyncGenerator[tuple[str, AsyncGenerator[bytes, None]], None]:
    name = result_name(artifact)
    if artifact.content.format is not ContentFormat.ZIP:
        yield _harmless(name), shown.read(artifact, 0, artifact.content.size_bytes)
        return
    folder = await shown.inside.find(artifact, "")
    for file in folder.files if isinstance(folder, FolderInside) else ():
        begins = await shown.inside.begins(artifact, file)
        yield _harmless(f"{name}/{file.path}"), shown.inside.read(artifact, file, begins, 0, file.size_bytes)


def _harmless(name: str) -> str:
    """Leave nothing in a name that leads out of the folder in which the archive is unpacked."""
    parts = (part.replace("\\", "_") for part in name.split("/"))
    kept = [part for part in parts if part not in {"", ".", ".."}]
    return "/".join(kept).encode(errors="replace").decode()
