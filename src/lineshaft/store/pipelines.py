"""Pipelines in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, insert, select, tuple_, update

from lineshaft.model.errors import PipelineNotFoundError
from lineshaft.model.pipeline import Pipeline
from lineshaft.store.definitions import SqlDefinitions
from lineshaft.store.schema import pipelines
from lineshaft.store.session import Session

_EXISTS: Final = pipelines.c.deleted_at.is_(None)
_IS: Final = pipelines.c.id == bindparam("of_id")

_COLUMNS: Final = (
    pipelines.c.id,
    pipelines.c.definition_hash,
    pipelines.c.created_at,
    pipelines.c.updated_at,
)
_INSERT: Final = insert(pipelines)
_SELECT: Final = select(*_COLUMNS).where(_IS, _EXISTS)
_SELECT_NEWEST: Final = (
    select(*_COLUMNS)
    .where(_EXISTS, pipelines.c.name == bindparam("of_name"))
    .order_by(pipelines.c.id.desc())
    .limit(1)
)
_UPDATE: Final = update(pipelines).where(_IS, _EXISTS)
_NEXT_NUMBER: Final = (
    update(pipelines)
    .where(_IS, _EXISTS)
    .values(run_count=pipelines.c.run_count + 1)
    .returning(pipelines.c.run_count)
)


def _page(*, of_name: bool, behind: bool) -> Select[Any]:
    page = select(*_COLUMNS).where(_EXISTS)
    if of_name:
        page = page.where(pipelines.c.name == bindparam("of_name"))
    if behind:
        position = tuple_(
            bindparam("after_name", type_=pipelines.c.name.type),
            bindparam("after_id", type_=pipelines.c.id.type),
        )
        page = page.where(tuple_(pipelines.c.name, pipelines.c.id) > position)
    return page.order_by(pipelines.c.name, pipelines.c.id).limit(bindparam("at_most"))


_PAGES: Final = {
    (of_name, behind): _page(of_name=of_name, behind=behind)
    for of_name in (False, True)
    for behind in (False, True)
}


class SqlPipelines:
    """The pipelines that exist; see `ports.store.Pipelines`."""

    def __init__(self, session: Session, definitions: SqlDefinitions) -> None:
        """Take part in a transaction."""
        self._session = session
        self._definitions = definitions

    def add(self, pipeline: Pipeline) -> None:
        """Add a new one, and its definition where that is new."""
        self._session.change()
        self._definitions.add(pipeline.definition)
        values = {
            "id": pipeline.id,
            "name": pipeline.name,
            "definition_hash": pipeline.definition.hash,
            "run_count": 0,
            "created_at": pipeline.created_at,
            "updated_at": pipeline.updated_at,
        }
        self._session.connection.execute(_INSERT, values)

    def get(self, pipeline_id: UUID) -> Pipeline | None:
        """Find one by its id."""
        row = self._session.connection.execute(_SELECT, {"of_id": pipeline_id}).one_or_none()
        return None if row is None else self._pipeline(row)

    def newest(self, name: str) -> Pipeline | None:
        """Find the one of that name that was added last."""
        row = self._session.connection.execute(_SELECT_NEWEST, {"of_name": name}).one_or_none()
        return None if row is None else self._pipeline(row)

    def replace(self, pipeline: Pipeline) -> bool:
        """Replace name, definition and `updated_at`; False when it does not exist."""
        self._session.change()
        self._definitions.add(pipeline.definition)
        values = {
            "of_id": pipeline.id,
            "name": pipeline.name,
            "definition_hash": pipeline.definition.hash,
            "updated_at": pipeline.updated_at,
        }
        return self._session.connection.execute(_UPDATE, values).rowcount == 1

    def remove(self, pipeline_id: UUID, at: datetime) -> bool:
        """Mark it deleted, which keeps its runs; False when it does not exist."""
        self._session.change()
        values = {"of_id": pipeline_id, "deleted_at": at}
        return self._session.connection.execute(_UPDATE, values).rowcount == 1

    def page(self, *, name: str | None, after: tuple[str, UUID] | None, limit: int) -> Sequence[Pipeline]:
        """List by (name, id), ascending, from behind `after`; `name` keeps only pipelines of that name."""
        values: dict[str, Any] = {"at_most": limit}
        if name is not None:
            values["of_name"] = name
        if after is not None:
            values["after_name"], values["after_id"] = after
        page = _PAGES[name is not None, after is not None]
        return [self._pipeline(row) for row in self._session.connection.execute(page, values)]

    def next_run_number(self, pipeline_id: UUID) -> int:
        """Return the number of the pipeline's next run, from 1; it is taken when this transaction commits.

        Raises:
            PipelineNotFoundError: the pipeline does not exist.
        """
        number = self._session.connection.execute(_NEXT_NUMBER, {"of_id": pipeline_id}).scalar_one_or_none()
        if number is None:
            raise PipelineNotFoundError(pipeline_id)
        self._session.change()
        return int(number)

    def _pipeline(self, row: Row[*tuple[Any, ...]]) -> Pipeline:
        definition = self._definitions.stored(row.definition_hash)
        return Pipeline(row.id, definition, row.created_at, row.updated_at)
