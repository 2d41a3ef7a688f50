"""Upstreams in the database."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select

from lineshaft.store.advisory import UPSTREAMS
from lineshaft.store.schema import pipelines, upstreams
from lineshaft.store.session import Session

_COLUMNS: Final = upstreams.c
_DELETE: Final = delete(upstreams).where(_COLUMNS.pipeline_id == bindparam("of_pipeline"))
_INSERT: Final = insert(upstreams)
_OF_NAME: Final = (
    select(_COLUMNS.pipeline_id)
    .where(_COLUMNS.upstream == bindparam("of_name"))
    .distinct()
    .order_by(_COLUMNS.pipeline_id)
)
_OF_PIPELINE: Final = (
    select(_COLUMNS.pipeline_id)
    .join(pipelines, pipelines.c.name == _COLUMNS.upstream)
    .where(pipelines.c.id == bindparam("of_pipeline"), pipelines.c.deleted_at.is_(None))
    .distinct()
    .order_by(_COLUMNS.pipeline_id)
)


class SqlUpstreams:
    """The pipelines that exist and follow others; see `ports.store.Upstreams`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def hold(self) -> None:
        """Keep other processes from doing this until this transaction has ended."""
        self._session.locks.take(UPSTREAMS)

    def put(self, pipeline_id: UUID, names: Sequence[str]) -> None:
        """Say which pipelines one follows, in the place of what was said before."""
        self._session.change()
        self._session.connection.execute(_DELETE, {"of_pipeline": pipeline_id})
        rows = [
            {"pipeline_id": pipeline_id, "position": position, "upstream": name}
            for position, name in enumerate(names)
        ]
        if rows:
            self._session.connection.execute(_INSERT, rows)

    def of_name(self, name: str) -> Sequence[UUID]:
        """List the pipelines that follow those of a name, by id."""
        return self._session.connection.execute(_OF_NAME, {"of_name": name}).scalars().all()

    def of_pipeline(self, pipeline_id: UUID) -> Sequence[UUID]:
        """List the pipelines that follow one by the name that it has now, by id; none of a deleted one."""
        values = {"of_pipeline": pipeline_id}
        return self._session.connection.execute(_OF_PIPELINE, values).scalars().all()
