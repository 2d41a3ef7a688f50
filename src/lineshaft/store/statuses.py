"""Statuses of commits in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, case, exists, func, not_, or_, select, update

from lineshaft.model.commit_status import CommitStatus, StatusState, StatusTarget, WantedStatus
from lineshaft.ports.wakeups import STATUSES
from lineshaft.store.schema import commit_statuses
from lineshaft.store.session import Session

_T: Final = commit_statuses.c
_TIME: Final = _T.due_at.type
_IS: Final = and_(_T.run_id == bindparam("of_run"), _T.node == bindparam("of_node"))
_HELD: Final = and_(_IS, _T.taken_until == bindparam("was_until", type_=_TIME))
_PASSED: Final = _T.connection.not_in(bindparam("passed", expanding=True))
_OTHER: Final = commit_statuses.alias("other")
_WAITS_FOR_ANOTHER: Final = exists().where(
    _OTHER.c.commit == _T.commit,
    _OTHER.c.context == _T.context,
    _OTHER.c.repository == _T.repository,
    _OTHER.c.connection == _T.connection,
    _OTHER.c.run_id != _T.run_id,
    _OTHER.c.taken_until > bindparam("now", type_=_TIME),
)
"""Whether somebody is telling another run's status for the same place: its call may arrive after ours."""

_SELECT_DUE: Final = (
    select(commit_statuses)
    .where(
        _T.due_at.is_not(None),
        _T.due_at <= bindparam("now", type_=_TIME),
        or_(_T.taken_until.is_(None), _T.taken_until <= bindparam("now", type_=_TIME)),
        _PASSED,
        or_(_T.superseded_by.is_not(None), not_(_WAITS_FOR_ANOTHER)),
    )
    .order_by(_T.due_at, _T.run_id, _T.node)
    .limit(bindparam("at_most"))
)
_TAKE: Final = (
    update(commit_statuses)
    .where(
        _IS,
        _T.version == bindparam("of_version"),
        _T.due_at.is_not(None),
        or_(_T.taken_until.is_(None), _T.taken_until <= bindparam("now", type_=_TIME)),
        _T.superseded_by.is_(None),
    )
    .values(taken_until=bindparam("until", type_=_TIME))
)
_DROP: Final = (
    update(commit_statuses)
    .where(_IS, _T.superseded_by.is_not(None))
    .values(due_at=None, taken_until=None, last_error=bindparam("the_error"))
)
_TOLD: Final = (
    update(commit_statuses)
    .where(_HELD)
    .values(
        taken_until=None,
        told_version=bindparam("the_version"),
        tries=0,
        last_error=None,
        due_at=case((_T.version > bindparam("the_version"), _T.due_at), else_=None),
    )
)
_FAILED: Final = (
    update(commit_statuses)
    .where(_HELD)
    .values(
        taken_until=None,
        tries=_T.tries + 1,
        last_error=bindparam("the_error"),
        due_at=case(
            (_T.version > bindparam("the_version"), _T.due_at), else_=bindparam("next_at", type_=_TIME)
        ),
    )
)
_PUT_BACK: Final = update(commit_statuses).where(_HELD).values(taken_until=None)
_SELECT_EARLIER: Final = (
    select(_T.run_id, _T.node)
    .where(
        _T.due_at.is_not(None),
        _T.due_at < bindparam("until", type_=_TIME),
        _T.taken_until.is_(None),
        _T.connection == bindparam("of_connection"),
    )
    .order_by(_T.run_id, _T.node)
)
_PUT_OFF: Final = (
    update(commit_statuses)
    .where(_IS, _T.due_at < bindparam("until", type_=_TIME))
    .values(due_at=bindparam("until", type_=_TIME))
)
_NEXT_FREE: Final = select(func.min(_T.due_at, type_=_TIME)).where(
    _T.due_at.is_not(None), _T.taken_until.is_(None), _PASSED
)
_NEXT_HELD: Final = select(func.min(_T.taken_until, type_=_TIME)).where(
    _T.due_at.is_not(None), _T.taken_until.is_not(None), _PASSED
)
_OF_RUN: Final = select(commit_statuses).where(_T.run_id == bindparam("of_run")).order_by(_T.node)


class SqlStatuses:
    """What forges are to be told; see `ports.store.Statuses`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def want(self, wanted: WantedStatus) -> None:
        """Want a status, in the place of an earlier version."""
        self._session.change()
        self._session.pending.extras.want_status(wanted)
        self._session.topics.add(STATUSES)

    def want_first(self, wanted: WantedStatus) -> None:
        """Want the first version of a status, in the place of those of all older runs."""
        self.want(wanted)
        self._session.pending.extras.supersede_statuses(wanted)

    def take(
        self, now: datetime, until: datetime, *, limit: int, passing_over: Collection[str]
    ) -> Sequence[WantedStatus]:
        """Take statuses that are due and that nobody holds, the oldest first."""
        values = {"now": now, "at_most": limit, "passed": sorted(passing_over)}
        self._session.change()
        found = self._execute(_SELECT_DUE, values).all()
        while any(row.superseded_by is not None for row in found):
            for row in found:
                if row.superseded_by is not None:
                    self._drop(row)
            found = self._execute(_SELECT_DUE, values).all()
        taken: list[WantedStatus] = []
        places: set[tuple[StatusTarget, str]] = set()
        for row in sorted(found, key=lambda row: (row.run_id, row.node)):
            status = _status(row)
            place = (status.target, status.status.context)
            # Another process may have been quicker since the look.
            keys = {"of_run": row.run_id, "of_node": row.node, "of_version": row.version}
            if place not in places and self._execute(_TAKE, {**keys, "now": now, "until": until}).rowcount:
                places.add(place)
                taken.append(status)
        return taken

    def _drop(self, row: Row[Any]) -> None:
        """Tell no more of a run in whose place a newer one is shown."""
        error = f"The run {row.superseded_by}, which is newer, is shown in its place."
        keys = {"of_run": row.run_id, "of_node": row.node}
        self._execute(_DROP, {**keys, "the_error": None if row.told_version >= row.version else error})

    def told(self, taken: WantedStatus, until: datetime) -> None:
        """Note that the forge was told the version that was taken until then, and let go of it."""
        self._let_go(_TOLD, taken, until, the_version=taken.version)

    def failed(self, taken: WantedStatus, until: datetime, *, error: str, due_at: datetime | None) -> None:
        """Note that it could not be told, and let go of it."""
        self._let_go(_FAILED, taken, until, the_version=taken.version, the_error=error, next_at=due_at)

    def put_back(self, taken: WantedStatus, until: datetime) -> None:
        """Let go of what was taken and not tried."""
        self._let_go(_PUT_BACK, taken, until)

    def put_off(self, connection: str, until: datetime) -> None:
        """Have nothing of a connection be due before a time."""
        found = self._execute(_SELECT_EARLIER, {"of_connection": connection, "until": until}).all()
        if found:
            self._session.change()
            keys = [{"of_run": row.run_id, "of_node": row.node, "until": until} for row in found]
            self._session.connection.execute(_PUT_OFF, keys)

    def next_due(self, *, passing_over: Collection[str]) -> datetime | None:
        """Tell when there may be something to take next; None where there will be nothing."""
        values = {"passed": sorted(passing_over)}
        found = [self._execute(each, values).scalar_one() for each in (_NEXT_FREE, _NEXT_HELD)]
        return min((each for each in found if each is not None), default=None)

    def of_run(self, run_id: UUID) -> Sequence[WantedStatus]:
        """List those of a run, by node."""
        return [_status(row) for row in self._execute(_OF_RUN, {"of_run": run_id})]

    def _let_go(self, statement: Any, taken: WantedStatus, until: datetime, **values: Any) -> None:
        self._session.change()
        keys = {"of_run": taken.run_id, "of_node": taken.node, "was_until": until}
        self._execute(statement, {**keys, **values})
        self._session.topics.add(STATUSES)

    def _execute(self, statement: Any, values: Any) -> Any:
        # What this transaction has wanted before counts as well.
        self._session.pending.flush()
        return self._session.connection.execute(statement, values)


def _status(row: Row[Any]) -> WantedStatus:
    return WantedStatus(
        run_id=row.run_id,
        node=row.node,
        target=StatusTarget(row.connection, row.repository, row.commit),
        status=CommitStatus(row.context, StatusState(row.state), row.text),
        version=row.version,
        due_at=row.due_at,
        tries=row.tries,
        told_version=row.told_version,
        last_error=row.last_error,
    )
