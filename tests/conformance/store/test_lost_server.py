"""What becomes of a store whose PostgreSQL server goes away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import asyncpg
import pytest

from definitions import read_definition
from lineshaft.model.errors import StoreUnavailableError
from lineshaft.model.user import User
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store import SqlStore, open_store
from postgres import PostgresServer

LONG = timedelta(minutes=1)


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[SqlStore]:
    opened = await open_store(postgres_url, ids=RandomIds(), read_definition=read_definition)
    yield opened
    await opened.close()


async def test_broken_connections_are_made_anew(
    store: SqlStore, postgres_url: str, postgres_server: PostgresServer
) -> None:
    await store.write(put("ann"))
    await store.read(has("ann"))

    with store.wakeups.listen("anything") as listener:
        await cut_all_connections(postgres_server, postgres_url)

        # Who listens is woken when that works again, since nobody knows what was missed.
        assert await listener.wait(LONG)
        await store.write(put("bob"))
        assert await store.read(has("ann"))
        assert await store.read(has("bob"))


async def test_a_server_that_does_not_answer_makes_the_store_unavailable(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    store = await open_store(postgres_url, ids=RandomIds(), read_definition=read_definition, sleep=sleep)
    postgres_server.stop()
    try:
        answers = await asyncio.gather(
            store.write(put("ann")), store.write(put("bob")), store.read(has("ann")), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [StoreUnavailableError] * 3
        assert waits
        with pytest.raises(StoreUnavailableError):
            await open_store(postgres_url, ids=RandomIds(), read_definition=read_definition, sleep=sleep)
    finally:
        postgres_server.start()

    await store.write(put("ann"))
    assert await store.read(has("ann"))
    await store.close()


async def test_a_write_whose_commit_was_cut_off_is_not_done_again(store: SqlStore, postgres_url: str) -> None:
    await cut_off_commits(postgres_url)
    calls: list[str] = []

    def work(transaction: Transaction) -> None:
        calls.append("called")
        put("ann")(transaction)

    with pytest.raises(StoreUnavailableError, match="during a commit"):
        await store.write(work)

    assert calls == ["called"]
    assert not await store.read(has("ann"))


async def test_writes_whose_common_commit_was_cut_off_are_not_done_again(
    store: SqlStore, postgres_url: str
) -> None:
    await cut_off_commits(postgres_url)
    calls: list[str] = []

    def work(name: str) -> Callable[[Transaction], None]:
        def put_one(transaction: Transaction) -> None:
            calls.append(name)
            put(name)(transaction)

        return put_one

    answers = await asyncio.gather(
        store.write(work("ann")), store.write(work("bob")), store.write(work("cid")), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [StoreUnavailableError] * 3
    assert sorted(calls) == ["ann", "bob", "cid"]


def put(name: str) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.users.put(User(name, ""))


def has(name: str) -> Callable[[Transaction], bool]:
    return lambda transaction: transaction.users.get(name) is not None


async def cut_all_connections(server: PostgresServer, url: str) -> None:
    connection = await asyncpg.connect(server.url("postgres"))
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
        url.removeprefix("postgresql://lineshaft@/").partition("?")[0],
    )
    await connection.close()


async def cut_off_commits(url: str) -> None:
    """Let the server hang up on whoever commits a new user, before that has happened."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        """
        CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION hang_up();
        """
    )
    await connection.close()
