"""Polls in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, select, update

from lineshaft.model.poll import KeptPoll
from lineshaft.ports.wakeups import POLLS
from lineshaft.store.schema import polls
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_replace

_COLUMNS: Final = polls.c
_OF_PIPELINE: Final = _COLUMNS.pipeline_id == bindparam("of_pipeline")
_SELECT: Final = select(polls).where(_OF_PIPELINE)
_PUT: Final = insert_or_replace(polls)
_DELETE: Final = delete(polls).where(_OF_PIPELINE)
_SELECT_NEXT: Final = select(func.min(_COLUMNS.next_at, type_=_COLUMNS.next_at.type))
_TAKE: Final = (
    update(polls)
    .where(
        _COLUMNS.pipeline_id.in_(
            select(_COLUMNS.pipeline_id)
            .where(_COLUMNS.next_at <= bindparam("now"))
            .order_by(_COLUMNS.next_at, _COLUMNS.pipeline_id)
            .limit(bindparam("at_most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(next_at=bindparam("until"))
    .returning(*_COLUMNS)
)
_NOTED: Final = ("next_at", "seen", "failures", "last_at", "last_error")
_NOTE: Final = (
    update(polls)
    .where(_OF_PIPELINE, _COLUMNS.next_at == bindparam("taken_until"))
    .values({name: bindparam(f"new_{name}") for name in _NOTED})
)


class SqlPolls:
    """The polls of the pipelines that exist; see `ports.store.Polls`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def get(self, pipeline_id: UUID) -> KeptPoll | None:
        """Find the one of a pipeline."""
        row = self._session.connection.execute(_SELECT, {"of_pipeline": pipeline_id}).one_or_none()
        return None if row is None else _kept(row)

    def put(self, poll: KeptPoll) -> None:
        """Give a pipeline a poll in the place of the one that it has, and wake the topic of polls."""
        self._session.change()
        self._session.connection.execute(_PUT, asdict(poll))
        self._session.topics.add(POLLS)

    def remove(self, pipeline_id: UUID) -> None:
        """Look no more; without effect where nobody does."""
        self._session.change()
        self._session.connection.execute(_DELETE, {"of_pipeline": pipeline_id})

    def next_due(self) -> datetime | None:
        """Tell when the next one is due; None when there is none."""
        found: datetime | None = self._session.connection.execute(_SELECT_NEXT).scalar_one()
        return found

    def take(self, now: datetime, until: datetime, limit: int) -> Sequence[KeptPoll]:
        """Take some that are due, so that no other process does."""
        self._session.change()
        values = {"now": now, "until": until, "at_most": limit}
        taken = self._session.connection.execute(_TAKE, values).all()
        return sorted(map(_kept, taken), key=lambda poll: poll.pipeline_id)

    def note(self, taken: KeptPoll, poll: KeptPoll) -> bool:
        """Write how one stands after a look, unless it is not as it was when it was taken."""
        self._session.change()
        values: dict[str, Any] = {f"new_{name}": getattr(poll, name) for name in _NOTED}
        values |= {"of_pipeline": taken.pipeline_id, "taken_until": taken.next_at}
        noted = self._session.connection.execute(_NOTE, values).rowcount == 1
        if noted:
            self._session.topics.add(POLLS)
        return noted


def _kept(row: Row[Any]) -> KeptPoll:
    return KeptPoll(**row._asdict())
