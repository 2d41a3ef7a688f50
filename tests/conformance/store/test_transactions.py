import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest

from definitions import definition, read_definition
from lineshaft.model.errors import StoreUnavailableError
from lineshaft.model.user import User
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store import SqlStore, open_store
from scene import Scene
from trees import sequence, task


def put(name: str, password_hash: str = "") -> Callable[[Transaction], str]:
    def work(transaction: Transaction) -> str:
        transaction.users.put(User(name, password_hash))
        return name

    return work


def failing(name: str) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        transaction.users.put(User(name, ""))
        raise ValueError(name)

    return work


def has(name: str) -> Callable[[Transaction], bool]:
    return lambda transaction: transaction.users.get(name) is not None


async def test_a_write_returns_what_its_function_returns(store: SqlStore) -> None:
    assert await store.write(put("ann")) == "ann"


async def test_a_read_sees_what_was_committed_before_it(store: SqlStore) -> None:
    await store.write(put("ann"))

    assert await store.read(has("ann"))


async def test_what_a_function_raises_comes_out_of_the_write(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="ann"):
        await store.write(failing("ann"))


async def test_what_a_raising_function_did_is_undone(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="ann"):
        await store.write(failing("ann"))

    assert not await store.read(has("ann"))


async def test_a_raising_function_leaves_its_neighbours_alone(store: SqlStore) -> None:
    works = [put("ann"), failing("bob"), put("cid"), failing("dan"), put("eve")]

    answers = await asyncio.gather(*(store.write(work) for work in works), return_exceptions=True)

    assert [answers[0], answers[2], answers[4]] == ["ann", "cid", "eve"]
    assert isinstance(answers[1], ValueError)
    assert isinstance(answers[3], ValueError)
    stored = [name for name in ("ann", "bob", "cid", "dan", "eve") if await store.read(has(name))]
    assert stored == ["ann", "cid", "eve"]


async def test_a_function_that_raises_before_it_changes_anything_is_not_run_again(store: SqlStore) -> None:
    calls: list[str] = []

    def refuse(transaction: Transaction) -> None:
        calls.append("refuse")
        if transaction.users.get("nobody") is None:
            raise LookupError

    def add(transaction: Transaction) -> None:
        calls.append("add")
        put("ann")(transaction)

    answers = await asyncio.gather(store.write(add), store.write(refuse), return_exceptions=True)

    assert calls == ["add", "refuse"]
    assert answers[0] is None
    assert isinstance(answers[1], LookupError)
    assert await store.read(has("ann"))


async def test_functions_run_in_their_order_of_arrival(store: SqlStore) -> None:
    order: list[int] = []

    def note(number: int) -> Callable[[Transaction], None]:
        def work(transaction: Transaction) -> None:
            transaction.users.put(User(str(number), ""))
            order.append(number)

        return work

    await asyncio.gather(*(store.write(note(number)) for number in range(300)))

    assert order == list(range(300))


async def test_a_function_sees_what_those_before_it_have_done(store: SqlStore) -> None:
    _, sees_ann, sees_bob = await asyncio.gather(
        store.write(put("ann")), store.write(has("ann")), store.write(has("bob"))
    )

    assert (sees_ann, sees_bob) == (True, False)


async def test_a_function_that_gives_up_waiting_is_no_harm_to_the_others(store: SqlStore) -> None:
    impatient = asyncio.create_task(store.write(put("ann")))
    patient = asyncio.create_task(store.write(put("bob")))
    await asyncio.sleep(0)
    impatient.cancel()

    assert await patient == "bob"


async def test_even_stop_iteration_reaches_the_caller(store: SqlStore) -> None:
    def work(_transaction: Transaction) -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        await store.write(work)


async def test_an_os_error_of_a_functions_own_is_not_taken_for_the_databases(store: SqlStore) -> None:
    def work(transaction: Transaction) -> None:
        transaction.users.put(User("ann", ""))
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await store.write(work)


async def test_what_a_reading_function_raises_comes_out_of_the_read(store: SqlStore) -> None:
    def work(_transaction: Transaction) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await store.read(work)


async def test_a_reading_function_cannot_change_anything(store: SqlStore) -> None:
    with pytest.raises(TypeError, match=r"Store\.write"):
        await store.read(put("ann"))

    assert not await store.read(has("ann"))


async def test_a_run_that_was_not_committed_is_not_remembered(scene: Scene) -> None:
    pipeline = await scene.pipeline(definition(sequence(task("test"), name="shop")))
    run_ids: list[UUID] = []

    def work(transaction: Transaction) -> None:
        run_ids.append(scene.create(transaction, pipeline).id)
        assert scene.store.recent(run_ids[0]) is None
        raise KeyError

    with pytest.raises(KeyError):
        await scene.store.write(work)

    assert scene.store.recent(run_ids[0]) is None
    assert await scene.look(lambda transaction: transaction.runs.get(run_ids[0])) is None


async def test_a_read_sees_nothing_of_a_write_under_way(tmp_path: Path) -> None:
    store = await opened(f"sqlite:///{tmp_path / 'lineshaft.db'}")
    loop = asyncio.get_running_loop()
    under_way, looked = asyncio.Event(), threading.Event()

    def work(transaction: Transaction) -> None:
        put("ann")(transaction)
        loop.call_soon_threadsafe(under_way.set)
        looked.wait()

    write = asyncio.create_task(store.write(work))
    await under_way.wait()
    seen = await store.read(has("ann"))
    looked.set()
    await write

    assert not seen
    assert await store.read(has("ann"))
    await store.close()


async def test_closing_finishes_what_was_accepted(database_url: str) -> None:
    store = await opened(database_url)
    writes = [asyncio.create_task(store.write(put(f"user {number}"))) for number in range(10)]
    await asyncio.sleep(0)

    await store.close()

    await asyncio.gather(*writes)
    again = await opened(database_url)
    assert all([await again.read(has(f"user {number}")) for number in range(10)])
    await again.close()


async def test_a_closed_store_accepts_nothing_more(url: str) -> None:
    store = await opened(url)
    await store.close()

    with pytest.raises(StoreUnavailableError):
        await store.write(put("ann"))


def opened(url: str) -> Awaitable[SqlStore]:
    return open_store(url, ids=RandomIds(), read_definition=read_definition)
