"""Work that several wait for."""

import asyncio

import pytest

from lineshaft.integrations.git.shared_work import SharedWork


class Work:
    """Begins when it is asked to, and ends when `end` is told how."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def begin(self) -> str:
        self.begun += 1
        try:
            return await asyncio.shield(self.end)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def begin_two(shared: SharedWork[str], work: Work) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(shared.result("key", work.begin)) for _ in range(2)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert work.begun == 1
    return tasks


async def test_all_who_wait_get_the_result_of_one_piece_of_work() -> None:
    shared, work = SharedWork[str](), Work()
    tasks = await begin_two(shared, work)
    work.end.set_result("done")

    assert await asyncio.gather(*tasks) == ["done", "done"]
    assert work.begun == 1


async def test_all_who_wait_get_the_error() -> None:
    shared, work = SharedWork[str](), Work()
    tasks = await begin_two(shared, work)
    work.end.set_exception(ConnectionError("gone"))

    for task in tasks:
        with pytest.raises(ConnectionError, match="gone"):
            await task


async def test_one_who_leaves_does_not_take_the_work_from_the_other() -> None:
    shared, work = SharedWork[str](), Work()
    first, second = await begin_two(shared, work)
    first.cancel()
    await asyncio.wait({first})
    work.end.set_result("done")

    assert await second == "done"


async def test_the_work_ends_when_the_last_one_leaves() -> None:
    shared, work = SharedWork[str](), Work()
    tasks = await begin_two(shared, work)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    assert work.cancelled == 1


async def test_who_comes_while_cancelled_work_is_ending_gets_work_of_its_own() -> None:
    shared, work, next_work = SharedWork[str](), Work(), Work()
    tasks = await begin_two(shared, work)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    next_work.end.set_result("new")

    assert await shared.result("key", next_work.begin) == "new"


async def test_work_that_has_ended_is_begun_anew_for_who_comes_later() -> None:
    shared, first, second = SharedWork[str](), Work(), Work()
    first.end.set_result("first")
    second.end.set_result("second")

    assert await shared.result("key", first.begin) == "first"
    assert await shared.result("key", second.begin) == "second"
