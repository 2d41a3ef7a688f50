"""Runs as rows: what of a run is written where, and how the rows become a run again."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from lineshaft.engine.counting import recounted
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.cause import Cause
from lineshaft.model.event import RunEvent
from lineshaft.model.merge import Merge
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Generated, Lease, NodeRun, Run, Source, Stop, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from lineshaft.store.origin import origin_values, read_origin
from lineshaft.store.schema import nodes, runs
from lineshaft.store.subject import read_subject, resource_id, subject_values

Values = dict[str, Any]

FIXED_COLUMNS: Final = (
    "id",
    "pipeline_id",
    "number",
    "definition_hash",
    "repository",
    "source",
    "inputs",
    "cause",
    "parent_run",
    "parent_node",
    "parent_attempt",
    "concurrency_group",
    "retry_of",
    "created_at",
    "priority",
    "untrusted",
    "origin",
    "subject",
    "resource_id",
)
"""The columns of a run that never change."""

_OTHER_COLUMNS: Final = ("logs_removed_at", "written_from")
"""The columns that only retention writes, when the run has ended, and that statements work out themselves."""

CHANGING_COLUMNS: Final = tuple(
    column.name for column in runs.columns if column.name not in (*FIXED_COLUMNS, *_OTHER_COLUMNS)
)
"""The columns of a run that change while it goes on."""

NODE_COLUMNS: Final = (
    nodes.c.state,
    nodes.c.reason_code,
    nodes.c.reason_text,
    nodes.c.attempt,
    nodes.c.exit_code,
    nodes.c.started_at,
    nodes.c.ended_at,
    nodes.c.losses,
    nodes.c.stop_state,
    nodes.c.stop_code,
    nodes.c.stop_text,
)
"""What is written of a node."""

NodeValues = tuple[Any, ...]
"""The values of `NODE_COLUMNS`, then the token and the worker of the node's lease, if it has one."""

_SOURCE_FIELDS: Final = ("ref", "branch", "tag", "message", "author")
_CAUSES: Final = {cause.value: cause for cause in Cause}
_STATES: Final = {state.value: state for state in State}
_REASON_CODES: Final = {code.value: code for code in ReasonCode}


def state_of(value: str) -> State:
    """Read a state."""
    return _STATES[value]


def reason_of(code: str | None, text: str | None) -> Reason | None:
    """Read a reason."""
    return None if code is None else Reason(_REASON_CODES[code], text or "")


@dataclass(frozen=True, slots=True)
class Grown:
    """What a run has gathered while it went on.

    Attributes:
        tree: its nodes, the generated ones among them.
        generated: the nodes that were made, in the order in which they joined the tree.
        outputs: what its nodes gave to later ones, by index.
    """

    tree: Tree
    generated: tuple[Generated, ...] = ()
    outputs: Mapping[int, Mapping[str, str]] = field(default_factory=dict)


def fixed_values(run: Run) -> Values:
    """Tell what of a run never changes."""
    parent = run.parent
    return {
        "id": run.id,
        "pipeline_id": run.pipeline_id,
        "number": run.number,
        "definition_hash": run.definition_hash,
        "repository": None if run.source is None else run.source.repository,
        "source": None if run.source is None else _source_values(run.source),
        "inputs": dict(run.inputs) or None,
        "cause": run.cause.value,
        "parent_run": None if parent is None else parent.run_id,
        "parent_node": None if parent is None else parent.node,
        "parent_attempt": None if parent is None else parent.attempt,
        "concurrency_group": run.concurrency_group,
        "retry_of": run.retry_of,
        "created_at": run.created_at,
        "priority": run.priority,
        "untrusted": run.untrusted,
        "origin": origin_values(run.origin),
        "subject": subject_values(run.subject),
        "resource_id": resource_id(run.subject),
    }


def _source_values(source: Source) -> Values | None:
    """Tell what is known of a source besides repository and commit; None where that is nothing."""
    values: Values = {name: getattr(source, name) for name in _SOURCE_FIELDS if getattr(source, name)}
    if source.changeset is not None:
        values["changeset"] = source.changeset
    if source.merge is not None:
        values["merge"] = asdict(source.merge)
    return values or None


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
        "written_at": run.version,
        "event_count": run.event_count,
        "growths": len(run.generated),
        "output_count": len(run.outputs),
        "held": run.held,
        "approved_by": run.approved_by,
    }


def node_values(run: Run, index: int) -> Values:
    """Tell the state of a node below the root."""
    node = run.nodes[index]
    reason, stop = node.reason, node.stop
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
        "losses": node.losses,
        "stop_state": None if stop is None else stop.state.value,
        "stop_code": None if stop is None else stop.reason.code.value,
        "stop_text": None if stop is None else stop.reason.text,
        "written_at": run.version,
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


def read_run(
    row: Row[Any], node_rows: Iterable[tuple[int, NodeValues]], grown: Grown, known: Run | None = None
) -> Run:
    """Read a run from its row, its nodes' rows, which carry their current leases, and what it gathered.

    Nodes that stand alike, as hundreds that are queued do, share what says so: they are read once.

    Args:
        row: of the run.
        node_rows: of its nodes, by index; where the run is known at an earlier version, of those that were
            written since.
        grown: what it gathered.
        known: the run at an earlier version.
    """
    tree = grown.tree
    states = [] if known is None else list(known.nodes)
    states += waiting_nodes(tree, len(states))
    root_stop = None if known is None else known.root.stop
    alike: dict[NodeValues, NodeRun] = {}
    for index, values in node_rows:
        if index == ROOT:
            root_stop = _read_node(values).stop
            continue
        if (node := alike.get(values)) is None:
            node = alike[values] = _read_node(values)
        states[index] = node
    states[ROOT] = NodeRun(
        state=state_of(row.state),
        reason=reason_of(row.reason_code, row.reason_text),
        started_at=row.started_at,
        ended_at=row.ended_at,
        stop=root_stop if row.ended_at is None else None,
    )
    return Run(
        id=row.id,
        pipeline_id=row.pipeline_id,
        number=row.number,
        definition_hash=row.definition_hash,
        tree=tree,
        source=None if row.repository is None else _read_source(row),
        created_at=row.created_at,
        nodes=recounted(tree, states),
        version=row.version,
        event_count=row.event_count,
        cancel_reason=reason_of(row.cancel_reason_code, row.cancel_reason_text),
        retry_of=row.retry_of,
        inputs=row.inputs or {},
        cause=_CAUSES[row.cause],
        priority=row.priority,
        untrusted=row.untrusted,
        origin=read_origin(row.origin),
        held=row.held,
        approved_by=row.approved_by,
        parent=_read_parent(row),
        concurrency_group=row.concurrency_group,
        generated=grown.generated,
        outputs=grown.outputs,
        subject=read_subject(row.subject),
    )


def _read_source(row: Row[Any]) -> Source:
    if not row.source:
        return Source(row.repository, row.commit)
    values = dict(row.source)
    changeset, merge = values.pop("changeset", None), values.pop("merge", None)
    return Source(
        row.repository,
        row.commit,
        changeset=None if changeset is None else tuple(changeset),
        merge=None if merge is None else Merge(**merge),
        **values,
    )


def _read_parent(row: Row[Any]) -> AttemptAddress | None:
    if row.parent_run is None:
        return None
    return AttemptAddress(row.parent_run, row.parent_node, row.parent_attempt)


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


def _read_node(values: NodeValues) -> NodeRun:
    state, code, text, attempt, exit_code, started_at, ended_at, losses, *stop, token, worker_id = values
    return NodeRun(
        state=state_of(state),
        reason=reason_of(code, text),
        attempt=attempt,
        lease=None if token is None else Lease(token, worker_id),
        exit_code=exit_code,
        started_at=started_at,
        ended_at=ended_at,
        losses=losses,
        stop=_read_stop(*stop),
    )


def _read_stop(state: str | None, code: str | None, text: str | None) -> Stop | None:
    reason = reason_of(code, text)
    return None if reason is None or state is None else Stop(state_of(state), reason)
