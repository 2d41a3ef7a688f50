"""The database of a simulated fleet: SQLite in memory, which fails its servers in all kinds of ways."""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, NullPool, create_engine, event

from lineshaft.store.driver import DatabaseLostError
from lineshaft.store.migrate import migrate
from lineshaft.store.wakeups import LocalWakeUps
from simulation.faults import Commit, Faults
from simulation.loop import VirtualLoop
from simulation.process import WORLD, Process

T = TypeVar("T")

_OUTAGE_SECONDS: Final = (1.0, 40.0)


class Watch(Protocol):
    """Looks at what a transaction has left."""

    def committed(self, connection: sqlite3.Connection) -> None:
        """Look at the database behind a commit."""
        ...


class _Engine:
    """The one connection of this program, which begins anew with every seed."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.fate = Commit.GOES_WELL
        self.is_locked: Callable[[], bool] = _never
        # Servers that share a database ask for PostgreSQL's advisory locks.
        self.raw.create_function("pg_advisory_xact_lock", 1, lambda _: None)
        self.raw.create_function("set_config", 3, lambda _name, value, _local: value)
        self.raw.create_function("pg_try_advisory_xact_lock", 1, lambda _: not self.is_locked())
        engine = create_engine("sqlite+pysqlite://", creator=lambda: self.raw, poolclass=NullPool)
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._commit)
        self.connection: Connection = engine.connect()
        migrate(self.connection)
        self._template = self.raw.serialize()

    def renew(self, is_locked: Callable[[], bool]) -> None:
        """Empty the database, which keeps its tables; another process may be said to hold its locks."""
        self.fate = Commit.GOES_WELL
        self.is_locked = is_locked
        # A seed that has failed may have left a transaction open.
        self.connection.rollback()
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")
        self.raw.deserialize(self._template)
        self.raw.execute("PRAGMA foreign_keys=ON")

    def _begin(self, _: Connection) -> None:
        if self.fate is Commit.BUSY:
            raise _sqlite_error("database is locked", sqlite3.SQLITE_BUSY)
        if self.fate is Commit.DISK_FULL:
            raise _sqlite_error("database or disk is full", sqlite3.SQLITE_FULL)
        self.raw.execute("BEGIN IMMEDIATE")

    def _commit(self, _: Connection) -> None:
        if self.fate is Commit.LOST_BEFORE:
            self.raw.execute("ROLLBACK")
            raise DatabaseLostError("the connection broke before the commit")
        if self.fate is Commit.LOST_AFTER:
            self.raw.execute("COMMIT")
            raise DatabaseLostError("the connection broke behind the commit")


def _never() -> bool:
    return False


def _sqlite_error(text: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@cache
def _engine() -> _Engine:
    return _Engine()


class SharedDatabase:
    """The database itself, and the way by which servers wake each other through it."""

    def __init__(self, loop: VirtualLoop, faults: Faults, watch: Watch, random: Any) -> None:
        """Begin with empty tables."""
        self._loop = loop
        self._faults = faults
        self._watch = watch
        self._random = random
        self._engine = _engine()
        self._engine.renew(lambda: faults.happens(faults.rates.locked))
        self._away_until = 0.0
        self._hearing: dict[Process, LocalWakeUps] = {}

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection, for those who look at the tables from outside."""
        return self._engine.raw

    def open(self, process: Process, wakeups: LocalWakeUps) -> "ReplicaDatabase":
        """Connect a server, which hears from now on what the others announce."""
        self._hearing[process] = wakeups
        process.died.append(partial(self.leave, process))
        return ReplicaDatabase(self, process)

    def leave(self, process: Process) -> None:
        """Let a server hear no more."""
        self._hearing.pop(process, None)

    async def pause(self) -> None:
        """Take the time that a call takes; whoever calls may die meanwhile."""
        await asyncio.sleep(self._faults.delay())

    def fate(self) -> Commit:
        """Tell what is to become of the next transaction."""
        if self._faults.happens(self._faults.rates.outage):
            self._away_until = self._loop.time() + self._random.uniform(*_OUTAGE_SECONDS)
        if self._faults.rates.outage and self._loop.time() < self._away_until:
            return Commit.NOT_BEGUN
        return self._faults.commit()

    def transact(self, do: Callable[[Connection], T], fate: Commit) -> T:
        """Call a function with the connection, at one moment of virtual time.

        Raises:
            DatabaseLostError: the database cannot be reached, or broke off.
            Exception: whatever the function raised.
        """
        if fate is Commit.NOT_BEGUN:
            raise DatabaseLostError("the database does not answer")
        self._engine.fate = fate
        try:
            return do(self._engine.connection)
        finally:
            self._engine.fate = Commit.GOES_WELL
            if self._engine.connection.in_transaction():
                raise AssertionError("a transaction was left open")
            self._watch.committed(self._engine.raw)

    def publish(self, sender: Process, topics: frozenset[str]) -> None:
        """Wake the other servers, some time later, or never."""
        for process, wakeups in list(self._hearing.items()):
            if process is not sender and not self._faults.happens(self._faults.rates.wakeup_lost):
                self._loop.call_later(self._faults.delay(), _wake, process, wakeups, topics, context=WORLD)


def _wake(process: Process, wakeups: LocalWakeUps, topics: frozenset[str]) -> None:
    if process.alive:
        wakeups.wake(topics)


class ReplicaDatabase:
    """The database as one server reaches it; see `lineshaft.store.database.Database`."""

    def __init__(self, shared: SharedDatabase, process: Process) -> None:
        """See `SharedDatabase.open`."""
        self._shared = shared
        self._process = process
        self._announced: frozenset[str] = frozenset()

    async def write(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection, in one step, with time before it and behind it."""
        await self._shared.pause()
        self._announced = frozenset()
        before = self._shared.raw.total_changes
        try:
            value, error = self._shared.transact(do, self._shared.fate()), None
        except Exception as raised:  # noqa: BLE001 # It is raised when its time has come.
            value, error = None, raised
        if self._announced and self._shared.raw.total_changes != before:
            self._shared.publish(self._process, self._announced)
        await self._shared.pause()
        if error is not None:
            raise error
        return value  # type: ignore[return-value] # None only where the function returned it.

    async def read(self, do: Callable[[Connection], T]) -> T:
        """Call a function with a connection, in one step, with time before it and behind it."""
        await self._shared.pause()
        fate = self._shared.fate()
        lost = fate in (Commit.LOST_BEFORE, Commit.LOST_AFTER)
        value = self._shared.transact(do, Commit.NOT_BEGUN if lost else fate)
        await self._shared.pause()
        return value

    def announce(self, connection: Connection, topics: frozenset[str]) -> None:
        """Note what the commit wakes elsewhere."""
        del connection
        self._announced |= topics

    async def close(self) -> None:
        """Let go of the database."""
        self._shared.leave(self._process)
