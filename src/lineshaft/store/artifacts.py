"""Kept files in the database; their bytes are blobs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, or_, select, true, tuple_, update

from lineshaft.model.artifact import Artifact, ArtifactKind, Content
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import StaleLeaseError
from lineshaft.ports.store import StoredPart, Upload, UploadState
from lineshaft.store.artifact_removal import ArtifactRemoval
from lineshaft.store.artifact_rows import (
    IS_ARTIFACT,
    IS_KNOWN,
    IS_PART,
    part_values,
    read_artifact,
    read_part,
    read_upload,
    upload_values,
)
from lineshaft.store.cache_rows import cache_values
from lineshaft.store.logs import SqlLogs
from lineshaft.store.prepared import padded
from lineshaft.store.schema import artifact_parts, artifacts, caches
from lineshaft.store.schema.artifact_tables import IS_CACHE, KEPT, RECEIVING
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep

_NO_ID: Final = UUID(int=0)
_AT_ONCE: Final = 250
"""Databases take only so many parameters in one statement."""

_OF_ATTEMPT: Final = and_(
    artifacts.c.run_id == bindparam("of_run"),
    artifacts.c.node == bindparam("of_node"),
    artifacts.c.attempt == bindparam("of_attempt"),
)
_SELECT: Final = select(artifacts).where(IS_ARTIFACT)
_SELECT_KNOWN: Final = _SELECT.where(IS_KNOWN)
_SELECT_SAME: Final = select(artifacts.c.id).where(
    or_(
        IS_ARTIFACT,
        and_(
            _OF_ATTEMPT,
            artifacts.c.kind == bindparam("of_kind"),
            artifacts.c.name == bindparam("of_name"),
        ),
    )
)
_INSERT: Final = insert_or_keep(artifacts, "id")
_COUNT: Final = select(func.count()).select_from(artifacts).where(_OF_ATTEMPT)
_SUM: Final = select(func.coalesce(func.sum(artifacts.c.received_bytes), 0)).where(
    artifacts.c.run_id == bindparam("of_run"),
    artifacts.c.kind != ArtifactKind.CACHE.value,
    or_(artifacts.c.state == RECEIVING, artifacts.c.state == KEPT),
)
_SELECT_PARTS: Final = (
    select(artifact_parts)
    .join_from(artifacts, artifact_parts, artifact_parts.c.content_id == artifacts.c.content_id)
    .where(IS_ARTIFACT, artifact_parts.c.number >= bindparam("from_number"))
    .order_by(artifact_parts.c.number)
    .limit(bindparam("at_most"))
)
_SELECT_PART: Final = select(artifact_parts).where(IS_PART)
_ANNOUNCE: Final = insert_or_keep(artifact_parts, "content_id", "number")
_NOTE_STORED: Final = (
    update(artifact_parts)
    .where(IS_PART, artifact_parts.c.sha256 == bindparam("of_digest"), artifact_parts.c.stored != true())
    .values(stored=True, size_bytes=bindparam("has_bytes"))
)
_GROW: Final = (
    update(artifacts)
    .where(IS_ARTIFACT)
    .values(received_bytes=artifacts.c.received_bytes + bindparam("more_bytes"))
)
_KEEP: Final = (
    update(artifacts)
    .where(IS_ARTIFACT)
    .values(
        state=UploadState.KEPT.value,
        sha256=bindparam("has_sha256"),
        content_id=bindparam("has_content"),
        kept_at=bindparam("at"),
        expires_at=bindparam("until"),
    )
)
_SELECT_TWIN: Final = (
    select(artifacts.c.content_id)
    .where(
        IS_CACHE,
        artifacts.c.pipeline_id == bindparam("of_pipeline"),
        artifacts.c.sha256 == bindparam("of_digest"),
        artifacts.c.state == KEPT,
    )
    .order_by(artifacts.c.id)
    .limit(1)
    # Whoever lets it go meanwhile waits, and sees then that its parts are needed.
    .with_for_update()
)
_INSERT_CACHE: Final = insert_or_keep(caches, "pipeline_id", "address")
_OF_RUN: Final = (
    select(artifacts)
    .where(
        IS_KNOWN,
        artifacts.c.run_id == bindparam("of_run"),
        artifacts.c.kind.in_(bindparam("of_kinds", expanding=True)),
        artifacts.c.id > bindparam("after_id"),
    )
    .order_by(artifacts.c.id)
    .limit(bindparam("at_most"))
)
_OF_ATTEMPTS: Final[Select[Any]] = (
    select(artifacts)
    .where(
        artifacts.c.state == KEPT,
        artifacts.c.kind == bindparam("of_kind"),
        tuple_(artifacts.c.run_id, artifacts.c.node, artifacts.c.attempt).in_(
            bindparam("of_attempts", expanding=True)
        ),
    )
    .order_by(artifacts.c.run_id, artifacts.c.node, artifacts.c.attempt, artifacts.c.name)
)


class SqlArtifacts(ArtifactRemoval):
    """Uploads, and the artifacts that they become; see `ports.store.Artifacts`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        super().__init__(session)
        self._logs = SqlLogs(session)

    def hold_lease(self, address: AttemptAddress, token: str) -> None:
        """Keep the lease on an attempt as it is until this transaction has ended."""
        log = self._logs.leased(address)
        if log is None or log.token != token:
            raise StaleLeaseError(
                "The token is not that of a living lease on this attempt.",
                advice="Stop working on it: it has ended, or it was given to another worker.",
            )

    def upload(self, upload_id: UUID) -> Upload | None:
        """Find an upload, in whatever state it is."""
        row = self._connection.execute(_SELECT, {"of_id": upload_id}).one_or_none()
        return None if row is None else read_upload(row)

    def count_of_attempt(self, address: AttemptAddress) -> int:
        """Tell how many uploads an attempt has begun."""
        return int(self._connection.execute(_COUNT, _attempt(address)).scalar_one())

    def bytes_of_run(self, run_id: UUID) -> int:
        """Tell how many bytes a run keeps, with those that have arrived; caches are not counted."""
        return int(self._connection.execute(_SUM, {"of_run": run_id}).scalar_one())

    def add(self, upload: Upload, now: datetime) -> bool:
        """Begin an upload; False where the attempt has one of its kind and name, or the id is taken."""
        self._session.change()
        values = {
            **_attempt(upload.address),
            "of_id": upload.id,
            "of_kind": upload.kind.value,
            "of_name": upload.name,
        }
        if self._connection.execute(_SELECT_SAME, values).first() is not None:
            return False
        row = {**upload_values(upload), "begun_at": now}
        return self._connection.execute(_INSERT, row).rowcount > 0

    def parts(self, artifact_id: UUID, first: int, limit: int) -> Sequence[StoredPart]:
        """List parts that hold an upload's or an artifact's bytes, by number, from `first` on."""
        values = {"of_id": artifact_id, "from_number": first, "at_most": limit}
        return [read_part(row) for row in self._connection.execute(_SELECT_PARTS, values)]

    def part(self, content_id: UUID, number: int) -> StoredPart | None:
        """Find a part by the upload that it came with; None where it was not announced, or was removed."""
        values = {"of_content": content_id, "of_number": number}
        row = self._connection.execute(_SELECT_PART, values).one_or_none()
        return None if row is None else read_part(row)

    def announce(self, part: StoredPart) -> StoredPart:
        """Note that a part's blob is about to be put, and return the part that stands at its number."""
        self._session.change()
        self._connection.execute(_ANNOUNCE, part_values(part))
        return read_part(self._connection.execute(_SELECT_PART, _part(part)).one())

    def note_stored(self, part: StoredPart) -> bool:
        """Note that a part's blob is there; False when the upload takes no parts any more."""
        upload = self.upload(part.content_id)
        if upload is None or upload.state is not UploadState.RECEIVING:
            return False
        self._session.change()
        values = {**_part(part), "of_digest": part.sha256, "has_bytes": part.size_bytes}
        if self._connection.execute(_NOTE_STORED, values).rowcount:
            self._connection.execute(_GROW, {"of_id": part.content_id, "more_bytes": part.size_bytes})
        return True

    def keep(self, upload: Upload, content: Content, now: datetime) -> bool:
        """End an upload, all of whose parts are there."""
        self._session.change()
        if upload.kind is ArtifactKind.CACHE and not self._is_first(upload, now):
            self._let_go([upload.id])
            return False
        content_id = upload.id
        if upload.kind is ArtifactKind.CACHE:
            twin = {"of_pipeline": upload.pipeline_id, "of_digest": content.sha256}
            content_id = self._connection.execute(_SELECT_TWIN, twin).scalar_one_or_none() or upload.id
        values = {
            "of_id": upload.id,
            "has_sha256": content.sha256,
            "has_content": content_id,
            "at": now,
            "until": None if upload.expire is None else now + upload.expire,
        }
        self._connection.execute(_KEEP, values)
        if content_id != upload.id:
            self._give_up_parts(upload.id, now)
        return True

    def get(self, artifact_id: UUID) -> Artifact | None:
        """Find an artifact, be it that its time is over."""
        row = self._connection.execute(_SELECT_KNOWN, {"of_id": artifact_id}).one_or_none()
        return None if row is None else read_artifact(row)

    def of_run(
        self, run_id: UUID, kinds: Collection[ArtifactKind], *, after: UUID | None, limit: int
    ) -> Sequence[Artifact]:
        """List a run's artifacts of some kinds, expired ones too, by id, from behind `after`."""
        values = {
            "of_run": run_id,
            "of_kinds": sorted(kind.value for kind in kinds),
            "after_id": after or _NO_ID,
            "at_most": limit,
        }
        return [read_artifact(row) for row in self._connection.execute(_OF_RUN, values)]

    def of_attempts(self, addresses: Collection[AttemptAddress], kind: ArtifactKind) -> Sequence[Artifact]:
        """List the artifacts of a kind that attempts have kept, by attempt and name."""
        ordered = sorted(addresses)
        found: list[Artifact] = []
        for start in range(0, len(ordered), _AT_ONCE):
            some = padded(ordered[start : start + _AT_ONCE])
            values = {
                "of_kind": kind.value,
                "of_attempts": [(each.run_id, each.node, each.attempt) for each in some],
            }
            found += map(read_artifact, self._connection.execute(_OF_ATTEMPTS, values))
        return found

    def _is_first(self, upload: Upload, now: datetime) -> bool:
        """Take a key for a cache; False where another one has it."""
        return self._connection.execute(_INSERT_CACHE, cache_values(upload, now)).rowcount > 0


def _attempt(address: AttemptAddress) -> dict[str, Any]:
    return {"of_run": address.run_id, "of_node": address.node, "of_attempt": address.attempt}


def _part(part: StoredPart) -> dict[str, Any]:
    return {"of_content": part.content_id, "of_number": part.number}
