"""Functions run together in one transaction, and committed with it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, RootTransaction

from lineshaft.ports.store import Foreseen, Transaction
from lineshaft.store.session import Memory, Session
from lineshaft.store.transaction import SqlTransaction
from lineshaft.store.trouble import Trouble, is_missing_reference, trouble_of

T = TypeVar("T")

Work = Callable[[Transaction], T]
"""A function that is to be run in a transaction."""

Announce = Callable[[Connection, frozenset[str]], None]
"""Tells other processes, as part of a transaction, which topics its commit wakes."""


@dataclass(frozen=True, slots=True)
class Returned(Generic[T]):
    """A function has returned, and what it did is committed.

    Attributes:
        value: what it returned.
    """

    value: T


@dataclass(frozen=True, slots=True)
class Raised:
    """A function has raised, and nothing that it did was kept.

    Attributes:
        error: what it raised.
    """

    error: BaseException


Answer = Returned[T] | Raised


@dataclass(frozen=True, slots=True)
class Committed:
    """A transaction is committed.

    Attributes:
        answers: what became of each function, in their order.
        topics: what is to be woken now.
    """

    answers: Sequence[Answer[Any]]
    topics: frozenset[str]


class CommitLostError(Exception):
    """The database went away while it was to commit; nobody knows whether it did."""


def commit_together(
    connection: Connection, works: Sequence[Work[Any]], memory: Memory, announce: Announce, *, locking: bool
) -> Committed:
    """Run functions in order in one transaction and commit it.

    A function that raises before it has changed anything does not disturb the others.

    Args:
        connection: not in a transaction.
        works: the functions.
        memory: what the store remembers; it learns what was committed.
        announce: called before the commit with the topics to be woken.
        locking: whether to keep other processes from writing the runs that are read here. Such transactions
            take turns, since they meet at the same runs and would wait for each other in circles.

    Raises:
        CommitLostError: the database went away during the commit.
        Exception: what a function raised after it had changed something, or what the database said. Nothing
            was kept then.
    """
    session = Session(connection, memory, writable=True, locking=locking)
    transaction = connection.begin()
    try:
        if locking:
            # Before all other locks, since they are taken in the order of what the functions do.
            session.locks.take_turn()
        offered = SqlTransaction(session)
        if not memory.sole_writer and len(works) > 1:
            # A statement takes a round trip there.
            offered.read_ahead([work for work in works if isinstance(work, Foreseen)])
        answers = [_run(work, offered, session) for work in works]
        session.pending.flush()
        topics = session.topics_to_wake()
        if topics:
            announce(connection, topics)
    except BaseException as error:
        _forget(session, memory)
        if is_missing_reference(error):
            memory.definitions.forget_all()
        transaction.rollback()
        raise
    try:
        transaction.commit()
    except Exception as error:
        _forget(session, memory)
        _abandon(connection, transaction)
        if trouble_of(error) is Trouble.LOST:
            raise CommitLostError from error
        raise
    session.remember()
    return Committed(answers, topics)


def _forget(session: Session, memory: Memory) -> None:
    """Forget what memory is trusted with. Where others write too it is not: versions are compared."""
    if memory.sole_writer:
        memory.runs.forget(session.runs)


def _abandon(connection: Connection, transaction: RootTransaction) -> None:
    """End a transaction whose COMMIT was refused, since the connection may be the only one that writes.

    SQLAlchemy takes it for ended, while in the database it is still open.
    """
    with suppress(Exception):
        transaction.rollback()
        if not connection.invalidated:
            connection.connection.rollback()


def _run(work: Work[T], transaction: Transaction, session: Session) -> Answer[T]:
    changes_before = session.changes
    try:
        return Returned(work(transaction))
    except Exception as error:
        if session.changes != changes_before or trouble_of(error) is not Trouble.NONE:
            raise
        return Raised(error)


def read_one(connection: Connection, work: Work[T], memory: Memory) -> T:
    """Run a function that only reads on one view of the database.

    Raises:
        Exception: what the function raised, or what the database said.
    """
    session = Session(connection, memory, writable=False, locking=False)
    with connection.begin():
        value = work(SqlTransaction(session))
    session.remember()
    return value
