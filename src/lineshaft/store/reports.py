"""What reports are made of, in the database."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, case, select

from lineshaft.model.reason import ReasonCode
from lineshaft.model.report import RunTrip, Trip
from lineshaft.model.state import State
from lineshaft.store.run_rows import state_of
from lineshaft.store.schema import nodes, runs
from lineshaft.store.session import Session

_SELECT_RUNS: Final = (
    select(runs.c.number, runs.c.definition_hash, runs.c.state, runs.c.started_at, runs.c.ended_at)
    .where(runs.c.pipeline_id == bindparam("of_pipeline"))
    .order_by(runs.c.number.desc())
    .limit(bindparam("at_most"))
)
_SELECT_RUN: Final = _SELECT_RUNS.where(runs.c.number == bindparam("of_number"))
_SELECT_NODES: Final = (
    select(
        nodes.c.node,
        nodes.c.state,
        nodes.c.started_at,
        nodes.c.ended_at,
        # The last loss is followed by no other attempt.
        (nodes.c.losses + case((nodes.c.state == State.LOST.value, 1), else_=0)).label("lost"),
    )
    .join_from(runs, nodes, runs.c.id == nodes.c.run_id)
    .where(
        runs.c.pipeline_id == bindparam("of_pipeline"),
        runs.c.definition_hash == bindparam("of_definition"),
        runs.c.number.between(bindparam("first"), bindparam("last")),
        nodes.c.node.in_(bindparam("of_nodes", expanding=True)),
        nodes.c.reason_code.is_distinct_from(ReasonCode.KEPT.value),
    )
)


class SqlReports:
    """What runs and their nodes have come to; see `ports.store.Reports`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def runs(self, pipeline_id: UUID, *, number: int | None, limit: int) -> Sequence[RunTrip]:
        """List a pipeline's last runs, newest first, or the one with a number."""
        self._session.pending.flush()
        values: dict[str, Any] = {"of_pipeline": pipeline_id, "at_most": limit}
        statement = _SELECT_RUNS
        if number is not None:
            statement, values["of_number"] = _SELECT_RUN, number
        rows = self._session.connection.execute(statement, values)
        return [RunTrip(row.number, row.definition_hash, _trip(row)) for row in rows]

    def nodes(
        self, pipeline_id: UUID, definition_hash: str, numbers: tuple[int, int], indexes: Collection[int]
    ) -> Sequence[tuple[int, Trip]]:
        """List what nodes have come to in runs of one definition, but for those that have only waited."""
        self._session.pending.flush()
        values = {
            "of_pipeline": pipeline_id,
            "of_definition": definition_hash,
            "first": numbers[0],
            "last": numbers[1],
            "of_nodes": sorted(indexes),
        }
        rows = self._session.connection.execute(_SELECT_NODES, values)
        return [(row.node, _trip(row, row.lost)) for row in rows]


def _trip(row: Any, losses: int | None = None) -> Trip:
    return Trip(state_of(row.state), row.started_at, row.ended_at, losses)
