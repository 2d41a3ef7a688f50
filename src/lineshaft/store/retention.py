"""Removing what is old from the database."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    false,
    or_,
    select,
    tuple_,
    update,
)

from lineshaft.model.attempt import AttemptAddress
from lineshaft.ports.blobs import log_key
from lineshaft.ports.store import DELETE_BLOBS, EndedRun, OutboxEntry
from lineshaft.store.artifact_removal import ArtifactRemoval
from lineshaft.store.outbox import SqlOutbox
from lineshaft.store.schema import (
    attempts,
    commit_statuses,
    definitions,
    events,
    generated,
    log_chunks,
    nodes,
    outputs,
    pipelines,
    runs,
    test_chunks,
    test_results,
    timers,
)
from lineshaft.store.session import Session
from lineshaft.store.test_cases.keeping import remove_history

_FIRST: Final = EndedRun(datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
_NO_ID: Final = UUID(int=0)

_NEWER: Final = runs.alias("newer")
_CALLED: Final = runs.alias("called")
_CALLER: Final = runs.alias("caller")
_MAY_GO: Final = and_(
    runs.c.ended_at.is_not(None),
    or_(
        exists().where(_NEWER.c.pipeline_id == runs.c.pipeline_id, _NEWER.c.number > runs.c.number),
        exists().where(pipelines.c.id == runs.c.pipeline_id, pipelines.c.deleted_at.is_not(None)),
    ),
    ~exists().where(_CALLED.c.parent_run == runs.c.id, _CALLED.c.ended_at.is_(None)),
    ~exists().where(_CALLER.c.id == runs.c.parent_run, _CALLER.c.ended_at.is_(None)),
)
_ENDED_BEFORE: Final = and_(runs.c.ended_at.is_not(None), runs.c.ended_at < bindparam("before"))
_AT_MOST: Final[BindParameter[int]] = bindparam("at_most", type_=Integer())

SELECT_ENDED: Final = (
    select(runs.c.ended_at, runs.c.id)
    .where(
        _ENDED_BEFORE,
        tuple_(runs.c.ended_at, runs.c.id)
        > tuple_(
            bindparam("after_end", type_=runs.c.ended_at.type), bindparam("after_id", type_=runs.c.id.type)
        ),
        _MAY_GO,
    )
    .order_by(runs.c.ended_at, runs.c.id)
    .limit(_AT_MOST)
)
SELECT_LAST_KEPT: Final = (
    select(runs.c.number)
    .where(runs.c.pipeline_id == bindparam("of_pipeline"), runs.c.ended_at.is_not(None))
    .order_by(runs.c.number.desc())
    .limit(1)
    .offset(bindparam("but_for"))
)
SELECT_SURPLUS: Final = (
    select(runs.c.id)
    .where(runs.c.pipeline_id == bindparam("of_pipeline"), runs.c.number < bindparam("last_kept"), _MAY_GO)
    .order_by(runs.c.number)
    .limit(_AT_MOST)
)
SELECT_WITH_LOGS: Final = (
    select(runs.c.id)
    .where(_ENDED_BEFORE, runs.c.logs_removed_at.is_(None))
    .order_by(runs.c.ended_at, runs.c.id)
    .limit(_AT_MOST)
)
_IS: Final = runs.c.id == bindparam("of_run")
HOLD_REMOVABLE: Final = select(runs.c.id).where(_IS, _MAY_GO).with_for_update(of=runs)
_HOLD_WITH_LOGS: Final = (
    select(runs.c.id)
    .where(_IS, runs.c.ended_at.is_not(None), runs.c.logs_removed_at.is_(None))
    .with_for_update()
)
_MARK_RUN: Final = update(runs).where(_IS).values(logs_removed_at=bindparam("at"))

SELECT_ATTEMPTS: Final = (
    select(attempts.c.node, attempts.c.attempt, attempts.c.log_size, attempts.c.log_removed)
    .where(attempts.c.run_id == bindparam("of_run"))
    .order_by(attempts.c.node, attempts.c.attempt)
    .limit(_AT_MOST)
)
SELECT_LOGS: Final = SELECT_ATTEMPTS.where(attempts.c.log_size > 0, attempts.c.log_removed.is_(false()))
SELECT_PIPELINES: Final = (
    select(pipelines.c.id)
    .where(pipelines.c.id > bindparam("after_id"))
    .order_by(pipelines.c.id)
    .limit(_AT_MOST)
)
DELETE_PIPELINES: Final = delete(pipelines).where(
    pipelines.c.id.in_(
        select(pipelines.c.id)
        .where(pipelines.c.deleted_at.is_not(None), ~exists().where(runs.c.pipeline_id == pipelines.c.id))
        .limit(_AT_MOST)
    )
)
_SELECT_DEFINITIONS: Final = (
    select(definitions.c.hash)
    .where(definitions.c.hash > bindparam("after_hash"))
    .order_by(definitions.c.hash)
    .limit(_AT_MOST)
)
DELETE_DEFINITIONS: Final = (
    delete(definitions)
    .where(
        definitions.c.hash > bindparam("after_hash"),
        definitions.c.hash <= bindparam("last_hash"),
        ~exists().where(runs.c.definition_hash == definitions.c.hash),
        ~exists().where(pipelines.c.definition_hash == definitions.c.hash),
    )
    .returning(definitions.c.hash)
)


def _is_row(table: Table) -> ColumnElement[bool]:
    return and_(*(column == bindparam(f"of_{column.name}") for column in table.primary_key.columns))


def _part_of(table: Table) -> Select[Any]:
    keys = table.primary_key.columns
    return select(*keys).where(table.c.run_id == bindparam("of_run")).order_by(*keys).limit(_AT_MOST)


SELECT_PARTS: Final[Mapping[str, Select[Any]]] = {
    table.name: _part_of(table) for table in (log_chunks, events, test_chunks)
}
_DELETE_ROW: Final[Mapping[str, Delete]] = {
    table.name: delete(table).where(_is_row(table)) for table in (attempts, log_chunks, events, test_chunks)
}
_REMOVE_LOG: Final = (
    update(attempts).where(_is_row(attempts)).values(log_removed=bindparam("removed"), log_blob=None)
)
DELETE_REST: Final = (
    *(
        delete(table).where(table.c.run_id == bindparam("of_run"))
        for table in (timers, generated, outputs, nodes, test_results, commit_statuses)
    ),
    delete(runs).where(_IS),
)


class SqlRetention:
    """Removing what is old; see `ports.store.Retention`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def ended(self, before: datetime, *, after: EndedRun | None, limit: int) -> Sequence[EndedRun]:
        """List runs that may go and ended before a time, from behind `after`, by end and id."""
        after = after or _FIRST
        values = {
            "before": before,
            "after_end": after.ended_at,
            "after_id": after.run_id,
            "at_most": limit,
        }
        return [EndedRun(row.ended_at, row.id) for row in self._execute(SELECT_ENDED, values)]

    def surplus(self, pipeline_id: UUID, keep: int, limit: int) -> Sequence[UUID]:
        """List runs of a pipeline that may go, but for its newest `keep` ended ones; the oldest first."""
        values: dict[str, Any] = {"of_pipeline": pipeline_id, "but_for": keep - 1}
        last_kept = self._execute(SELECT_LAST_KEPT, values).scalar_one_or_none()
        if last_kept is None:
            return []
        values = {"of_pipeline": pipeline_id, "last_kept": last_kept, "at_most": limit}
        return list(self._execute(SELECT_SURPLUS, values).scalars())

    def with_logs(self, before: datetime, limit: int) -> Sequence[UUID]:
        """List runs that ended before a time and still have their logs, by end."""
        return list(self._execute(SELECT_WITH_LOGS, {"before": before, "at_most": limit}).scalars())

    def remove_run(self, run_id: UUID, now: datetime, limit: int) -> bool:
        """Remove a part of a run if it may go."""
        if self._execute(HOLD_REMOVABLE, {"of_run": run_id}).first() is None:
            return True
        self._session.change()
        rows = self._execute(SELECT_ATTEMPTS, {"of_run": run_id, "at_most": limit}).all()
        self._for_each(_DELETE_ROW[attempts.name], [_attempt(run_id, row) for row in rows])
        self._give_up_blobs(run_id, [row for row in rows if row.log_size and not row.log_removed], now)
        left = limit - len(rows)
        for table in (log_chunks, events, test_chunks):
            left -= self._remove_rows(table, run_id, left)
        left -= remove_history(self._session, run_id, left)
        if left <= 0:
            return False
        ArtifactRemoval(self._session).remove_of_run(run_id)
        for statement in DELETE_REST:
            self._session.connection.execute(statement, {"of_run": run_id})
        self._session.remove(run_id)
        return True

    def remove_logs(self, run_id: UUID, now: datetime, limit: int) -> bool:
        """Remove a part of the logs of a run that has ended; the run stays."""
        if self._execute(_HOLD_WITH_LOGS, {"of_run": run_id}).first() is None:
            return True
        self._session.change()
        rows = self._execute(SELECT_LOGS, {"of_run": run_id, "at_most": limit}).all()
        self._for_each(_REMOVE_LOG, [{**_attempt(run_id, row), "removed": True} for row in rows])
        self._give_up_blobs(run_id, rows, now)
        left = limit - len(rows)
        left -= self._remove_rows(log_chunks, run_id, left)
        if left <= 0:
            return False
        self._session.connection.execute(_MARK_RUN, {"of_run": run_id, "at": now})
        return True

    def pipelines(self, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """List all pipelines, deleted ones too, from behind `after`."""
        values = {"after_id": after or _NO_ID, "at_most": limit}
        return list(self._execute(SELECT_PIPELINES, values).scalars())

    def remove_pipelines(self, limit: int) -> int:
        """Remove deleted pipelines that have no runs any more, and tell how many they were."""
        self._session.change()
        return int(self._execute(DELETE_PIPELINES, {"at_most": limit}).rowcount)

    def remove_definitions(self, *, after: str, limit: int) -> str | None:
        """Look at the definitions from behind a hash, and remove those that nothing refers to."""
        page = {"after_hash": after, "at_most": limit}
        hashes = list(self._execute(_SELECT_DEFINITIONS, page).scalars())
        if not hashes:
            return None
        self._session.change()
        bounds = {"after_hash": after, "last_hash": hashes[-1]}
        for removed in self._execute(DELETE_DEFINITIONS, bounds).scalars().all():
            self._session.forget_definition(removed)
        return str(hashes[-1])

    def _remove_rows(self, table: Table, run_id: UUID, limit: int) -> int:
        """Remove rows of a run from a table, and tell how many they were."""
        if limit <= 0:
            return 0
        rows = self._execute(SELECT_PARTS[table.name], {"of_run": run_id, "at_most": limit}).mappings()
        keys = [{f"of_{name}": value for name, value in row.items()} for row in rows]
        self._for_each(_DELETE_ROW[table.name], keys)
        return len(keys)

    def _give_up_blobs(self, run_id: UUID, rows: Sequence[Any], now: datetime) -> None:
        # A log that is being moved to its blob at this moment is among them.
        keys = [log_key(AttemptAddress(run_id, row.node, row.attempt)) for row in rows]
        if keys:
            entry = OutboxEntry(self._session.memory.ids.new_id(), DELETE_BLOBS, {"keys": keys})
            SqlOutbox(self._session).add(entry, now)

    def _for_each(self, statement: Any, many: Sequence[Mapping[str, Any]]) -> None:
        if many:
            self._session.connection.execute(statement, many)

    def _execute(self, statement: Any, values: Mapping[str, Any]) -> Any:
        # What this transaction has decided before counts as well.
        self._session.pending.flush()
        return self._session.connection.execute(statement, values)


def _attempt(run_id: UUID, row: Any) -> dict[str, Any]:
    return {"of_run_id": run_id, "of_node": row.node, "of_attempt": row.attempt}
