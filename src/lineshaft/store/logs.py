"""Logs in the database, while their attempts run."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, false, select, update

from lineshaft.model.attempt import AttemptAddress, LogState
from lineshaft.model.errors import LogOffsetError, StaleLeaseError
from lineshaft.model.state import State
from lineshaft.ports.wakeups import log_topic
from lineshaft.store.prepared import Prepared
from lineshaft.store.run_rows import state_of
from lineshaft.store.schema import attempts, literal_state, log_chunks
from lineshaft.store.session import Session


def _is(table: Table) -> ColumnElement[bool]:
    return and_(
        table.c.run_id == bindparam("of_run"),
        table.c.node == bindparam("of_node"),
        table.c.attempt == bindparam("of_attempt"),
    )


_GROW: Final = Prepared(
    update(attempts)
    .where(
        _is(attempts),
        attempts.c.state == literal_state(State.RUNNING),
        attempts.c.token == bindparam("of_token"),
        attempts.c.log_size == bindparam("from_offset"),
    )
    .values(log_size=bindparam("to_offset"))
)
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
        session.pending.flush_attempt(address)
        end = offset + len(data)
        key = _key(address)
        grow = {**key, "of_token": token, "from_offset": offset, "to_offset": end}
        if not data or _GROW.execute(session.connection, grow) == 0:
            return self._size_after_repeat(address, token, offset, data)
        session.change()
        chunk = {
            "run_id": address.run_id,
            "node": address.node,
            "attempt": address.attempt,
            "offset": offset,
            "data": data,
        }
        session.pending.extras.add_chunk(chunk)
        session.topics.add(log_topic(address))
        return end

    def _size_after_repeat(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        row = self._session.connection.execute(_SELECT_STATE, _key(address)).one_or_none()
        if row is None or row.token != token or row.state != State.RUNNING.value:
            raise StaleLeaseError("The attempt is not leased under this token (any more).")
        size: int = row.log_size
        if offset < 0 or offset + len(data) > size or not self._holds(address, offset, data):
            raise LogOffsetError(size)
        return size

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
        self._session.pending.extras.flush_chunks(self._session.connection)
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
        self._session.pending.extras.flush_chunks(connection)
        if connection.execute(_SEAL, {**_key(address), "blob": blob}).rowcount == 0:
            return False
        connection.execute(_DELETE_CHUNKS, _key(address))
        return True


def _key(address: AttemptAddress) -> dict[str, Any]:
    return {"of_run": address.run_id, "of_node": address.node, "of_attempt": address.attempt}
