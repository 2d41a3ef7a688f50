"""Locks on what is no row, between the processes that write to one database; PostgreSQL's advisory locks.

A transaction keeps its locks to its end. Where one process alone writes, there is nobody to keep out.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Connection, bindparam, func, literal_column, select

from lineshaft.store.prepared import Prepared

_NUMBER: Final = bindparam("number", type_=BigInteger())
_LOCK: Final = Prepared(select(func.pg_advisory_xact_lock(_NUMBER)))
_TRY_LOCK: Final = Prepared(select(func.pg_try_advisory_xact_lock(_NUMBER)))

_TAKE_TURN: Final = Prepared(
    select(
        # Others may be many: this wait ends later than those for rows, and deadlocks are found meanwhile.
        func.set_config("lock_timeout", literal_column("'10s'"), literal_column("true")),
        func.pg_advisory_xact_lock(_NUMBER),
    )
)

_TURNS: Final = 0x7475726E73
"""Held by those who write runs that other processes write as well, one after the other: "turns" in ASCII."""

LIMITS: Final = 0x6C696D697473
"""Held by those who claim under a limit on how many attempts run at once: "limits" in ASCII."""


MANAGED: Final = 0x6D616E61676564
"""Held by those who make pipelines of the server's file, lest two make the same one: "managed" in ASCII."""

RELAYS: Final = 0x72656C617973
"""Held by those who make a pipeline that takes changes to drivers: "relays" in ASCII."""


UPSTREAMS: Final = 0x7570737472656D
"""Held by those who say whom a pipeline follows, lest two make a circle: "upstrem" in ASCII."""


def number_of(worker_id: UUID) -> int:
    """Number the lock of a worker's session."""
    return int.from_bytes(worker_id.bytes[8:], signed=True)


class AdvisoryLocks:
    """The locks of one transaction."""

    def __init__(self, connection: Connection, *, sole_writer: bool) -> None:
        """Begin with none."""
        self._connection = connection
        self._sole_writer = sole_writer
        self._held: set[int] = set()

    def take(self, number: int) -> None:
        """Wait for a lock until the transaction has it."""
        if not self._sole_writer and number not in self._held:
            _LOCK.execute(self._connection, {"number": number})
            self._held.add(number)

    def take_turn(self) -> None:
        """Wait until no other transaction that takes turns is under way."""
        if not self._sole_writer:
            _TAKE_TURN.execute(self._connection, {"number": _TURNS})

    def take_if_free(self, number: int) -> bool:
        """Tell whether the transaction has a lock now; it has not where another one has it."""
        if self._sole_writer or number in self._held:
            return True
        ((taken,),) = _TRY_LOCK.rows(self._connection, {"number": number})
        if taken:
            self._held.add(number)
        return bool(taken)
