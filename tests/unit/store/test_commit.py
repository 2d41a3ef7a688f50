"""What a commit that the database refuses leaves behind."""

from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from definitions import read_definition
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store.commit import Committed, commit_together
from lineshaft.store.database import Database
from lineshaft.store.migrate import migrate
from lineshaft.store.session import Memory
from lineshaft.store.sqlite import open_temporary


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_temporary()
    await opened.write(migrate)
    yield opened
    await opened.close()


async def test_a_refused_commit_keeps_nothing_and_the_next_one_works(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await database.write(lambda connection: commit(connection, "refused"))

    await database.write(lambda connection: commit(connection, "taken"))

    assert await database.read(left) == 0


def commit(connection: Connection, topic: str) -> Committed:
    memory = Memory(read_definition, RandomIds(), sole_writer=True)
    return commit_together(connection, [wake(topic)], memory, break_the_commit, locking=False)


def wake(topic: str) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.wake(topic)


def break_the_commit(connection: Connection, topics: frozenset[str]) -> None:
    """Leave something in the transaction that SQLite finds out about only when it is to be committed."""
    if topics == {"refused"}:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.exec_driver_sql("INSERT INTO outputs (run_id, node, given) VALUES ('no run', 1, '{}')")


def left(connection: Connection) -> int:
    with connection.begin():
        count: int = connection.exec_driver_sql("SELECT count(*) FROM outputs").scalar_one()
        return count
