"""Runs as rows: what of a run is written where, and how the rows become a run again."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from lineshaft.model.event import RunEvent
from lineshaft.model.node import Group
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Lease, NodeRun, Run, Source, Stop, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from lineshaft.model.vector import Vector
from lineshaft.store.schema import runs

Values = dict[str, Any]

FIXED_COLUMNS: Final = (
    "id",
    "pipeline_id",
    "number",
    "definition_hash",
    "repository",
    "retry_of",
    "created_at",
)
"""The columns of a run that never change."""

CHANGING_COLUMNS: Final = tuple(column.name for column in runs.columns if column.name not in FIXED_COLUMNS)
"""The columns of a run that change while it goes on."""

_STOPPING: Final = Reason(ReasonCode.STOPPING, "Is being stopped.")
_STATES: Final = {state.value: state for state in State}
_REASON_CODES: Final = {code.value: code for code in ReasonCode}


def state_of(value: str) -> State:
    """Read a state."""
    return _STATES[value]


def reason_of(code: str | None, text: str | None) -> Reason | None:
    """Read a reason."""
    return None if code is None else Reason(_REASON_CODES[code], text or "")


def fixed_values(run: Run) -> Values:
    """Tell what of a run never changes."""
    return {
        "id": run.id,
        "pipeline_id": run.pipeline_id,
        "number": run.number,
        "definition_hash": run.definition_hash,
        "repository": None if run.source is None else run.source.repository,
        "retry_of": run.retry_of,
        "created_at": run.created_at,
    }


def changing_values(run: Run) -> Values:
    """Tell what of a run changes while it goes on, the root node's state included."""
    root = run.root
    reason, cancel_reason = root.reason, run.cancel_reason
    return {
        "commit": None if run.source is None else run.source.commit,
        "state": root.state.value,
        "reason_code": None if reason is None else reason.code.value,
        "reason_text": None if reason is None else reason.text,
        "cancel_reason_code": None if cancel_reason is None else cancel_reason.code.value,
        "cancel_reason_text": None if cancel_reason is None else cancel_reason.text,
        "started_at": root.started_at,
        "ended_at": root.ended_at,
        "version": run.version,
        "event_count": run.event_count,
    }


def node_values(run: Run, index: int) -> Values:
    """Tell the state of a node below the root."""
    node = run.nodes[index]
    reason = node.reason
    return {
        "run_id": run.id,
        "node": index,
        "state": node.state.value,
        "reason_code": None if reason is None else reason.code.value,
        "reason_text": None if reason is None else reason.text,
        "attempt": node.attempt,
        "exit_code": node.exit_code,
        "started_at": node.started_at,
        "ended_at": node.ended_at,
        "stopping": node.stopping,
    }


def event_values(run_id: UUID, event: RunEvent) -> Values:
    """Tell an event of a run."""
    reason = event.reason
    return {
        "run_id": run_id,
        "number": event.number,
        "at": event.at,
        "node": event.node,
        "state": event.state.value,
        "reason_code": None if reason is None else reason.code.value,
        "reason_text": None if reason is None else reason.text,
        "attempt": event.attempt,
        "exit_code": event.exit_code,
    }


def read_run(row: Row[Any], nodes: Iterable[Row[Any]], tree: Tree) -> Run:
    """Read a run from its row and the rows of its nodes, which carry their current leases."""
    states = list(waiting_nodes(tree))
    states[ROOT] = NodeRun(
        state=state_of(row.state),
        reason=reason_of(row.reason_code, row.reason_text),
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
    for node in nodes:
        states[node.node] = _read_node(node)
    _count_children(states, tree)
    return Run(
        id=row.id,
        pipeline_id=row.pipeline_id,
        number=row.number,
        definition_hash=row.definition_hash,
        tree=tree,
        source=None if row.repository is None else Source(row.repository, row.commit),
        created_at=row.created_at,
        nodes=Vector(states),
        version=row.version,
        event_count=row.event_count,
        cancel_reason=reason_of(row.cancel_reason_code, row.cancel_reason_text),
        retry_of=row.retry_of,
    )


def read_event(row: Row[Any]) -> RunEvent:
    """Read an event of a run."""
    return RunEvent(
        number=row.number,
        at=row.at,
        node=row.node,
        state=state_of(row.state),
        reason=reason_of(row.reason_code, row.reason_text),
        attempt=row.attempt,
        exit_code=row.exit_code,
    )


def _read_node(row: Row[Any]) -> NodeRun:
    # An attempt is leased in the queue before the engine hears of it, so the node's own state decides.
    leased = row.state == State.RUNNING.value and row.token is not None
    return NodeRun(
        state=state_of(row.state),
        reason=reason_of(row.reason_code, row.reason_text),
        attempt=row.attempt,
        lease=Lease(row.token, row.worker_id) if leased else None,
        exit_code=row.exit_code,
        started_at=row.started_at,
        ended_at=row.ended_at,
        stop=Stop(State.CANCELLED, _STOPPING) if row.stopping else None,
    )


def _count_children(states: list[NodeRun], tree: Tree) -> None:
    for place in tree.places:
        if isinstance(place.node, Group):
            children = [states[child].state for child in place.children]
            states[place.index] = _with_counts(states[place.index], children)


def _with_counts(group: NodeRun, children: Sequence[State]) -> NodeRun:
    return NodeRun(
        state=group.state,
        reason=group.reason,
        started_at=group.started_at,
        ended_at=group.ended_at,
        open_children=sum(not child.ended for child in children),
        unsuccessful_children=sum(child.unsuccessful for child in children),
    )
