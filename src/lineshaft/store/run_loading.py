"""Runs read from the database."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, select

from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.store.definitions import SqlDefinitions
from lineshaft.store.pending import RunChangedError
from lineshaft.store.run_rows import read_run
from lineshaft.store.schema import attempts, literal_state, nodes, runs
from lineshaft.store.session import Session

SELECT_RUN: Final = select(runs)
"""The rows that `load_runs` takes."""

_SELECT_NODES: Final = (
    select(
        nodes,
        runs.c.version,
        attempts.c.token,
        attempts.c.worker_id,
    )
    .join_from(nodes, runs, runs.c.id == nodes.c.run_id)
    .outerjoin(
        attempts,
        and_(
            attempts.c.run_id == nodes.c.run_id,
            attempts.c.node == nodes.c.node,
            attempts.c.attempt == nodes.c.attempt,
            attempts.c.state == literal_state(State.RUNNING),
        ),
    )
    .where(nodes.c.run_id.in_(bindparam("of_runs", expanding=True)))
)


def load_runs(session: Session, definitions: SqlDefinitions, rows: Sequence[Row[Any]]) -> list[Run]:
    """Read runs whose rows have been read, with all their nodes.

    Raises:
        RunChangedError: another process has written one of the runs since its row was read.
    """
    nodes_of: defaultdict[UUID, list[Row[Any]]] = defaultdict(list)
    if rows:
        versions = {row.id: row.version for row in rows}
        for node in session.connection.execute(_SELECT_NODES, {"of_runs": list(versions)}):
            # The two statements may see different states where a transaction sees what others commit.
            if node.version != versions[node.run_id]:
                raise RunChangedError([node.run_id])
            nodes_of[node.run_id].append(node)
    return [read_run(row, nodes_of[row.id], definitions.stored(row.definition_hash).tree) for row in rows]
