"""What is appended to logs, gathered to be written at once."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, update

from lineshaft.model.attempt import AttemptAddress
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import attempts, log_chunks

_GROW: Final = Prepared(
    update(attempts)
    .where(
        attempts.c.run_id == bindparam("of_run"),
        attempts.c.node == bindparam("of_node"),
        attempts.c.attempt == bindparam("of_attempt"),
        attempts.c.token == bindparam("of_token"),
    )
    .values(log_size=bindparam("to_offset"))
)
_INSERT_CHUNK: Final = Prepared(insert(log_chunks), *log_chunks.columns.keys())


@dataclass(frozen=True, slots=True)
class OpenLog:
    """The log of an attempt that is leased, and whose row this transaction has locked.

    Attributes:
        token: the lease's.
        size_bytes: how long it is, with what is appended and not written yet.
    """

    token: str
    size_bytes: int


class PendingLogs:
    """Pieces of logs that are not written yet, and the logs that they belong to."""

    def __init__(self) -> None:
        """Begin with nothing to write."""
        self._open: dict[AttemptAddress, OpenLog] = {}
        self._grown: dict[AttemptAddress, OpenLog] = {}
        self._chunks: list[dict[str, Any]] = []

    def open(self, address: AttemptAddress, log: OpenLog) -> None:
        """Note that an attempt's row is locked, and says that the attempt is leased."""
        self._open[address] = log

    def opened(self, address: AttemptAddress) -> OpenLog | None:
        """Find a log that is known to be open."""
        return self._open.get(address)

    def close(self, address: AttemptAddress) -> None:
        """Note that an attempt may not be leased any more."""
        self._open.pop(address, None)

    def append(self, address: AttemptAddress, log: OpenLog, data: bytes) -> int:
        """Append to an open log, and return how long it is then."""
        grown = OpenLog(log.token, log.size_bytes + len(data))
        self._open[address] = self._grown[address] = grown
        self._chunks.append(
            {
                "run_id": address.run_id,
                "node": address.node,
                "attempt": address.attempt,
                "offset": log.size_bytes,
                "data": data,
            }
        )
        return grown.size_bytes

    def flush(self, connection: Connection) -> None:
        """Write it."""
        if self._chunks:
            grown = [_growth(address, self._grown[address]) for address in sorted(self._grown)]
            _GROW.execute_many(connection, grown)
            _INSERT_CHUNK.execute_many(connection, self._chunks)
            self._grown, self._chunks = {}, []


def _growth(address: AttemptAddress, log: OpenLog) -> dict[str, Any]:
    return {
        "of_run": address.run_id,
        "of_node": address.node,
        "of_attempt": address.attempt,
        "of_token": log.token,
        "to_offset": log.size_bytes,
    }
