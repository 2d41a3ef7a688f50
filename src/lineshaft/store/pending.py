"""What the functions of one transaction have decided about runs, gathered to be written at once.

A run that several events of one transaction change is written once. The order of the statements is the order
in which locks are taken, the same in every process: attempts, as those who claim them do, then runs, by id.
Claims pass over attempts that are locked, and wait for nothing but the lock of those that a limit concerns,
which they take before their own transaction's attempts. What nobody reads within the transaction is written
at its end: one statement for the many of a batch takes hardly longer than one for one.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import Connection, Update, bindparam, case, insert, literal, select, update

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
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import SEAL_LOG
from lineshaft.store.pending_extras import PendingExtras
from lineshaft.store.pending_logs import PendingLogs
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.arrival import INSERT_ATTEMPT, queued_values
from lineshaft.store.run_rows import (
    CHANGING_COLUMNS,
    FIXED_COLUMNS,
    Values,
    changing_values,
    event_values,
    fixed_values,
    node_values,
)
from lineshaft.store.schema import attempts, events, nodes, outbox, runs
from lineshaft.store.upsert import insert_or_replace


class RunChangedError(Exception):
    """A run is not at the version that a decision about it began with: another process has written it."""

    def __init__(self, run_ids: Sequence[UUID]) -> None:
        """Name the runs."""
        super().__init__(f"written by another process since they were read: {run_ids}")
        self.run_ids = tuple(run_ids)


def _update_attempt(**values: Any) -> Update:
    return (
        update(attempts)
        .where(
            attempts.c.run_id == bindparam("of_run"),
            attempts.c.node == bindparam("of_node"),
            attempts.c.attempt == bindparam("of_attempt"),
        )
        .values(**values)
    )


_INSERT_RUN: Final = Prepared(insert(runs), *FIXED_COLUMNS, *CHANGING_COLUMNS, "written_from")
_UPDATE_RUN: Final = Prepared(
    update(runs)
    .where(runs.c.id == bindparam("of_run"), runs.c.version == bindparam("of_version"))
    .values(
        written_from=case(
            (runs.c.written_at == runs.c.version, runs.c.written_from), else_=bindparam("to_version")
        )
    ),
    *CHANGING_COLUMNS,
)
_LOCK_RUNS: Final = (
    select(runs.c.id, runs.c.version)
    .where(runs.c.id.in_(bindparam("of_runs", expanding=True)))
    .order_by(runs.c.id)
    .with_for_update(key_share=True)
)
_PUT_NODE: Final = Prepared(insert_or_replace(nodes), *nodes.columns.keys())
_INSERT_EVENT: Final = Prepared(insert(events), *events.columns.keys())
_STOP_ATTEMPT: Final = Prepared(_update_attempt(stopping=True))
_END_ATTEMPT: Final = Prepared(_update_attempt(state=bindparam("end_state")))
_INSERT_SEAL: Final = Prepared(
    insert(outbox).from_select(
        ["id", "kind", "payload", "due_at", "tries"],
        select(
            bindparam("entry_id", type_=outbox.c.id.type),
            literal(SEAL_LOG),
            bindparam("entry_payload", type_=outbox.c.payload.type),
            bindparam("entry_due_at", type_=outbox.c.due_at.type),
            literal(0),
        )
        .select_from(attempts)
        .where(
            attempts.c.run_id == bindparam("of_run"),
            attempts.c.node == bindparam("of_node"),
            attempts.c.attempt == bindparam("of_attempt"),
            attempts.c.log_size > 0,
        ),
    )
)


class PendingRuns:
    """Decisions about runs that are not written yet."""

    def __init__(self, connection: Connection, ids: Ids) -> None:
        """Begin with nothing to write."""
        self._connection = connection
        self._ids = ids
        self._latest: dict[UUID, Run] = {}
        self._created: set[UUID] = set()
        self._stored_versions: dict[UUID, int] = {}
        self._nodes: dict[UUID, set[int]] = {}
        self._events: list[Values] = []
        self._queued: list[Values] = []
        self._stopping: dict[AttemptAddress, Values] = {}
        self._ended: dict[AttemptAddress, Values] = {}
        self._ended_leases: Counter[UUID] = Counter()
        self._ended_unleased = False
        self._seals: list[Values] = []
        self.logs = PendingLogs()
        self.extras = PendingExtras()
        self.added_seals = False
        self.arrivals = 0

    def create(self, run: Run) -> None:
        """Write a new run, with what it takes over from another."""
        self._latest[run.id] = run
        self._created.add(run.id)
        begun = {place.index for place in run.tree.below_root() if not _waits(run, place.index)}
        if begun:
            self._nodes[run.id] = begun
        for number, generated in enumerate(run.generated, 1):
            self.extras.grow(run.id, TreeGrown(number, generated))
        for node, values in run.outputs.items():
            self.extras.give_outputs(run.id, OutputsGiven(node, values))

    def save(self, decision: Decision, before: Run | None) -> None:
        """Write a decision.

        Args:
            decision: what the engine has decided.
            before: the run as this transaction knows it; None when it has not looked.

        Raises:
            RunChangedError: the decision did not begin with the run as it was before.
        """
        run = decision.run
        if before is not None and before.version != run.version - 1:
            raise RunChangedError([run.id])
        self._latest[run.id] = run
        if run.id not in self._created:
            self._stored_versions.setdefault(run.id, run.version - 1)
        changed_nodes = [index for index in decision.changed if _has_row(run, index)]
        if changed_nodes:
            self._nodes.setdefault(run.id, set()).update(changed_nodes)
        self._events.extend(event_values(run.id, event) for event in decision.events)
        for effect in decision.effects:
            self._take(effect, decision, before)
        if before is None:
            # Whose leases it has ended nobody knows, so the rows must say it.
            self.flush_attempts()

    def _take(self, effect: Effect, decision: Decision, before: Run | None) -> None:
        run = decision.run
        match effect:
            case AttemptQueued():
                self._queued.append(queued_values(run, effect, _time_of(decision)))
            case AttemptStopping():
                address = AttemptAddress(run.id, effect.node, effect.attempt)
                self._stopping[address] = _key(address)
            case AttemptEnded():
                self._end(effect, decision, before)
            case TimerSet():
                self.extras.set_timer(run.id, effect)
            case OutputsGiven():
                self.extras.give_outputs(run.id, effect)
            case TreeGrown():
                self.extras.grow(run.id, effect)
            case RunEnded():
                self.extras.end_timers(run.id)
            case ChildRunWanted() | ChildRunStopping():
                pass  # Another run is concerned, and whoever applied the event sees to that.
            case _:
                assert_never(effect)

    def _end(self, effect: AttemptEnded, decision: Decision, before: Run | None) -> None:
        address = AttemptAddress(decision.run.id, effect.node, effect.attempt)
        self.logs.close(address)
        self._ended[address] = {"end_state": effect.state.value, **_key(address)}
        # A node may have joined the run, been queued and been stopped by this very decision.
        was_there = before is not None and effect.node < len(before.nodes)
        lease = before.nodes[effect.node].lease if before is not None and was_there else None
        if lease is None:
            self._ended_unleased = True
        else:
            self._ended_leases[lease.worker_id] += 1
        if before is None or lease is not None:
            self._seals.append(self._seal_values(address, _time_of(decision)))

    def _seal_values(self, address: AttemptAddress, at: datetime) -> Values:
        payload = {"run_id": str(address.run_id), "node": address.node, "attempt": address.attempt}
        return {
            "entry_id": self._ids.new_id(),
            "entry_payload": payload,
            "entry_due_at": at,
            **_key(address),
        }

    def flush(self) -> None:
        """Bring the database to where this transaction is.

        Raises:
            RunChangedError: another process has written one of the runs.
        """
        self.flush_attempts()
        if self._seals:
            self._insert_seals()
            self._seals = []
        if self._stored_versions:
            self._update_runs()
        if self._nodes:
            rows = [
                node_values(self._latest[run_id], index)
                for run_id, indexes in self._nodes.items()
                for index in indexes
            ]
            _PUT_NODE.execute_many(self._connection, rows)
        if self._events:
            _INSERT_EVENT.execute_many(self._connection, self._events)
        self.extras.flush(self._connection)
        self._latest, self._stored_versions, self._nodes, self._events = {}, {}, {}, []

    def flush_queue(self) -> None:
        """Bring the queue to where this transaction is, so that claims may take from it."""
        self._insert_queued()
        if self._ended_unleased:
            self.flush_attempts()

    def _insert_queued(self) -> None:
        if self._created:
            rows = [
                {**fixed_values(run), **changing_values(run), "written_from": run.version}
                for run in map(self._latest.__getitem__, self._created)
            ]
            _INSERT_RUN.execute_many(self._connection, rows)
            self._created = set()
        if self._queued:
            INSERT_ATTEMPT.execute_many(self._connection, self._queued)
            self.arrivals += len(self._queued)
            self._queued = []

    def flush_attempts(self) -> None:
        """Bring the attempts to where this transaction is, so that statements may read and change them."""
        self._insert_queued()
        self.flush_logs()
        if self._stopping:
            _STOP_ATTEMPT.execute_many(self._connection, _in_order(self._stopping))
            self._stopping = {}
        if self._ended:
            _END_ATTEMPT.execute_many(self._connection, _in_order(self._ended))
            self._ended = {}
            self._ended_leases = Counter()
            self._ended_unleased = False

    def flush_logs(self) -> None:
        """Bring the logs to where this transaction is."""
        self.logs.flush(self._connection)

    def flush_attempt(self, address: AttemptAddress) -> None:
        """Bring an attempt that may be leased to where this transaction is."""
        if address in self._ended:
            self.flush_attempts()

    def living(self, claimed: Sequence[AttemptAddress]) -> list[AttemptAddress]:
        """Leave out those attempts that have ended although their rows said that they wait.

        An attempt may be leased to its run, and set aside in the queue.
        """
        living = [address for address in claimed if address not in self._ended]
        if len(living) < len(claimed):
            self.flush_attempts()
        return living

    def ended_leases(self, worker_id: UUID) -> int:
        """Count those of a worker's leases that have ended, while the rows say that they live."""
        return self._ended_leases[worker_id]

    def _insert_seals(self) -> None:
        if len(self._seals) == 1:
            # Most attempts of small tasks have written nothing, and then the statement inserts nothing.
            added = _INSERT_SEAL.execute(self._connection, self._seals[0]) != 0
        else:
            _INSERT_SEAL.execute_many(self._connection, self._seals)
            added = True
        self.added_seals = self.added_seals or added

    def _update_runs(self) -> None:
        changes = [
            {
                "of_run": run_id,
                "of_version": version,
                "to_version": self._latest[run_id].version,
                **changing_values(self._latest[run_id]),
            }
            for run_id, version in sorted(self._stored_versions.items())
        ]
        if len(changes) == 1:
            # The count of changed rows tells; of several updates at once, PostgreSQL's driver tells none.
            if _UPDATE_RUN.execute(self._connection, changes[0]) != 1:
                raise RunChangedError(list(self._stored_versions))
            return
        found = self._connection.execute(_LOCK_RUNS, {"of_runs": list(self._stored_versions)})
        stored = {row.id: row.version for row in found}
        stale = [run_id for run_id, version in self._stored_versions.items() if stored.get(run_id) != version]
        if stale:
            raise RunChangedError(stale)
        _UPDATE_RUN.execute_many(self._connection, changes)


def _waits(run: Run, index: int) -> bool:
    return run.nodes[index].state is State.WAITING


def _has_row(run: Run, index: int) -> bool:
    """Whether a node that has changed is written to a row of its own; the root's row holds its stop alone."""
    return index != ROOT or run.root.stop is not None


def _time_of(decision: Decision) -> datetime:
    """Tell when a decision that queues or ends an attempt was made; such a decision records events."""
    return decision.events[-1].at


def _key(address: AttemptAddress) -> Values:
    return {"of_run": address.run_id, "of_node": address.node, "of_attempt": address.attempt}


def _in_order(changes: dict[AttemptAddress, Values]) -> list[Values]:
    return [values for _, values in sorted(changes.items())]
