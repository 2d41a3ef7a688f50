"""Runs read from the database."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, select

from lineshaft.model.definition import Definition
from lineshaft.model.errors import CorruptRunError, LineshaftError
from lineshaft.model.run import Generated, Run
from lineshaft.model.state import State
from lineshaft.store.definitions import SqlDefinitions
from lineshaft.store.pending import RunChangedError
from lineshaft.store.prepared import Prepared
from lineshaft.store.run_rows import NODE_COLUMNS, Grown, read_run
from lineshaft.store.schema import attempts, generated, literal_state, nodes, outputs, runs
from lineshaft.store.session import Session

SELECT_RUN: Final = select(runs)
"""The rows that `load_runs` takes."""

_SELECT_NODES: Final = (
    select(nodes.c.node, runs.c.version, *NODE_COLUMNS, attempts.c.token, attempts.c.worker_id)
    .join_from(nodes, runs, runs.c.id == nodes.c.run_id)
    .outerjoin(
        attempts,
        and_(
            attempts.c.run_id == nodes.c.run_id,
            attempts.c.node == nodes.c.node,
            attempts.c.attempt == nodes.c.attempt,
            attempts.c.state == literal_state(State.RUNNING),
            # An attempt is leased in the queue before the engine hears of it: the node's own state decides.
            nodes.c.state == literal_state(State.RUNNING),
        ),
    )
)
_OF_RUN: Final = _SELECT_NODES.where(nodes.c.run_id == bindparam("of_run"))
_SELECT_NODES_OF_RUN: Final = Prepared(_OF_RUN)
_SELECT_WRITTEN_SINCE: Final = Prepared(_OF_RUN.where(nodes.c.written_at > bindparam("since")))
_SELECT_NODES_OF_RUNS: Final = _SELECT_NODES.where(
    nodes.c.run_id.in_(bindparam("of_runs", expanding=True))
).add_columns(nodes.c.run_id)
_SELECT_GENERATED: Final = (
    select(generated)
    .where(generated.c.run_id.in_(bindparam("of_runs", expanding=True)))
    .order_by(generated.c.run_id, generated.c.number)
)
_SELECT_OUTPUTS: Final = select(outputs).where(outputs.c.run_id.in_(bindparam("of_runs", expanding=True)))


UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    LineshaftError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What comes of rows, definitions and generated nodes that make no sense."""


def corrupt(run_id: UUID, error: BaseException) -> CorruptRunError:
    """Say that a run cannot be read, and why."""
    if isinstance(error, CorruptRunError):
        return error
    return CorruptRunError(run_id, f"{type(error).__name__}, {error}")


def load_runs(session: Session, definitions: SqlDefinitions, rows: Sequence[Row[Any]]) -> list[Run]:
    """Read runs whose rows have been read, with all their nodes.

    Raises:
        CorruptRunError: what is stored of one of the runs makes no sense.
        RunChangedError: another process has written one of the runs since its row was read.
    """
    try:
        return _load_together(session, definitions, rows)
    except UNREADABLE as error:
        if len(rows) == 1:
            raise corrupt(rows[0].id, error) from error
    # One of them is the reason; which one, each alone will tell.
    return [run for row in rows for run in load_runs(session, definitions, [row])]


def _load_together(session: Session, definitions: SqlDefinitions, rows: Sequence[Row[Any]]) -> list[Run]:
    known = _known_before(session, rows)
    nodes_of = _nodes_of(session, rows, known)
    for row in rows:
        # The two statements may see different states where a transaction sees what others commit.
        if any(node[1] != row.version for node in nodes_of[row.id]):
            raise RunChangedError([row.id])
    gathered = _gathered(session, rows)
    return [
        read_run(
            row,
            [(node[0], node[2:]) for node in nodes_of[row.id]],
            _grown(session, definitions.stored(row.definition_hash), gathered, row.id),
            known,
        )
        for row in rows
    ]


def _nodes_of(
    session: Session, rows: Sequence[Row[Any]], known: Run | None
) -> Mapping[UUID, Sequence[tuple[Any, ...]]]:
    """Read the rows of nodes, by run; where a single run is known, of those that were written since."""
    if len(rows) == 1:
        (run,) = rows
        if known is None:
            return {run.id: _SELECT_NODES_OF_RUN.rows(session.connection, {"of_run": run.id})}
        values = {"of_run": run.id, "since": known.version}
        return {run.id: _SELECT_WRITTEN_SINCE.rows(session.connection, values)}
    found: dict[UUID, list[tuple[Any, ...]]] = {row.id: [] for row in rows}
    if found:
        for *node, run_id in session.connection.execute(_SELECT_NODES_OF_RUNS, {"of_runs": list(found)}):
            found[run_id].append(tuple(node))
    return found


def _known_before(session: Session, rows: Sequence[Row[Any]]) -> Run | None:
    """Find what is remembered of a single run, where its nodes say which of them were written since."""
    if len(rows) != 1:
        return None
    (row,) = rows
    known = session.memory.runs.get(row.id)
    # Otherwise a server of an earlier version has written it since what is remembered.
    told = row.written_at == row.version
    return known if known is not None and told and row.written_from <= known.version <= row.version else None


@dataclass(slots=True)
class _Gathered:
    """What runs have gathered, by run; only of those whose rows say that there is something."""

    generated: defaultdict[UUID, list[Generated]] = field(default_factory=lambda: defaultdict(list))
    outputs: defaultdict[UUID, dict[int, Mapping[str, str]]] = field(
        default_factory=lambda: defaultdict(dict)
    )


def _gathered(session: Session, rows: Sequence[Row[Any]]) -> _Gathered:
    gathered = _Gathered()
    growing = [row.id for row in rows if row.growths]
    if growing:
        for row in session.connection.execute(_SELECT_GENERATED, {"of_runs": growing}):
            gathered.generated[row.run_id].append(Generated(row.node, row.text))
    giving = [row.id for row in rows if row.output_count]
    if giving:
        for row in session.connection.execute(_SELECT_OUTPUTS, {"of_runs": giving}):
            gathered.outputs[row.run_id][row.node] = row.given
    return gathered


def _grown(session: Session, definition: Definition, gathered: _Gathered, run_id: UUID) -> Grown:
    generated = gathered.generated.get(run_id, ())
    known = session.memory.runs.get(run_id) if generated else None
    if known is not None and list(known.generated) == generated:
        # Another process has written the run, but its nodes are the same: to read them takes long.
        return Grown(known.tree, known.generated, gathered.outputs.get(run_id, {}))
    tree = definition.tree
    for each in generated:
        body = session.memory.read_generated(each.text, definition, tree, each.node)
        tree = tree.grown(each.node, body)
    return Grown(tree, tuple(generated), gathered.outputs.get(run_id, {}))
