"""Logs in the database, while their attempts run."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, false, select, tuple_, update

from lineshaft.model.attempt import AttemptAddress, LogState
from lineshaft.model.errors import LogOffsetError, StaleLeaseError
from lineshaft.model.state import State
from lineshaft.ports.wakeups import log_topic
from lineshaft.store.pending_logs import OpenLog
from lineshaft.store.prepared import Prepared, padded
from lineshaft.store.queue.standing import ADDRESS
from lineshaft.store.run_rows import state_of
from lineshaft.store.schema import attempts, literal_state, log_chunks
from lineshaft.store.session import Session


def _is(table: Table) -> ColumnElement[bool]:
    return and_(
        table.c.run_id == bindparam("of_run"),
        table.c.node == bindparam("of_node"),
        table.c.attempt == bindparam("of_attempt"),
    )


_SELECT_LEASED: Final = (
    select(*ADDRESS, attempts.c.token, attempts.c.log_size)
    .where(attempts.c.state == literal_state(State.RUNNING))
    .with_for_update(key_share=True)
)
_OPEN: Final = Prepared(_SELECT_LEASED.where(_is(attempts)))
_OPEN_MANY: Final = _SELECT_LEASED.where(
    tuple_(*ADDRESS).in_(bindparam("of_attempts", expanding=True))
).order_by(*ADDRESS)
_SELECT_STATE: Final = select(
    attempts.c.state, attempts.c.token, attempts.c.log_size, attempts.c.log_blob, attempts.c.log_removed
).where(_is(attempts))
_SELECT_CHUNK: Final = (
    select(log_chunks.c.offset, log_chunks.c.data)
    .where(_is(log_chunks), log_chunks.c.offset <= bindparam("holding"))
    .order_by(log_chunks.c.offset.desc())
    .limit(1)
)
_SEAL: Final = (
    update(attempts)
    .where(_is(attempts), attempts.c.log_removed.is_(false()))
    .values(log_blob=bindparam("blob"))
)
_DELETE_CHUNKS: Final = delete(log_chunks).where(_is(log_chunks))


class SqlLogs:
    """Logs as chunks; see `ports.store.Logs`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def append(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append to the log of a leased attempt and wake its topic."""
        session = self._session
        log = self.leased(address)
        if log is None or log.token != token:
            raise StaleLeaseError("The attempt is not leased under this token (any more).")
        size = log.size_bytes
        if data and offset == size:
            session.change()
            session.topics.add(log_topic(address))
            return session.pending.logs.append(address, log, data)
        if offset < 0 or offset + len(data) > size or not self._holds(address, offset, data):
            raise LogOffsetError(size)
        return size

    def open_all(self, addresses: Collection[AttemptAddress]) -> None:
        """Read at once what `append` asks about attempts."""
        if addresses:
            values = [(each.run_id, each.node, each.attempt) for each in padded(addresses)]
            self._note(self._session.connection.execute(_OPEN_MANY, {"of_attempts": values}))

    def leased(self, address: AttemptAddress) -> OpenLog | None:
        """Find the log of a leased attempt, and keep others from writing it."""
        pending = self._session.pending
        if pending.logs.opened(address) is None:
            pending.flush_attempt(address)
            self._note(_OPEN.rows(self._session.connection, _key(address)))
        return pending.logs.opened(address)

    def _note(self, rows: Iterable[Sequence[Any]]) -> None:
        for run_id, node, attempt, token, size in rows:
            self._session.pending.logs.open(AttemptAddress(run_id, node, attempt), OpenLog(token, size))

    def _holds(self, address: AttemptAddress, offset: int, data: bytes) -> bool:
        """Tell whether the log has these very bytes there."""
        done = 0
        while done < len(data):
            stored = self.chunk(address, offset + done)[: len(data) - done]
            if not stored or stored != data[done : done + len(stored)]:
                return False
            done += len(stored)
        return True

    def state(self, address: AttemptAddress) -> LogState | None:
        """Tell size and whereabouts; None when there is no such attempt."""
        self._session.pending.flush_attempts()
        row = self._session.connection.execute(_SELECT_STATE, _key(address)).one_or_none()
        if row is None:
            return None
        return LogState(row.log_size, row.log_blob, state_of(row.state).ended, removed=row.log_removed)

    def chunk(self, address: AttemptAddress, offset: int) -> bytes:
        """Read the rest of the chunk that holds the byte at `offset`; empty at the end or when sealed."""
        values = {**_key(address), "holding": offset}
        self._session.pending.flush_logs()
        row = self._session.connection.execute(_SELECT_CHUNK, values).one_or_none()
        if row is None:
            return b""
        data: bytes = row.data
        return data[offset - row.offset :]

    def seal(self, address: AttemptAddress, blob: str) -> bool:
        """Note that the whole log is in the blob store, and drop its chunks; False when it was removed."""
        self._session.pending.flush_attempts()
        self._session.change()
        connection = self._session.connection
        if connection.execute(_SEAL, {**_key(address), "blob": blob}).rowcount == 0:
            return False
        connection.execute(_DELETE_CHUNKS, _key(address))
        return True


def _key(address: AttemptAddress) -> dict[str, Any]:
    return {"of_run": address.run_id, "of_node": address.node, "of_attempt": address.attempt}
