"""The files of workers (`sdk.worker_files`) over HTTP: a thin cover over the desk."""

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Request
from starlette.responses import Response, StreamingResponse

from lineshaft.model.artifact import PART_BYTES
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.permission import Permission
from lineshaft.server.access import CALLER
from lineshaft.server.bodies import REPORT_LIMIT_BYTES, checked, read_chunks, read_message
from lineshaft.server.depends import RunId
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.openapi import LOG_BODY, Responses, message_body
from lineshaft.server.permissions import needs
from lineshaft.server.routes.worker_protocol import Index, Lease, Number, served_version
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.files.desk import CallersFiles
from lineshaft.wire.files import (
    LARGEST_BYTES,
    CacheAnswer,
    CacheRequest,
    FilesAnswer,
    FilesRequest,
    Part,
    ReadRequest,
    Sha256,
    TestCases,
    UploadAnswer,
    UploadEnd,
    UploadRequest,
)
from lineshaft.wire.message import SHA256_HEADER, Message

router = APIRouter(route_class=GuardedRoute, prefix="/v1/worker", tags=["worker protocol"])

_DONE: Final[Responses] = {204: {"description": "It is done, and durable."}}
_BYTES: Final[Responses] = {
    200: {
        "description": "The bytes.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


async def _files(request: Request) -> CallersFiles:
    served_version(request)
    plane: ControlPlane = request.app.state.control_plane
    return plane.files.desk.of(request.scope[CALLER])


Files = Annotated[CallersFiles, Depends(_files)]
UploadId = Annotated[UUID, Path(description="The upload's id.")]
PartNumber = Annotated[
    int, Path(ge=0, lt=LARGEST_BYTES // PART_BYTES, description="Which part of the upload, from 0.")
]
Digest = Annotated[
    Sha256,
    Header(
        alias=SHA256_HEADER,
        description="The SHA-256 of the upload from its first byte to the last one of this part.",
    ),
]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the headers of a part say.

    Attributes:
        lease: the fencing token of the attempt's lease.
        sha256: of the upload up to the end of the body.
    """

    lease: str
    sha256: str


async def _shown(lease: Lease, digest: Digest) -> _Shown:
    return _Shown(lease, digest)


Shown = Annotated[_Shown, Depends(_shown)]


@router.post(
    "/uploads",
    responses={200: {"model": UploadAnswer}},
    openapi_extra=needs(Permission.WORK, message_body(UploadRequest)),
)
async def begin_upload(request: Request, files: Files) -> Response:
    """Begin to keep files, or hear how much of them is there already."""
    return _answer(await files.begin_upload(await read_message(request, UploadRequest)))


@router.put(
    "/runs/{run_id}/nodes/{node}/attempts/{attempt}/uploads/{upload}/parts/{number}",
    status_code=204,
    responses=_DONE,
    openapi_extra=needs(Permission.WORK, LOG_BODY),
)
async def put_part(
    request: Request,
    files: Files,
    *,
    run_id: RunId,
    node: Index,
    attempt: Number,
    upload: UploadId,
    number: PartNumber,
    shown: Shown,
) -> Response:
    """Store a part of at most 8 MiB; when this is answered it is durable. Parts come in their order."""
    address = AttemptAddress(run_id, node, attempt)
    part = checked(
        Part, address=address, token=shown.lease, upload=upload, number=number, sha256=shown.sha256
    )
    await files.put_chunks(part, read_chunks(request, PART_BYTES))
    return Response(status_code=204)


@router.post(
    "/uploads/end",
    status_code=204,
    responses=_DONE,
    openapi_extra=needs(Permission.WORK, message_body(UploadEnd)),
)
async def end_upload(request: Request, files: Files) -> Response:
    """Declare an upload complete: from now on the artifact is there."""
    await files.end_upload(await read_message(request, UploadEnd))
    return Response(status_code=204)


@router.post(
    "/files",
    responses={200: {"model": FilesAnswer}},
    openapi_extra=needs(Permission.WORK, message_body(FilesRequest)),
)
async def needed_files(request: Request, files: Files) -> Response:
    """Hear which artifacts are to be placed in the attempt's workspace."""
    return _answer(await files.needed_files(await read_message(request, FilesRequest)))


@router.post(
    "/cache",
    responses={200: {"model": CacheAnswer}},
    openapi_extra=needs(Permission.WORK, message_body(CacheRequest)),
)
async def find_cache(request: Request, files: Files) -> Response:
    """Look for a cache that the attempt may read, and hear whether it may keep one."""
    return _answer(await files.find_cache(await read_message(request, CacheRequest)))


@router.post("/read", responses=_BYTES, openapi_extra=needs(Permission.WORK, message_body(ReadRequest)))
async def read_files(request: Request, files: Files) -> Response:
    """Read bytes of files that the attempt was told of."""
    asked = await read_message(request, ReadRequest)
    artifact = await files.readable(asked)
    length = max(0, min(asked.stop, artifact.content.size_bytes) - asked.start)
    headers = {"Content-Length": str(length), "Cache-Control": "no-store"}
    return StreamingResponse(files.bytes_of(artifact, asked), 200, headers, "application/octet-stream")


@router.post(
    "/tests",
    status_code=204,
    responses=_DONE,
    openapi_extra=needs(Permission.WORK, message_body(TestCases)),
)
async def report_tests(request: Request, files: Files) -> Response:
    """Tell of test cases; what was told already under the same number is not taken again."""
    await files.report_tests(await read_message(request, TestCases, REPORT_LIMIT_BYTES))
    return Response(status_code=204)


def _answer(message: Message) -> Response:
    return Response(message.model_dump_json(), media_type="application/json")
