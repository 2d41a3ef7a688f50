"""Letting kept files go: first nobody sees them any more, then their parts go, a few at a time."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, exists, select, update

from lineshaft.model.artifact import ArtifactKind
from lineshaft.model.state import State
from lineshaft.ports.store import DELETE_BLOBS, OutboxEntry, StoredPart, UploadState
from lineshaft.store.artifact_rows import IS_ARTIFACT, IS_KNOWN, IS_PART, read_part
from lineshaft.store.outbox import SqlOutbox
from lineshaft.store.schema import artifact_parts, artifacts, attempts, literal_state
from lineshaft.store.schema.artifact_tables import KEPT, LEAVING, RECEIVING
from lineshaft.store.session import Session

_CALLS_TAKE: Final = timedelta(hours=1)
"""How long a call may go on that puts a part; its blob is deleted when it is surely over."""

_KEYS_AT_ONCE: Final = 500

_LET_GO: Final = update(artifacts).where(IS_ARTIFACT).values(state=UploadState.REMOVING.value)
_SELECT_REMOVABLE: Final = select(artifacts.c.id).where(
    IS_ARTIFACT, IS_KNOWN, artifacts.c.kind != ArtifactKind.CACHE.value
)
_LET_RUN_GO: Final = (
    update(artifacts)
    .where(artifacts.c.run_id == bindparam("of_run"), artifacts.c.kind != ArtifactKind.CACHE.value)
    .values(state=UploadState.REMOVING.value)
)
_SELECT_EXPIRED: Final = (
    select(artifacts.c.id)
    .where(artifacts.c.state == KEPT, artifacts.c.expires_at <= bindparam("now"))
    .order_by(artifacts.c.id)
    .limit(bindparam("at_most"))
)
_EXPIRE: Final = (
    update(artifacts).where(IS_ARTIFACT, artifacts.c.state == KEPT).values(state=UploadState.EXPIRING.value)
)
_SELECT_ABANDONED: Final = (
    select(artifacts.c.id)
    .where(
        artifacts.c.state == RECEIVING,
        ~exists().where(
            attempts.c.run_id == artifacts.c.run_id,
            attempts.c.node == artifacts.c.node,
            attempts.c.attempt == artifacts.c.attempt,
            attempts.c.state == literal_state(State.RUNNING),
        ),
    )
    .order_by(artifacts.c.id)
    .limit(bindparam("at_most"))
)
_ABANDON: Final = (
    update(artifacts)
    .where(IS_ARTIFACT, artifacts.c.state == RECEIVING)
    .values(state=UploadState.REMOVING.value)
)
_SELECT_LEAVING: Final = (
    select(artifacts.c.id, artifacts.c.state, artifacts.c.content_id)
    .where(LEAVING)
    .order_by(artifacts.c.id)
    .limit(bindparam("at_most"))
)
_OTHERS: Final = artifacts.alias("others")
_SELECT_SHARER: Final = select(_OTHERS.c.id).where(
    _OTHERS.c.content_id == bindparam("of_content"),
    _OTHERS.c.id != bindparam("of_id"),
    _OTHERS.c.state == UploadState.KEPT.value,
)
_OF_CONTENT: Final = artifact_parts.c.content_id == bindparam("of_content")
_SELECT_PARTS: Final = (
    select(artifact_parts).where(_OF_CONTENT).order_by(artifact_parts.c.number).limit(bindparam("at_most"))
)
_DELETE_PART: Final = delete(artifact_parts).where(IS_PART)
_DELETE: Final = delete(artifacts).where(IS_ARTIFACT, and_(artifacts.c.state == UploadState.REMOVING.value))
_NOTE_EXPIRED: Final = (
    update(artifacts)
    .where(IS_ARTIFACT, artifacts.c.state == UploadState.EXPIRING.value)
    .values(state=UploadState.EXPIRED.value)
)
_ALL: Final = 2**31 - 1


class ArtifactRemoval:
    """What lets kept files go. Several processes may do so at once."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session
        self._connection = session.connection

    def remove(self, artifact_id: UUID) -> bool:
        """Let the files of an artifact that is no cache go; False where there is none."""
        found = self._connection.execute(_SELECT_REMOVABLE, {"of_id": artifact_id}).scalars().all()
        self._let_go(found)
        return bool(found)

    def remove_of_run(self, run_id: UUID) -> None:
        """Let all files of a run go, but for its caches."""
        self._session.change()
        self._connection.execute(_LET_RUN_GO, {"of_run": run_id})

    def expire(self, now: datetime, limit: int) -> int:
        """Let artifacts go whose time is over, and tell how many they were."""
        found = self._connection.execute(_SELECT_EXPIRED, {"now": now, "at_most": limit}).scalars().all()
        self._for_each(_EXPIRE, found)
        return len(found)

    def abandon(self, limit: int) -> int:
        """Let uploads go whose attempt is not leased any more, and tell how many they were."""
        self._session.pending.flush()
        found = self._connection.execute(_SELECT_ABANDONED, {"at_most": limit}).scalars().all()
        self._for_each(_ABANDON, found)
        return len(found)

    def sweep(self, now: datetime, limit: int) -> bool:
        """Remove some of the parts of what was let go."""
        self._session.change()
        leaving = self._connection.execute(_SELECT_LEAVING, {"at_most": limit}).all()
        left = limit
        for row in leaving:
            if left <= 0:
                return False
            left -= 1 + self._sweep(row, now, left)
        return len(leaving) < limit and left > 0

    def _sweep(self, row: Any, now: datetime, limit: int) -> int:
        """Remove some parts of one artifact, and the artifact with the last; tell how many parts."""
        sharer = self._connection.execute(_SELECT_SHARER, {"of_content": row.content_id, "of_id": row.id})
        removed = 0
        if sharer.first() is None:
            removed = self._give_up_parts(row.content_id, now, limit)
            if removed == limit:
                return removed
        done = _NOTE_EXPIRED if row.state == UploadState.EXPIRING.value else _DELETE
        self._connection.execute(done, {"of_id": row.id})
        return removed

    def _let_go(self, artifact_ids: Sequence[UUID]) -> None:
        self._for_each(_LET_GO, artifact_ids)

    def _give_up_parts(self, content_id: UUID, now: datetime, limit: int = _ALL) -> int:
        """Remove parts of some content, and have their blobs deleted; tell how many they were."""
        values = {"of_content": content_id, "at_most": limit}
        parts = [read_part(row) for row in self._connection.execute(_SELECT_PARTS, values)]
        if not parts:
            return 0
        self._session.change()
        keys = [{"of_content": content_id, "of_number": part.number} for part in parts]
        self._connection.execute(_DELETE_PART, keys)
        self._delete_blobs([part for part in parts if part.stored], now)
        self._delete_blobs([part for part in parts if not part.stored], now + _CALLS_TAKE)
        return len(parts)

    def _delete_blobs(self, parts: Sequence[StoredPart], at: datetime) -> None:
        for start in range(0, len(parts), _KEYS_AT_ONCE):
            keys = [part.key for part in parts[start : start + _KEYS_AT_ONCE]]
            entry = OutboxEntry(self._session.memory.ids.new_id(), DELETE_BLOBS, {"keys": keys})
            SqlOutbox(self._session).add(entry, at)

    def _for_each(self, statement: Any, artifact_ids: Collection[UUID]) -> None:
        if artifact_ids:
            self._session.change()
            self._connection.execute(statement, [{"of_id": each} for each in sorted(artifact_ids)])
