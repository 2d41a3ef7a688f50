"""What must hold behind every commit."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from lineshaft.engine.explain import explain
from lineshaft.model.limits import Limits
from lineshaft.model.node import Task
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import END_STATES, State
from lineshaft.model.tree import ROOT
from lineshaft.model.work import PipelineWork
from simulation.ledger import Ledger
from simulation.placement import misplaced

_ENDED: Final = frozenset(state.value for state in END_STATES)
_OPEN: Final = frozenset({State.QUEUED.value, State.RUNNING.value})

_GOING_TOGETHER: Final = (
    "SELECT pipeline_id, concurrency_group FROM runs WHERE ended_at IS NULL AND state <> 'waiting'"
    " AND concurrency_group IS NOT NULL GROUP BY pipeline_id, concurrency_group HAVING count(*) > 1"
)

FindRun = Callable[[UUID, int], Run | None]
"""Finds a run at a version in the memory of a server."""


@dataclass(slots=True)
class _Known:
    """What was seen of a run behind the last commit."""

    version: int = -1
    state: str = State.WAITING.value
    event_count: int = 0
    nodes: dict[int, tuple[str, int]] = field(default_factory=dict)
    attempts: dict[tuple[int, int], tuple[str, str | None]] = field(default_factory=dict)


class Audit:
    """Looks at the runs that a commit has touched, and compares them with what they were."""

    def __init__(self, ledger: Ledger, find_run: FindRun, limits: Limits) -> None:
        """Begin with no runs."""
        self._ledger = ledger
        self._find_run = find_run
        self._limits = limits
        self._known: dict[str, _Known] = {}
        self._changes = -1

    def committed(self, connection: sqlite3.Connection) -> None:
        """Look at what has changed."""
        if connection.total_changes == self._changes:
            return
        self._changes = connection.total_changes
        looked = False
        rows = connection.execute("SELECT id, version, state, event_count FROM runs").fetchall()
        for run_id, version, state, event_count in rows:
            known = self._known.get(run_id)
            if known is None:
                known = self._known[run_id] = _Known()
            if known.version != version:
                self._look(connection, run_id, known, (version, state, event_count))
                looked = True
            elif known.state != state or known.event_count != event_count:
                self._find(run_id, "a run has changed, but its version has not")
        if len(rows) != len(self._known):
            self._find("", "a run has vanished")
        if looked:
            for pipeline_id, group in connection.execute(_GOING_TOGETHER):
                self._ledger.find(f"two runs of group '{group}' of pipeline {pipeline_id} go on together")
            for text in misplaced(connection, self._limits):
                self._ledger.find(text)

    def _look(
        self,
        connection: sqlite3.Connection,
        run_id: str,
        known: _Known,
        now: tuple[int, str, int],
    ) -> None:
        version, state, event_count = now
        if version < known.version:
            self._find(run_id, f"the version went from {known.version} back to {version}")
        if known.state in _ENDED and state != known.state:
            self._find(run_id, f"the run has left its end state {known.state} for {state}")
        self._look_at_events(connection, run_id, known, event_count)
        nodes = {
            node: (node_state, attempt)
            for node, node_state, attempt in connection.execute(
                "SELECT node, state, attempt FROM nodes WHERE run_id = ? AND node > 0", (run_id,)
            )
        }
        self._look_at_nodes(run_id, known, nodes)
        attempts = {
            (node, attempt): (attempt_state, token)
            for node, attempt, attempt_state, token in connection.execute(
                "SELECT node, attempt, state, token FROM attempts WHERE run_id = ?", (run_id,)
            )
        }
        self._look_at_attempts(run_id, known, attempts)
        known.version, known.state, known.event_count = version, state, event_count
        known.nodes, known.attempts = nodes, attempts
        run = self._find_run(UUID(run_id), version)
        if run is not None:
            self._look_at_run(connection, run_id, run, known)

    def _look_at_events(
        self, connection: sqlite3.Connection, run_id: str, known: _Known, event_count: int
    ) -> None:
        ended, ends = known.state in _ENDED, 0
        number = known.event_count
        for number, node, state in connection.execute(
            "SELECT number, node, state FROM events WHERE run_id = ? AND number > ? ORDER BY number",
            (run_id, known.event_count),
        ):
            known.event_count += 1
            self._ledger.tell(f"run {run_id}, event {number}: node {node} is {state}")
            if number != known.event_count:
                self._find(run_id, f"event {known.event_count} is missing")
            if ended:
                self._find(run_id, f"event {number} happens behind the run's end")
            ends += node == ROOT and state in _ENDED
        if ends > 1:
            self._find(run_id, f"the run has ended {ends} times")
        if number != event_count:
            self._find(run_id, f"the run counts {event_count} events and has {number}")

    def _look_at_nodes(self, run_id: str, known: _Known, nodes: dict[int, tuple[str, int]]) -> None:
        for index, (state, attempt) in known.nodes.items():
            now = nodes.get(index)
            if now is None:
                self._find(run_id, f"node {index} has vanished")
            elif state in _ENDED and now != (state, attempt):
                self._find(run_id, f"node {index} has left its end state {state} for {now[0]}")
            elif now[1] < attempt:
                self._find(run_id, f"node {index} went from attempt {attempt} back to {now[1]}")

    def _look_at_attempts(
        self, run_id: str, known: _Known, attempts: dict[tuple[int, int], tuple[str, str | None]]
    ) -> None:
        for key, (state, token) in known.attempts.items():
            now = attempts.get(key)
            if now is None:
                self._find(run_id, f"attempt {key} has vanished")
            elif state in _ENDED and now != (state, token):
                self._find(run_id, f"attempt {key} has changed although it had ended")
            elif state == State.RUNNING.value and now[0] in _OPEN and now[1] != token:
                self._find(run_id, f"attempt {key} was given away while it was leased")
        living = [node for (node, _), (state, _) in attempts.items() if state in _OPEN]
        if len(living) != len(set(living)):
            self._find(run_id, "a node has two living attempts")

    def _look_at_run(self, connection: sqlite3.Connection, run_id: str, run: Run, known: _Known) -> None:
        if run.state.value != known.state:
            self._find(run_id, f"a server remembers the run as {run.state.value}, it is {known.state}")
        timers = {
            (node, purpose)
            for node, purpose in connection.execute(
                "SELECT node, purpose FROM timers WHERE run_id = ?", (run_id,)
            )
        }
        if run.state.ended:
            left = [index for index, node in enumerate(run.nodes) if not node.state.ended]
            left += [node for (node, _), (state, _) in known.attempts.items() if state in _OPEN]
            if left or timers:
                self._find(run_id, f"the run has ended, and nodes {left} and timers {timers} have not")
            return
        for index, node in enumerate(run.nodes):
            stored = known.nodes.get(index)
            if stored is not None and stored != (node.state.value, node.attempt):
                self._find(run_id, f"a server remembers node {index} as {node.state.value}, not as {stored}")
            if not node.state.ended:
                self._look_at_node(run_id, run, index, known, timers)

    def _look_at_node(
        self, run_id: str, run: Run, index: int, known: _Known, timers: set[tuple[int, str]]
    ) -> None:
        """See that a node which has not ended can go on: somebody works on it, or it waits for something."""
        place, node = run.tree[index], run.nodes[index]
        attempt = known.attempts.get((index, node.attempt))
        told = explain(run, index)
        code = None if told.reason is None else told.reason.code
        worked_on = isinstance(place.node, Task) and not isinstance(place.node.work, PipelineWork)
        match node.state:
            case State.WAITING if code is None:
                self._find(run_id, f"node {place.path} waits without a reason")
            case State.WAITING if code is ReasonCode.WAITING_FOR_RETRY:
                if (index, "retry") not in timers:
                    self._find(run_id, f"node {place.path} waits for a retry without a timer")
            case State.WAITING if code is ReasonCode.WAITING_FOR_EARLIER_NODE:
                parent = place.parent
                begun = parent is not None and run.nodes[parent].state is not State.WAITING
                if begun and not told.waits_for:
                    self._find(run_id, f"node {place.path} waits for nothing")
            case State.QUEUED if worked_on and (attempt is None or attempt[0] != State.QUEUED.value):
                self._find(run_id, f"node {place.path} is queued, and its attempt is {attempt}")
            case State.RUNNING if worked_on and (
                attempt is None
                or attempt[0] != State.RUNNING.value
                or node.lease is None
                or attempt[1] != node.lease.token
            ):
                self._find(run_id, f"node {place.path} is running, and its attempt is {attempt}")
            case _:
                pass

    def _find(self, run_id: str, text: str) -> None:
        self._ledger.find(f"run {run_id}: {text}")


def unended(connection: sqlite3.Connection) -> int:
    """Count the runs that have not ended, and what the outbox holds."""
    row: tuple[Any, ...] = connection.execute(
        "SELECT (SELECT count(*) FROM runs WHERE ended_at IS NULL) + (SELECT count(*) FROM outbox)"
    ).fetchone()
    return int(row[0])


def held(connection: sqlite3.Connection) -> list[UUID]:
    """List the runs that wait for approval."""
    rows = connection.execute("SELECT id FROM runs WHERE held AND ended_at IS NULL ORDER BY id").fetchall()
    return [UUID(run_id) for (run_id,) in rows]
