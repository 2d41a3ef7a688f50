"""What only some runs have, gathered to be written at once: timers, outputs, generated nodes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, update

from lineshaft.engine.decision import OutputsGiven, TimerSet, TreeGrown
from lineshaft.model.commit_status import WantedStatus
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import commit_statuses, generated, outputs, timers
from lineshaft.store.upsert import insert_or_replace

_Key = tuple[UUID, int, str]

_PUT_TIMER: Final = Prepared(insert_or_replace(timers), *timers.columns.keys())
_END_TIMER: Final = Prepared(
    delete(timers).where(
        timers.c.run_id == bindparam("of_run"),
        timers.c.node == bindparam("of_node"),
        timers.c.purpose == bindparam("of_purpose"),
        timers.c.due_at == bindparam("was_due_at"),
    )
)
_END_TIMERS: Final = Prepared(delete(timers).where(timers.c.run_id == bindparam("of_run")))
_PUT_OUTPUTS: Final = Prepared(insert_or_replace(outputs), *outputs.columns.keys())
_INSERT_GENERATED: Final = Prepared(insert(generated), *generated.columns.keys())
_WANT_STATUS: Final = Prepared(
    insert_or_replace(commit_statuses, keep=("told_version", "taken_until", "superseded_by")),
    *commit_statuses.columns.keys(),
)
_SUPERSEDE: Final = Prepared(
    update(commit_statuses)
    .where(
        commit_statuses.c.commit == bindparam("of_commit"),
        commit_statuses.c.context == bindparam("of_context"),
        commit_statuses.c.repository == bindparam("of_repository"),
        commit_statuses.c.connection == bindparam("of_connection"),
        commit_statuses.c.run_id != bindparam("by_run"),
        commit_statuses.c.superseded_by.is_(None),
    )
    .values(superseded_by=bindparam("by_run"))
)


class PendingExtras:
    """Rows of the tables that plain runs hardly use; they are written behind the rows of their runs."""

    def __init__(self) -> None:
        """Begin with nothing to write."""
        self._timers: dict[_Key, Mapping[str, Any]] = {}
        self._fired: dict[_Key, Mapping[str, Any]] = {}
        self._without_timers: set[UUID] = set()
        self._outputs: dict[tuple[UUID, int], Mapping[str, Any]] = {}
        self._generated: list[Mapping[str, Any]] = []
        self._statuses: dict[tuple[UUID, int], Mapping[str, Any]] = {}
        self._newest: dict[tuple[str, ...], UUID] = {}

    def set_timer(self, run_id: UUID, effect: TimerSet) -> None:
        """Set a timer, in the place of one of the same node and purpose."""
        if run_id not in self._without_timers:
            purpose = effect.purpose.value
            self._timers[run_id, effect.node, purpose] = {
                "run_id": run_id,
                "node": effect.node,
                "purpose": purpose,
                "due_at": effect.due_at,
            }

    def end_timer(self, run_id: UUID, node: int, purpose: str, due_at: datetime) -> None:
        """Drop a timer that has fired, unless another one has taken its place."""
        self._fired[run_id, node, purpose] = {
            "of_run": run_id,
            "of_node": node,
            "of_purpose": purpose,
            "was_due_at": due_at,
        }

    def end_timers(self, run_id: UUID) -> None:
        """Drop all timers of a run that has ended."""
        self._without_timers.add(run_id)
        for key in [key for key in self._timers if key[0] == run_id]:
            del self._timers[key]

    def give_outputs(self, run_id: UUID, effect: OutputsGiven) -> None:
        """Keep the outputs of a node."""
        values = {"run_id": run_id, "node": effect.node, "given": dict(effect.values)}
        self._outputs[run_id, effect.node] = values

    def grow(self, run_id: UUID, effect: TreeGrown) -> None:
        """Keep nodes that were generated."""
        self._generated.append(
            {
                "run_id": run_id,
                "number": effect.number,
                "node": effect.generated.node,
                "text": effect.generated.text,
            }
        )

    def want_status(self, wanted: WantedStatus) -> None:
        """Want a status of a commit, in the place of an earlier one of the same node."""
        self._statuses[wanted.run_id, wanted.node] = {
            "run_id": wanted.run_id,
            "node": wanted.node,
            "connection": wanted.target.connection,
            "repository": wanted.target.repository,
            "commit": wanted.target.commit,
            "context": wanted.status.context,
            "state": wanted.status.state.value,
            "text": wanted.status.text,
            "version": wanted.version,
            "told_version": 0,
            "tries": 0,
            "last_error": None,
            "due_at": wanted.due_at,
            "taken_until": None,
            "superseded_by": None,
        }

    def supersede_statuses(self, newer: WantedStatus) -> None:
        """Have older runs show nothing more in the place of a new run's status."""
        target = newer.target
        place = (target.commit, newer.status.context, target.repository, target.connection)
        self._newest[place] = newer.run_id

    def flush(self, connection: Connection) -> None:
        """Write all of it; the runs themselves are written already."""
        if self._statuses:
            rows = [self._statuses[key] for key in sorted(self._statuses)]
            _WANT_STATUS.execute_many(connection, rows)
            self._statuses = {}
        if self._newest:
            keys = ("of_commit", "of_context", "of_repository", "of_connection")
            superseding = [
                {**dict(zip(keys, place, strict=True)), "by_run": self._newest[place]}
                for place in sorted(self._newest)
            ]
            _SUPERSEDE.execute_many(connection, superseding)
            self._newest = {}
        if self._generated:
            _INSERT_GENERATED.execute_many(connection, self._generated)
            self._generated = []
        if self._outputs:
            _PUT_OUTPUTS.execute_many(connection, list(self._outputs.values()))
            self._outputs = {}
        self.flush_timers(connection)

    def flush_timers(self, connection: Connection) -> None:
        """Write the timers, always in the order of their keys."""
        if self._fired:
            _END_TIMER.execute_many(connection, [self._fired[key] for key in sorted(self._fired)])
            self._fired = {}
        if self._without_timers:
            ended = [{"of_run": run_id} for run_id in sorted(self._without_timers)]
            _END_TIMERS.execute_many(connection, ended)
            self._without_timers = set()
        if self._timers:
            _PUT_TIMER.execute_many(connection, [self._timers[key] for key in sorted(self._timers)])
            self._timers = {}
