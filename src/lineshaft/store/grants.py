"""Grants in the database."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, select

from lineshaft.model.grant import Grant
from lineshaft.model.role import Role
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import grants, pipelines
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_replace

_OF_USER: Final = grants.c.user == bindparam("of_user")
_ON_PIPELINE: Final = grants.c.pipeline_id == bindparam("of_pipeline")
_SELECT_OF_USER: Final = Prepared(select(grants).where(_OF_USER).order_by(grants.c.pipeline_id))
_SELECT_OF_PIPELINE: Final = Prepared(select(grants).where(_ON_PIPELINE).order_by(grants.c.user))
_PUT: Final = insert_or_replace(grants)
_DELETE: Final = delete(grants).where(_OF_USER, _ON_PIPELINE)
_DELETE_OF_USER: Final = delete(grants).where(_OF_USER)
_DELETE_ORPHANED: Final = delete(grants).where(
    grants.c.pipeline_id.in_(
        select(grants.c.pipeline_id)
        .where(~exists().where(pipelines.c.id == grants.c.pipeline_id))
        .limit(bindparam("most"))
    )
)


class SqlGrants:
    """The roles of users on single pipelines; see `ports.store.Grants`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def of_user(self, user: str) -> Sequence[Grant]:
        """List a user's, by the pipelines' ids."""
        rows = _SELECT_OF_USER.rows(self._session.connection, {"of_user": user})
        return [Grant(name, pipeline_id, Role(role)) for name, pipeline_id, role in rows]

    def of_pipeline(self, pipeline_id: UUID) -> Sequence[Grant]:
        """List those on a pipeline, by the users' names."""
        rows = _SELECT_OF_PIPELINE.rows(self._session.connection, {"of_pipeline": pipeline_id})
        return [Grant(name, on, Role(role)) for name, on, role in rows]

    def put(self, grant: Grant) -> None:
        """Add one, or replace the user's on that pipeline."""
        self._session.change()
        values = {"user": grant.user, "pipeline_id": grant.pipeline_id, "role": grant.role.value}
        self._session.connection.execute(_PUT, values)

    def remove(self, user: str, pipeline_id: UUID) -> bool:
        """Remove one; False when the user has none on that pipeline."""
        self._session.change()
        values = {"of_user": user, "of_pipeline": pipeline_id}
        return self._session.connection.execute(_DELETE, values).rowcount > 0

    def remove_user(self, user: str) -> None:
        """Remove all of a user's."""
        self._session.change()
        self._session.connection.execute(_DELETE_OF_USER, {"of_user": user})

    def remove_orphaned(self, limit: int) -> int:
        """Remove those on pipelines of which nothing is left, and tell how many they were."""
        self._session.change()
        return self._session.connection.execute(_DELETE_ORPHANED, {"most": limit}).rowcount
