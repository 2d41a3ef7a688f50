"""The schedules of pipelines in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, insert, or_, select, update

from lineshaft.model.schedule import KeptSchedule
from lineshaft.ports.wakeups import SCHEDULES
from lineshaft.store.schema import schedules
from lineshaft.store.session import Session

_OF_PIPELINE: Final = schedules.c.pipeline_id == bindparam("of_pipeline")
_SELECT: Final = select(schedules).where(_OF_PIPELINE).order_by(schedules.c.position)
_DELETE: Final = delete(schedules).where(_OF_PIPELINE)
_INSERT: Final = insert(schedules)
_MOVED: Final = ("next_at", "worked_out_at", "last_at", "last_run", "last_refusal", "owed_at")
_MOVE: Final = (
    update(schedules)
    .where(_OF_PIPELINE, schedules.c.position == bindparam("at_position"))
    .values({name: bindparam(f"new_{name}") for name in _MOVED})
)
_SELECT_DUE: Final = (
    select(schedules)
    .where(
        or_(
            schedules.c.next_at <= bindparam("now"),
            schedules.c.worked_out_at > bindparam("worked_out_after"),
        )
    )
    .order_by(schedules.c.next_at, schedules.c.pipeline_id, schedules.c.position)
    .limit(bindparam("at_most"))
)
_SELECT_NEXT: Final = select(func.min(schedules.c.next_at, type_=schedules.c.next_at.type))


class SqlSchedules:
    """The schedules of the pipelines that exist; see `ports.store.Schedules`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def of_pipeline(self, pipeline_id: UUID) -> Sequence[KeptSchedule]:
        """List those of a pipeline, by position."""
        rows = self._session.connection.execute(_SELECT, {"of_pipeline": pipeline_id})
        return [_kept(row) for row in rows]

    def put(self, pipeline_id: UUID, schedules: Sequence[KeptSchedule]) -> None:
        """Give a pipeline these in the place of all that it had, and wake the topic of schedules."""
        self._session.change()
        self._session.connection.execute(_DELETE, {"of_pipeline": pipeline_id})
        if schedules:
            self._session.connection.execute(_INSERT, [asdict(each) for each in schedules])
            self._session.topics.add(SCHEDULES)

    def move(self, schedule: KeptSchedule) -> None:
        """Write how one stands now; without effect where the pipeline has none at its position."""
        self._session.change()
        values: dict[str, Any] = {f"new_{name}": getattr(schedule, name) for name in _MOVED}
        values |= {"of_pipeline": schedule.pipeline_id, "at_position": schedule.position}
        self._session.connection.execute(_MOVE, values)

    def due(self, now: datetime, worked_out_after: datetime, limit: int) -> Sequence[KeptSchedule]:
        """List what is to be looked at, the one that is due longest first."""
        values = {"now": now, "worked_out_after": worked_out_after, "at_most": limit}
        return [_kept(row) for row in self._session.connection.execute(_SELECT_DUE, values)]

    def next_due(self) -> datetime | None:
        """Tell when the next one is due; None when there is none."""
        found: datetime | None = self._session.connection.execute(_SELECT_NEXT).scalar_one()
        return found


def _kept(row: Row[*tuple[Any, ...]]) -> KeptSchedule:
    return KeptSchedule(**row._asdict())
