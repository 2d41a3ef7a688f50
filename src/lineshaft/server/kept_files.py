"""Results and artifacts as answers: whole, or a file or folder of an archive."""

from collections.abc import AsyncGenerator
from functools import partial
from hashlib import sha256
from mimetypes import guess_extension
from pathlib import PurePosixPath
from typing import Final

from fastapi import Request
from starlette.responses import Response

from lineshaft.model.artifact import Artifact, ContentFormat
from lineshaft.model.kept_files import ResultType
from lineshaft.server.kept_content import KeptContent, answer_content, media_type_of
from lineshaft.server.openapi import FILE_BYTES, Responses
from lineshaft.services.files.inside import FileInside, FolderInside
from lineshaft.services.files.rezipping import rezipped
from lineshaft.services.files.shown import FoundFile, ShownFiles

KEPT_FILE: Final[Responses] = {
    200: {**FILE_BYTES, "description": "The whole of it."},
    206: {**FILE_BYTES, "description": "The bytes that `Range` asks for."},
    304: {"description": "It is as `If-None-Match` says that it was."},
    416: {"description": "No byte of it lies in that range."},
}

_ZIP: Final = "application/zip"
_XML: Final = "application/xml"
_ENDINGS: Final = {_ZIP: ".zip", _XML: ".xml", "text/plain": ".txt", "text/html": ".html"}


async def answer_file(request: Request, shown: ShownFiles, found: FoundFile) -> Response:
    """Answer a GET or HEAD request for what was found.

    Raises:
        ArtifactNotFoundError: an archive holds no such file.
        ConflictError: single files cannot be had from it.
    """
    artifact = found.artifact
    if not found.inside:
        return answer_content(request, _whole(shown, artifact))
    inside = await shown.inside.find(artifact, found.inside)
    if isinstance(inside, FileInside):
        begins = await shown.inside.begins(artifact, inside)
        return answer_content(request, _file(shown, artifact, inside, begins))
    return answer_content(request, _folder(shown, artifact, inside))


def _whole(shown: ShownFiles, artifact: Artifact) -> KeptContent:
    content = artifact.content
    return KeptContent(
        _media_type(artifact),
        file_name(artifact),
        content.sha256,
        content.size_bytes,
        partial(shown.read, artifact),
    )


def _file(shown: ShownFiles, artifact: Artifact, file: FileInside, begins: int) -> KeptContent:
    return KeptContent(
        media_type_of(file.path),
        PurePosixPath(file.path).name,
        f"{artifact.content.sha256}-{file.header_at:x}",
        file.size_bytes,
        partial(shown.inside.read, artifact, file, begins),
    )


def _folder(shown: ShownFiles, artifact: Artifact, folder: FolderInside) -> KeptContent:
    def read(_: int, __: int) -> AsyncGenerator[bytes, None]:
        return rezipped(shown.inside, artifact, folder)

    digest = sha256(folder.path.encode(errors="replace")).hexdigest()[:16]
    name = PurePosixPath(folder.path).name or artifact.name
    return KeptContent(_ZIP, f"{name}.zip", f"{artifact.content.sha256}-{digest}", None, read)


def _media_type(artifact: Artifact) -> str:
    if artifact.content.format is ContentFormat.ZIP:
        return _ZIP
    if artifact.type is ResultType.JUNIT:
        return _XML
    return artifact.content.media_type


def file_name(artifact: Artifact) -> str:
    """Tell what the file is called that an artifact is saved as."""
    name = PurePosixPath(artifact.name).name or "artifact"
    media_type = _media_type(artifact).partition(";")[0].strip()
    wanted = _ENDINGS.get(media_type) or guess_extension(media_type) or ""
    return name if PurePosixPath(name).suffix else f"{name}{wanted}"
