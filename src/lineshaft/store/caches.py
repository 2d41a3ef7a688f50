"""Caches in the database."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, select, update

from lineshaft.model.artifact import LONGEST_CACHE_KEY, Artifact, KeptCache
from lineshaft.store.artifact_removal import ArtifactRemoval
from lineshaft.store.artifact_rows import read_artifact
from lineshaft.store.cache_rows import cache_address
from lineshaft.store.schema import artifacts, caches, pipelines
from lineshaft.store.schema.artifact_tables import KEPT

_LAST: Final = chr(sys.maxunicode)
_FIRST_SURROGATE: Final = 0xD800
_BEHIND_SURROGATES: Final = 0xE000

_FOUND: Final = (
    select(artifacts)
    .join_from(caches, artifacts, artifacts.c.id == caches.c.artifact_id)
    .where(caches.c.pipeline_id == bindparam("of_pipeline"), artifacts.c.state == KEPT)
)
_FIND: Final = _FOUND.where(caches.c.address == bindparam("at_address"))
_NEWEST: Final = (
    _FOUND.where(
        caches.c.scope == bindparam("in_scope"),
        # `LIKE` takes some characters of a key for a pattern, and SQLite's knows no case.
        caches.c.key >= bindparam("beginning"),
        caches.c.key < bindparam("behind"),
    )
    .order_by(caches.c.kept_at.desc(), caches.c.artifact_id.desc())
    .limit(1)
)
_USE: Final = (
    update(caches)
    .where(caches.c.artifact_id == bindparam("of_artifact"), caches.c.used_at < bindparam("at"))
    .values(used_at=bindparam("at"))
)
_PLACE: Final = select(caches.c.pipeline_id, caches.c.scope).where(
    caches.c.artifact_id == bindparam("of_artifact")
)
_UNUSED: Final = (
    select(caches.c.artifact_id)
    .where(caches.c.used_at < bindparam("before"))
    .order_by(caches.c.used_at, caches.c.artifact_id)
    .limit(bindparam("at_most"))
)
_BY_USE: Final = (
    select(caches.c.artifact_id, artifacts.c.received_bytes)
    .join_from(caches, artifacts, artifacts.c.id == caches.c.artifact_id)
    .where(caches.c.pipeline_id == bindparam("of_pipeline"))
    .order_by(caches.c.used_at.desc(), caches.c.artifact_id.desc())
)
_OF_DELETED: Final = (
    select(caches.c.artifact_id)
    .where(~exists().where(pipelines.c.id == caches.c.pipeline_id, pipelines.c.deleted_at.is_(None)))
    .order_by(caches.c.artifact_id)
    .limit(bindparam("at_most"))
)
_PAGE: Final = (
    select(artifacts, caches.c.scope.label("in_scope"), caches.c.used_at)
    .join_from(caches, artifacts, artifacts.c.id == caches.c.artifact_id)
    .where(
        caches.c.pipeline_id == bindparam("of_pipeline"),
        artifacts.c.state == KEPT,
        artifacts.c.id > bindparam("after_id"),
    )
    .order_by(artifacts.c.id)
    .limit(bindparam("at_most"))
)
_THESE: Final = select(caches.c.artifact_id).where(
    caches.c.pipeline_id == bindparam("of_pipeline"),
    caches.c.artifact_id.in_(bindparam("of_artifacts", expanding=True)),
)
_NO_ID: Final = UUID(int=0)
_DELETE: Final = delete(caches).where(caches.c.artifact_id == bindparam("of_artifact"))


class SqlCaches(ArtifactRemoval):
    """Which artifacts are found as caches; see `ports.store.Caches`."""

    def find(self, pipeline_id: UUID, scope: str, key: str) -> Artifact | None:
        """Find the one that is kept under a key in a scope."""
        return self._one(_FIND, {"of_pipeline": pipeline_id, "at_address": cache_address(scope, key)})

    def newest(self, pipeline_id: UUID, scope: str, beginning: str) -> Artifact | None:
        """Find the one that was kept last in a scope, of those whose keys begin so."""
        values = {
            "of_pipeline": pipeline_id,
            "in_scope": scope,
            "beginning": beginning,
            "behind": _behind(beginning),
        }
        return self._one(_NEWEST, values)

    def use(self, artifact_id: UUID, now: datetime) -> None:
        """Note that one was used."""
        self._session.change()
        self._connection.execute(_USE, {"of_artifact": artifact_id, "at": now})

    def has(self, artifact_id: UUID) -> tuple[UUID, str] | None:
        """Tell in which pipeline and which scope an artifact is found as a cache; None where it is not."""
        row = self._connection.execute(_PLACE, {"of_artifact": artifact_id}).one_or_none()
        return None if row is None else (row.pipeline_id, row.scope)

    def page(self, pipeline_id: UUID, *, after: UUID | None, limit: int) -> Sequence[KeptCache]:
        """List a pipeline's, by id, from behind `after`."""
        values = {"of_pipeline": pipeline_id, "after_id": after or _NO_ID, "at_most": limit}
        rows = self._connection.execute(_PAGE, values)
        return [KeptCache(read_artifact(row), row.in_scope, row.used_at) for row in rows]

    def delete(self, pipeline_id: UUID, artifact_ids: Sequence[UUID]) -> int:
        """Let some of a pipeline's go, and tell how many were there."""
        values = {"of_pipeline": pipeline_id, "of_artifacts": list(artifact_ids)}
        return self._remove(self._ids(_THESE, values))

    def remove_unused(self, before: datetime, limit: int) -> int:
        """Let caches go that were last used before a time, and tell how many they were."""
        return self._remove(self._ids(_UNUSED, {"before": before, "at_most": limit}))

    def remove_surplus(self, pipeline_id: UUID, *, most: int, most_bytes: int) -> int:
        """Let those of a pipeline's caches go that were used least lately."""
        surplus: list[UUID] = []
        size = 0
        for number, row in enumerate(self._connection.execute(_BY_USE, {"of_pipeline": pipeline_id})):
            size += row.received_bytes
            if number >= most or size > most_bytes:
                surplus.append(row.artifact_id)
        return self._remove(surplus)

    def remove_of_deleted_pipelines(self, limit: int) -> int:
        """Let caches of pipelines go that are deleted, and tell how many they were."""
        return self._remove(self._ids(_OF_DELETED, {"at_most": limit}))

    def _remove(self, artifact_ids: list[UUID]) -> int:
        if artifact_ids:
            self._session.change()
            keys = [{"of_artifact": each} for each in sorted(artifact_ids)]
            self._connection.execute(_DELETE, keys)
            self._let_go(artifact_ids)
        return len(artifact_ids)

    def _one(self, statement: Any, values: dict[str, Any]) -> Artifact | None:
        row = self._connection.execute(statement, values).one_or_none()
        return None if row is None else read_artifact(row)

    def _ids(self, statement: Any, values: dict[str, Any]) -> list[UUID]:
        return list(self._connection.execute(statement, values).scalars())


def _behind(beginning: str) -> str:
    """Tell the first text, by code points, behind all that begin so."""
    stem = beginning.rstrip(_LAST)
    if not stem:
        return _LAST * (LONGEST_CACHE_KEY + 1)
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(_BEHIND_SURROGATES if following == _FIRST_SURROGATE else following)
