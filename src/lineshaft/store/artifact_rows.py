"""Kept files as rows, and back."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, bindparam, or_

from lineshaft.model.artifact import Artifact, ArtifactKind, Content, ContentFormat
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.kept_files import ResultType
from lineshaft.ports.store import StoredPart, Upload, UploadState
from lineshaft.store.schema import artifact_parts, artifacts
from lineshaft.store.schema.artifact_tables import EXPIRED, EXPIRING, KEPT

IS_ARTIFACT: Final = artifacts.c.id == bindparam("of_id")

IS_KNOWN: Final[ColumnElement[bool]] = or_(
    artifacts.c.state == KEPT, artifacts.c.state == EXPIRING, artifacts.c.state == EXPIRED
)
"""Holds for what is an artifact, or was one until its time was over."""

IS_PART: Final = and_(
    artifact_parts.c.content_id == bindparam("of_content"), artifact_parts.c.number == bindparam("of_number")
)


def upload_values(upload: Upload) -> dict[str, Any]:
    """Tell what of an upload is known when it begins."""
    address = upload.address
    return {
        "id": upload.id,
        "kind": upload.kind.value,
        "run_id": address.run_id,
        "node": address.node,
        "attempt": address.attempt,
        "pipeline_id": upload.pipeline_id,
        "path": upload.path,
        "name": upload.name,
        "type": None if upload.type is None else upload.type.value,
        "format": upload.format.value,
        "media_type": upload.media_type,
        "scope": upload.scope,
        "expire_seconds": None if upload.expire is None else upload.expire.total_seconds(),
        "state": upload.state.value,
        "content_id": upload.id,
        "received_bytes": upload.received_bytes,
    }


def read_upload(row: Row[Any]) -> Upload:
    """Read an upload."""
    return Upload(
        id=row.id,
        kind=ArtifactKind(row.kind),
        address=_address(row),
        pipeline_id=row.pipeline_id,
        path=row.path,
        name=row.name,
        type=None if row.type is None else ResultType(row.type),
        format=ContentFormat(row.format),
        media_type=row.media_type,
        expire=None if row.expire_seconds is None else timedelta(seconds=row.expire_seconds),
        scope=row.scope,
        state=UploadState(row.state),
        received_bytes=row.received_bytes,
        sha256=row.sha256,
    )


def read_artifact(row: Row[Any]) -> Artifact:
    """Read an artifact."""
    return Artifact(
        id=row.id,
        kind=ArtifactKind(row.kind),
        address=_address(row),
        pipeline_id=row.pipeline_id,
        path=row.path,
        name=row.name,
        type=None if row.type is None else ResultType(row.type),
        content=Content(ContentFormat(row.format), row.media_type, row.received_bytes, row.sha256),
        created_at=row.kept_at,
        expires_at=row.expires_at,
    )


def read_part(row: Row[Any]) -> StoredPart:
    """Read a part."""
    return StoredPart(row.content_id, row.number, row.size_bytes, row.sha256, row.stored)


def part_values(part: StoredPart) -> dict[str, Any]:
    """Tell all of a part."""
    return {
        "content_id": part.content_id,
        "number": part.number,
        "size_bytes": part.size_bytes,
        "sha256": part.sha256,
        "stored": part.stored,
    }


def _address(row: Row[Any]) -> AttemptAddress:
    return AttemptAddress(row.run_id, row.node, row.attempt)
