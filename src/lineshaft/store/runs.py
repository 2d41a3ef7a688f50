"""Runs in the database."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, false, select, true

from lineshaft.engine.decision import (
    AttemptEnded,
    AttemptQueued,
    AttemptStopping,
    ChildRunStopping,
    ChildRunWanted,
    Decision,
    Effect,
    OutputsGiven,
    RunEnded,
    TimerSet,
    TreeGrown,
)
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import CorruptRunError
from lineshaft.model.event import RunEvent
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.store import TIMER_NOTICE, UnendedRuns
from lineshaft.ports.wakeups import TIMERS, log_topic, run_topic, worker_topic
from lineshaft.store.definitions import SqlDefinitions
from lineshaft.store.origin import read_origin
from lineshaft.store.prepared import Prepared, padded
from lineshaft.store.run_loading import SELECT_RUN, UNREADABLE, corrupt, load_runs
from lineshaft.store.run_rows import read_event
from lineshaft.store.schema import events, pipelines, runs
from lineshaft.store.session import Session

_SELECT_BY_ID: Final = SELECT_RUN.where(runs.c.id == bindparam("of_run"))
_VERSION: Final = select(runs.c.version).where(runs.c.id == bindparam("of_run"))
_SELECT_VERSION: Final = Prepared(_VERSION)
_LOCK_VERSION: Final = Prepared(_VERSION.with_for_update(key_share=True))
_SELECT_VERSIONS: Final = (
    select(runs.c.id, runs.c.version)
    .where(runs.c.id.in_(bindparam("of_runs", expanding=True)))
    .order_by(runs.c.id)
)
_LOCK_VERSIONS: Final = _SELECT_VERSIONS.with_for_update(key_share=True)
_LOCK_PIPELINE: Final = (
    select(pipelines.c.id).where(pipelines.c.id == bindparam("of_pipeline")).with_for_update(key_share=True)
)
_ALL: Final = 2**31 - 1
_SELECT_UNENDED: Final = (
    SELECT_RUN.where(runs.c.pipeline_id == bindparam("of_pipeline"), runs.c.ended_at.is_(None))
    .order_by(runs.c.number)
    .limit(bindparam("at_most"))
)
_SELECT_UNENDED_OF_GROUP: Final = _SELECT_UNENDED.where(
    runs.c.concurrency_group == bindparam("of_group"), runs.c.held.is_(false())
)
_SELECT_GOING: Final = (
    select(runs.c.id)
    .where(
        runs.c.pipeline_id == bindparam("of_pipeline"),
        runs.c.ended_at.is_(None),
        runs.c.concurrency_group == bindparam("of_group"),
        runs.c.state != State.WAITING.value,
    )
    .limit(1)
)
_SELECT_HELD: Final = (
    select(runs.c.id, runs.c.origin)
    .where(runs.c.pipeline_id == bindparam("of_pipeline"), runs.c.ended_at.is_(None), runs.c.held.is_(true()))
    .order_by(runs.c.number)
)
_SELECT_CHILD: Final = select(runs.c.id).where(
    runs.c.parent_run == bindparam("of_run"),
    runs.c.parent_node == bindparam("of_node"),
    runs.c.parent_attempt == bindparam("of_attempt"),
)
_SELECT_PAGE: Final = (
    SELECT_RUN.where(runs.c.pipeline_id == bindparam("of_pipeline"), runs.c.number < bindparam("below"))
    .order_by(runs.c.number.desc())
    .limit(bindparam("at_most"))
)
_SELECT_NUMBERS: Final = _SELECT_PAGE.with_only_columns(runs.c.number, runs.c.id)
_SELECT_EVENTS: Final = (
    select(events)
    .where(events.c.run_id == bindparam("of_run"), events.c.number > bindparam("above"))
    .order_by(events.c.number)
    .limit(bindparam("at_most"))
)


_SELECT_PIPELINE: Final = Prepared(select(runs.c.pipeline_id).where(runs.c.id == bindparam("of_run")))


class SqlRuns:
    """Runs, their nodes and events; see `ports.store.Runs`."""

    def __init__(self, session: Session, definitions: SqlDefinitions) -> None:
        """Take part in a transaction."""
        self._session = session
        self._definitions = definitions

    def create(self, run: Run) -> None:
        """Write a run in which nothing has begun; its definition is stored already."""
        self._session.change()
        self._session.pending.create(run)
        self._know_saved(run)

    def get(self, run_id: UUID) -> Run | None:
        """Find one by its id, as this transaction has last saved it."""
        session = self._session
        known = session.runs.get(run_id)
        if known is not None:
            return known
        run = session.memory.runs.get(run_id)
        if run is None or not (session.trusts_memory or run.version == self._stored_version(run_id)):
            run = self._load(run_id)
        if run is not None:
            session.runs[run_id] = run
        return run

    def pipeline_of(self, run_id: UUID) -> UUID | None:
        """Find the pipeline of a run, without the rest of it; None where there is no such run."""
        known = self._session.runs.get(run_id)
        if known is not None:
            return known.pipeline_id
        rows = _SELECT_PIPELINE.rows(self._session.connection, {"of_run": run_id})
        return rows[0][0] if rows else None

    def hold(self, run_id: UUID) -> None:
        """Keep other processes from writing or holding a run until this transaction has ended."""
        session = self._session
        if session.memory.sole_writer:
            return
        stored = _LOCK_VERSION.rows(session.connection, {"of_run": run_id})
        known = session.runs.get(run_id)
        if stored:
            session.versions[run_id] = stored[0][0]
        if known is not None and run_id not in session.saved and stored and known.version != stored[0][0]:
            # It was read before whoever held it had committed.
            del session.runs[run_id]

    def read_versions(self, run_ids: Collection[UUID]) -> None:
        """Read at once what `get` compares with what is remembered of runs."""
        if run_ids:
            statement = _LOCK_VERSIONS if self._session.locking else _SELECT_VERSIONS
            found = self._session.connection.execute(statement, {"of_runs": padded(run_ids)})
            self._session.versions.update((row.id, row.version) for row in found)

    def save(self, decision: Decision) -> None:
        """Write what the engine decided: run, changed nodes, events, attempts; check `version`."""
        run = decision.run
        session = self._session
        before = session.runs.get(run.id)
        if before is run:
            return  # The event changed nothing.
        session.change()
        session.pending.save(decision, before)
        self._know_saved(run)
        session.recorded.setdefault(run.id, []).extend(decision.events)
        session.topics.add(run_topic(run.id))
        for effect in decision.effects:
            _note(session, decision, effect)

    def unended(self, pipeline_id: UUID) -> UnendedRuns:
        """List the pipeline's runs that have not ended."""
        self._lock_pipeline(pipeline_id)
        return self._unended(_SELECT_UNENDED, {"of_pipeline": pipeline_id}, _ALL)

    def unended_of_group(self, pipeline_id: UUID, group: str, *, limit: int | None = None) -> UnendedRuns:
        """List those of the pipeline's runs that have not ended and belong to a group."""
        self._lock_pipeline(pipeline_id)
        values = {"of_pipeline": pipeline_id, "of_group": group}
        return self._unended(_SELECT_UNENDED_OF_GROUP, values, limit or _ALL)

    def _unended(self, statement: Select[Any], values: dict[str, Any], limit: int) -> UnendedRuns:
        try:
            return UnendedRuns(self._list(statement, {**values, "at_most": limit}))
        except CorruptRunError:
            return self._told_apart(statement, {**values, "at_most": _ALL}, limit)

    def _told_apart(self, statement: Select[Any], values: dict[str, Any], limit: int) -> UnendedRuns:
        """Read runs one by one, up to so many, and keep what is wrong with those that cannot be read."""
        ids = self._session.connection.execute(statement.with_only_columns(runs.c.id), values).scalars().all()
        return self._one_by_one(ids, limit)

    def _one_by_one(self, ids: Sequence[UUID], limit: int) -> UnendedRuns:
        readable: list[Run] = []
        corrupt: list[CorruptRunError] = []
        for run_id in ids:
            if len(readable) == limit:
                break
            try:
                readable += filter(None, [self.get(run_id)])
            except CorruptRunError as error:
                corrupt.append(error)
        return UnendedRuns(readable, corrupt)

    def group_goes_on(self, pipeline_id: UUID, group: str) -> bool:
        """Tell whether a run of a group has begun and not ended."""
        self._session.pending.flush()
        values = {"of_pipeline": pipeline_id, "of_group": group}
        return self._session.connection.execute(_SELECT_GOING, values).first() is not None

    def held(self, pipeline_id: UUID, *, pull_request: int) -> UnendedRuns:
        """List the pipeline's runs for a pull request that wait for approval."""
        self._session.pending.flush()
        rows = self._session.connection.execute(_SELECT_HELD, {"of_pipeline": pipeline_id}).all()
        ids = [row.id for row in rows if read_origin(row.origin).pull_request == pull_request]
        return self._one_by_one(ids, len(ids))

    def child(self, parent: AttemptAddress) -> UUID | None:
        """Find the run that stands for an attempt of another run."""
        self._session.pending.flush_attempts()
        values = {"of_run": parent.run_id, "of_node": parent.node, "of_attempt": parent.attempt}
        found: UUID | None = self._session.connection.execute(_SELECT_CHILD, values).scalar_one_or_none()
        return found

    def _lock_pipeline(self, pipeline_id: UUID) -> None:
        session = self._session
        if session.writable and not session.memory.sole_writer:
            session.connection.execute(_LOCK_PIPELINE, {"of_pipeline": pipeline_id})

    def page(self, pipeline_id: UUID, *, before: int | None, limit: int) -> Sequence[Run]:
        """List the pipeline's runs, newest first, with numbers below `before`."""
        values: dict[str, Any] = {"of_pipeline": pipeline_id, "at_most": limit, "below": before or _ALL}
        try:
            return self._list(_SELECT_PAGE, values)
        except CorruptRunError:
            return self._readable(values, limit)

    def _readable(self, values: dict[str, Any], limit: int) -> Sequence[Run]:
        """Fill a page one by one, leaving out the runs that cannot be read."""
        readable: list[Run] = []
        while len(readable) < limit:
            rows = self._session.connection.execute(_SELECT_NUMBERS, values).all()
            for row in rows:
                with suppress(CorruptRunError):
                    readable += filter(None, [self.get(row.id)])
            if len(rows) < limit:
                break
            values = {**values, "below": rows[-1].number}
        return readable[:limit]

    def events(self, run_id: UUID, *, after: int, limit: int) -> Sequence[RunEvent]:
        """List a run's events with numbers above `after`, ascending."""
        self._session.pending.flush()
        values = {"of_run": run_id, "above": after, "at_most": limit}
        return [read_event(row) for row in self._session.connection.execute(_SELECT_EVENTS, values)]

    def _know_saved(self, run: Run) -> None:
        self._session.runs[run.id] = run
        self._session.saved.add(run.id)

    def _stored_version(self, run_id: UUID) -> int | None:
        known = self._session.versions.get(run_id)
        if known is not None:
            return known
        statement = _LOCK_VERSION if self._session.locking else _SELECT_VERSION
        rows = statement.rows(self._session.connection, {"of_run": run_id})
        return rows[0][0] if rows else None

    def _load(self, run_id: UUID) -> Run | None:
        if self._session.locking and run_id not in self._session.versions:
            _LOCK_VERSION.execute(self._session.connection, {"of_run": run_id})
        try:
            rows = self._session.connection.execute(_SELECT_BY_ID, {"of_run": run_id}).all()
        except UNREADABLE as error:
            raise corrupt(run_id, error) from error
        return next(iter(load_runs(self._session, self._definitions, rows)), None)

    def _list(self, statement: Select[Any], values: dict[str, Any]) -> Sequence[Run]:
        session = self._session
        session.pending.flush()
        try:
            rows = session.connection.execute(statement, values).all()
        except UNREADABLE:
            # A row among them makes no sense. Read by themselves, it is the one that tells so.
            found = session.connection.execute(statement.with_only_columns(runs.c.id), values).scalars()
            return [run for run_id in found.all() if (run := self.get(run_id)) is not None]
        remembered = {row.id: self._remembered(row) for row in rows}
        loaded = load_runs(session, self._definitions, [row for row in rows if remembered[row.id] is None])
        session.runs.update({run.id: run for run in (*remembered.values(), *loaded) if run is not None})
        return [session.runs[row.id] for row in rows]

    def _remembered(self, row: Row[Any]) -> Run | None:
        for run in (self._session.runs.get(row.id), self._session.memory.runs.get(row.id)):
            if run is not None and run.version == row.version:
                return run
        return None


def _note(session: Session, decision: Decision, effect: Effect) -> None:
    """Note whom an effect concerns; the pending changes write it."""
    match effect:
        case AttemptQueued(node=node, attempt=attempt):
            session.unclaimed.add(AttemptAddress(decision.run.id, node, attempt))
        case AttemptStopping(lease=lease):
            session.topics.add(worker_topic(lease.worker_id))
        case AttemptEnded(node=node, attempt=attempt):
            session.topics.add(log_topic(AttemptAddress(decision.run.id, node, attempt)))
        case TimerSet(due_at=due_at):
            if _is_soon(due_at, decision):
                session.topics.add(TIMERS)
        case OutputsGiven() | TreeGrown() | RunEnded() | ChildRunWanted() | ChildRunStopping():
            pass  # Nobody waits for these but those who follow the run.
        case _:
            assert_never(effect)


def _is_soon(due_at: datetime, decision: Decision) -> bool:
    """Whether a timer is due before those who wait for timers look by themselves."""
    return not decision.events or due_at - decision.events[-1].at < TIMER_NOTICE
