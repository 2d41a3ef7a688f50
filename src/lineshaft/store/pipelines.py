"""Pipelines in the database."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, insert, select, tuple_, update

from lineshaft.definition.repository import repository_key
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.errors import PipelineNotFoundError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.upkeep import NO_UPKEEP, Upkeep
from lineshaft.store.advisory import MANAGED, RELAYS
from lineshaft.store.definitions import SqlDefinitions
from lineshaft.store.schema import definitions, pipelines
from lineshaft.store.session import Session

_EXISTS: Final = pipelines.c.deleted_at.is_(None)
_IS: Final = pipelines.c.id == bindparam("of_id")

_OF_PEOPLE: Final = pipelines.c.relays.is_(None)
"""Fits those that somebody has made; the others are the server's own."""

_COLUMNS: Final = (
    pipelines.c.id,
    pipelines.c.definition_hash,
    pipelines.c.created_at,
    pipelines.c.updated_at,
    pipelines.c.config_file,
    pipelines.c.managed,
    pipelines.c.upkeep,
    pipelines.c.relays,
)
_INSERT: Final = insert(pipelines)
_SELECT: Final = select(*_COLUMNS).where(_IS, _EXISTS)
_UPDATE: Final = update(pipelines).where(_IS, _EXISTS)
_HOLD: Final = select(pipelines.c.id).where(_IS).with_for_update(key_share=True)
_NEXT_NUMBER: Final = (
    update(pipelines)
    .where(_IS, _EXISTS)
    .values(run_count=pipelines.c.run_count + 1)
    .returning(pipelines.c.run_count)
)


_OF_REPOSITORIES: Final = (
    select(*_COLUMNS)
    .where(_EXISTS, pipelines.c.repository_key.in_(bindparam("of_keys", expanding=True)))
    .order_by(pipelines.c.id)
)

_MANAGED: Final = (
    select(*_COLUMNS).where(_EXISTS, pipelines.c.managed).order_by(pipelines.c.name, pipelines.c.id)
)

_RELAY: Final = select(*_COLUMNS).where(_EXISTS, pipelines.c.relays == bindparam("of_type"))

_NO_REPOSITORY: Final = ""
"""The key of a pipeline that works on none; one that was written by a version without keys has NULL."""

_WITHOUT_KEY: Final = (
    select(pipelines.c.id, definitions.c.text)
    .join(definitions, definitions.c.hash == pipelines.c.definition_hash)
    .where(_EXISTS, pipelines.c.repository_key.is_(None))
    .limit(bindparam("at_most"))
)
_FILL: Final = (
    update(pipelines)
    .where(pipelines.c.id == bindparam("of_id"), pipelines.c.repository_key.is_(None))
    .values(repository_key=bindparam("new_key"))
)

_AT_ONCE: Final = 1_000
"""How many ids a statement is given: both databases know a limit."""


def _page(*, of_name: bool, behind: bool, among: bool) -> Select[Any]:
    page = select(*_COLUMNS, pipelines.c.name).where(_EXISTS, _OF_PEOPLE)
    if of_name:
        page = page.where(pipelines.c.name == bindparam("of_name"))
    if behind:
        position = tuple_(
            bindparam("after_name", type_=pipelines.c.name.type),
            bindparam("after_id", type_=pipelines.c.id.type),
        )
        page = page.where(tuple_(pipelines.c.name, pipelines.c.id) > position)
    if among:
        page = page.where(pipelines.c.id.in_(bindparam("of_ids", expanding=True)))
    return page.order_by(pipelines.c.name, pipelines.c.id).limit(bindparam("at_most"))


_PAGES: Final = {
    (of_name, behind, among): _page(of_name=of_name, behind=behind, among=among)
    for of_name in (False, True)
    for behind in (False, True)
    for among in (False, True)
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
            **_kept(pipeline),
        }
        self._session.connection.execute(_INSERT, values)

    def get(self, pipeline_id: UUID) -> Pipeline | None:
        """Find one by its id."""
        row = self._session.connection.execute(_SELECT, {"of_id": pipeline_id}).one_or_none()
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
            **_kept(pipeline),
        }
        return self._session.connection.execute(_UPDATE, values).rowcount == 1

    def remove(self, pipeline_id: UUID, at: datetime) -> bool:
        """Mark it deleted, which keeps its runs; False when it does not exist."""
        self._session.change()
        values = {"of_id": pipeline_id, "deleted_at": at}
        return self._session.connection.execute(_UPDATE, values).rowcount == 1

    def page(
        self,
        *,
        name: str | None,
        after: tuple[str, UUID] | None,
        limit: int,
        visible: Collection[UUID] | None = None,
    ) -> Sequence[Pipeline]:
        """List by (name, id), ascending, from behind `after`, those of a name or of some ids only.

        The server's own are left out.
        """
        values: dict[str, Any] = {"at_most": limit}
        if name is not None:
            values["of_name"] = name
        if after is not None:
            values["after_name"], values["after_id"] = after
        page = _PAGES[name is not None, after is not None, visible is not None]
        if visible is None:
            rows = list(self._session.connection.execute(page, values))
        else:
            rows = self._among(page, values, sorted(visible))[:limit]
        return [self._pipeline(row) for row in rows]

    def _among(
        self, page: Select[Any], values: dict[str, Any], ids: Sequence[UUID]
    ) -> list[Row[*tuple[Any, ...]]]:
        """List the first of some pipelines, whose ids may be more than fit into a statement."""
        found = [
            row
            for begin in range(0, len(ids), _AT_ONCE)
            for row in self._session.connection.execute(
                page, values | {"of_ids": ids[begin : begin + _AT_ONCE]}
            )
        ]
        return sorted(found, key=lambda row: (row.name, row.id))

    def of_repositories(self, keys: Collection[str]) -> Sequence[Pipeline]:
        """List those whose repository has one of these keys, by id."""
        values = {"of_keys": sorted(keys)}
        return [self._pipeline(row) for row in self._session.connection.execute(_OF_REPOSITORIES, values)]

    def fill_keys(self, limit: int) -> int:
        """Give a key to some that were written without one; tells how many those were."""
        rows = list(self._session.connection.execute(_WITHOUT_KEY, {"at_most": limit}))
        if rows:
            self._session.change()
            keys = [{"of_id": row.id, "new_key": _key(_repository_in(row.text))} for row in rows]
            self._session.connection.execute(_FILL, keys)
        return len(rows)

    def managed(self) -> Sequence[Pipeline]:
        """List those that the server's file of pipelines keeps, by name, then id."""
        return [self._pipeline(row) for row in self._session.connection.execute(_MANAGED)]

    def hold_relays(self) -> None:
        """Keep other processes from doing this until this transaction has ended."""
        self._session.locks.take(RELAYS)

    def relay(self, type_name: str) -> Pipeline | None:
        """Find the server's own pipeline that takes changes of a type, or broadcasts, to drivers."""
        row = self._session.connection.execute(_RELAY, {"of_type": type_name}).one_or_none()
        return None if row is None else self._pipeline(row)

    def hold_managed(self) -> None:
        """Keep other processes from doing this until this transaction has ended."""
        self._session.locks.take(MANAGED)

    def hold(self, pipeline_id: UUID) -> None:
        """Keep other processes from replacing, removing or holding one until this transaction has ended."""
        if not self._session.memory.sole_writer:
            self._session.connection.execute(_HOLD, {"of_id": pipeline_id})

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
        config_file = None if row.config_file is None else ConfigFile(**row.config_file)
        upkeep = NO_UPKEEP if row.upkeep is None else Upkeep(**row.upkeep)
        return Pipeline(
            id=row.id,
            definition=definition,
            created_at=row.created_at,
            updated_at=row.updated_at,
            config_file=config_file,
            managed=row.managed,
            upkeep=upkeep,
            relays=row.relays,
        )


def _kept(pipeline: Pipeline) -> dict[str, Any]:
    """Tell where a pipeline is kept, and by which key changes of its repository find it."""
    return {
        "repository_key": _key(pipeline.definition.repository),
        "config_file": None if pipeline.config_file is None else asdict(pipeline.config_file),
        "managed": pipeline.managed,
        "upkeep": None if pipeline.upkeep == NO_UPKEEP else asdict(pipeline.upkeep),
        "relays": pipeline.relays,
    }


def _key(repository: str | None) -> str:
    return _NO_REPOSITORY if repository is None else repository_key(repository)


def _repository_in(text: str) -> str | None:
    """Tell the repository of a definition's canonical text, without understanding all of it."""
    keys: dict[str, str | None] = json.loads(text)
    return keys.get("repository") or keys.get("git_repository")
