"""Timers in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select

from lineshaft.model.event import TimerPurpose
from lineshaft.ports.store import Timer
from lineshaft.store.schema import timers
from lineshaft.store.session import Session

_SELECT_DUE: Final = (
    select(timers)
    .where(timers.c.due_at <= bindparam("now"))
    .order_by(timers.c.due_at, timers.c.run_id, timers.c.node, timers.c.purpose)
    .limit(bindparam("at_most"))
)
_SELECT_NEXT: Final = select(func.min(timers.c.due_at, type_=timers.c.due_at.type))


class SqlTimers:
    """The times at which runs want to hear of something; see `ports.store.Timers`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def due(self, now: datetime, limit: int) -> Sequence[Timer]:
        """List timers that are due, the oldest first."""
        self._session.pending.flush()
        rows = self._session.connection.execute(_SELECT_DUE, {"now": now, "at_most": limit})
        return [Timer(row.run_id, row.node, TimerPurpose(row.purpose), row.due_at) for row in rows]

    def next_due(self) -> datetime | None:
        """Tell when the next timer is due; None when there is none."""
        self._session.pending.flush()
        found: datetime | None = self._session.connection.execute(_SELECT_NEXT).scalar_one()
        return found

    def done(self, timer: Timer) -> None:
        """Drop a timer that has fired; one that has meanwhile been set to another time stays."""
        self._session.change()
        self._session.pending.extras.end_timer(timer.run_id, timer.node, timer.purpose.value, timer.due_at)
