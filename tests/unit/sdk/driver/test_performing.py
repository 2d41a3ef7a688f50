"""A driver's function at work: what it sees, and how its end becomes the attempt's."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.agent.no_files import NoFiles
from lineshaft.sdk.driver import Result, Task, driver
from lineshaft.sdk.driver.decorator import registered
from lineshaft.sdk.driver.performing import Performer, Timing
from lineshaft.sdk.driver.testing import perform
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.wire.work import DriverWorkMessage
from scripted_server import Pauses
from worker_tasks import Log, lease_of

LIMIT = timedelta(seconds=60)
GRACE = timedelta(seconds=10)


class Bench:
    """A task in a driver's hands, and the time in the test's."""

    def __init__(self, function: Callable[[Task], Any], timeout_seconds: float | None) -> None:
        self.pauses = Pauses()
        self.log = Log()
        self.stop = asyncio.Event()
        self.clock = ManualClock()
        self.performer = Performer(
            registered(driver(name="work")(function)), Timing(self.clock, self.pauses.sleep, GRACE)
        )
        masking = Masking()
        work = DriverWorkMessage(driver="work")
        lease = lease_of(work, timeout_seconds=timeout_seconds)
        assignment = Assignment(
            lease, MaskedLog(self.log, masking), self.stop, self._resolve, masking, NoFiles()
        )
        self.performing = asyncio.create_task(self.performer.perform(assignment))

    async def _resolve(self, commit: str) -> str:
        return commit

    async def end_pause(self, length: timedelta) -> None:
        """Wait until it waits that long, and let that time pass."""
        while (pause := await self.pauses.next()).length != length:
            pass
        pause.end()

    async def outcome(self) -> Outcome:
        return await self.performing


@asynccontextmanager
async def bench(
    function: Callable[[Task], Any], timeout_seconds: float | None = LIMIT.total_seconds()
) -> AsyncIterator[Bench]:
    made = Bench(function, timeout_seconds)
    try:
        yield made
    finally:
        made.performing.cancel()
        await asyncio.gather(made.performing, return_exceptions=True)


async def test_what_a_function_returns_is_the_result() -> None:
    async def work(task: Task) -> Result:
        return Result.success("done", event=task.event)

    async with bench(work) as made:
        outcome = await made.outcome()
    assert outcome.state is State.SUCCEEDED
    assert outcome.result is not None
    assert outcome.result.data == {"event": "manual"}


async def test_a_plain_function_runs_in_a_thread_of_its_own_and_in_the_callers_context() -> None:
    seen = contextvars.ContextVar[str]("seen")
    seen.set("here")

    def work(task: Task) -> dict[str, Any]:
        del task
        return {"same": threading.get_ident() == loop_thread, "context": seen.get()}

    loop_thread = threading.get_ident()
    async with bench(work) as made:
        outcome = await made.outcome()
    assert outcome.result is not None
    assert outcome.result.data == {"same": False, "context": "here"}


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize("plain", [False, True])
async def test_what_a_function_raises_fails_its_task_and_nothing_else(
    error: type[BaseException], *, plain: bool
) -> None:
    async def raising(task: Task) -> None:
        del task
        raise error("of the inner parts")

    def raising_in_a_thread(task: Task) -> None:
        del task
        raise error("of the inner parts")

    async with bench(raising_in_a_thread if plain else raising) as made:
        outcome = await made.outcome()
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.DRIVER_FAILED
    assert outcome.reason.text == f"The driver raised {error.__name__}."
    assert outcome.result is not None
    assert outcome.result.message == outcome.reason.text
    assert "of the inner parts" in made.log.text


async def test_a_traceback_begins_in_the_drivers_own_code() -> None:
    async def work(task: Task) -> None:
        del task
        raise ValueError("wrong")

    async with bench(work) as made:
        await made.outcome()
    lines = made.log.text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert __file__ in lines[1]
    assert lines[-1] == "ValueError: wrong"


async def test_the_deadline_is_told_and_at_it_the_function_is_cancelled() -> None:
    deadlines: list[Any] = []

    async def work(task: Task) -> None:
        deadlines.append(task.deadline)
        try:
            await asyncio.Event().wait()
        finally:
            deadlines.append(task.cancelled.is_set())

    async with bench(work) as made:
        await made.end_pause(LIMIT)
        outcome = await made.outcome()
    assert outcome.state is State.TIMED_OUT
    assert outcome.reason is not None
    assert (outcome.reason.code, outcome.reason.text) == (
        ReasonCode.TIME_LIMIT,
        "It did not end within 60 s.",
    )
    assert deadlines == [made.clock.now() + LIMIT, True]


async def test_a_task_without_a_limit_has_no_deadline() -> None:
    async def work(task: Task) -> dict[str, bool]:
        return {"none": task.deadline is None}

    async with bench(work, None) as made:
        outcome = await made.outcome()
    assert outcome.result is not None
    assert outcome.result.data == {"none": True}


async def test_a_function_that_is_to_stop_is_told_at_once_and_cancelled_ten_seconds_later() -> None:
    told = asyncio.Event()

    async def work(task: Task) -> None:
        await task.cancelled.wait()
        told.set()
        await asyncio.Event().wait()

    async with bench(work) as made:
        made.stop.set()
        await told.wait()
        assert not made.performing.done()
        await made.end_pause(GRACE)
        outcome = await made.outcome()
    assert outcome.state is State.CANCELLED
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.WORKER_STOPPED


async def test_what_is_done_although_it_was_to_stop_is_done() -> None:
    async def work(task: Task) -> Result:
        await task.cancelled.wait()
        return Result.success("was nearly ready")

    async with bench(work) as made:
        made.stop.set()
        assert (await made.outcome()).state is State.SUCCEEDED


async def test_a_failure_of_what_was_to_stop_is_no_failure() -> None:
    async def work(task: Task) -> Result:
        await task.cancelled.wait()
        return Result.failure("interrupted")

    async with bench(work) as made:
        made.stop.set()
        assert (await made.outcome()).state is State.CANCELLED


async def test_a_plain_function_hears_that_it_is_to_stop_and_may_answer_for_ten_seconds() -> None:
    def work(task: Task) -> None:
        assert not task.is_cancelled()
        running.set()
        assert task.wait_cancelled()
        assert task.is_cancelled()

    running = threading.Event()
    async with bench(work) as made:
        await asyncio.to_thread(running.wait)
        made.stop.set()
        assert (await made.outcome()).state is State.SUCCEEDED


async def test_the_answer_of_a_plain_function_that_does_not_stop_is_dropped() -> None:
    def work(task: Task) -> None:
        go_on.wait()
        task.log("too late")
        written.set()

    go_on, written = threading.Event(), threading.Event()
    async with bench(work) as made:
        made.stop.set()
        await made.end_pause(GRACE)
        outcome = await made.outcome()
        assert outcome.state is State.CANCELLED
        assert made.performer.left_behind == 1
        go_on.set()
        await asyncio.to_thread(written.wait)
    assert made.log.text == ""


async def test_an_async_function_that_does_not_let_itself_be_cancelled_is_left_behind() -> None:
    end = asyncio.Event()

    async def work(task: Task) -> None:
        del task
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue

    async with bench(work) as made:
        made.stop.set()
        await made.end_pause(GRACE)
        await made.end_pause(GRACE)
        assert (await made.outcome()).state is State.CANCELLED
        assert made.performer.left_behind == 1
        end.set()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        assert made.performer.left_behind == 0


async def test_what_is_wrong_with_cleaning_up_is_in_the_log() -> None:
    async def work(task: Task) -> None:
        del task
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("cannot clean up")

    async with bench(work) as made:
        await made.end_pause(LIMIT)
        assert (await made.outcome()).state is State.TIMED_OUT
    assert "RuntimeError: cannot clean up" in made.log.text


async def test_waiting_for_the_stop_in_an_async_function_is_refused_with_the_other_way() -> None:
    async def work(task: Task) -> None:
        task.wait_cancelled(1)

    async with bench(work) as made:
        await made.outcome()
    assert "write `await task.cancelled.wait()`" in made.log.text


async def test_lines_come_in_their_order_whoever_writes_them() -> None:
    async def work(task: Task) -> None:
        task.log("one")
        await asyncio.to_thread(task.log, "two\n")
        task.logger.warning("%s", "three")
        task.logger.debug("not told")
        task.progress(0.5, "half of it")
        task.progress(1)
        task.logger.error("four", exc_info=ValueError("five"))

    async with bench(work) as made:
        await made.outcome()
    lines = made.log.text.splitlines()
    assert lines[:6] == ["one", "two", "WARNING: three", " 50% half of it", "100%", "ERROR: four"]
    assert lines[-1] == "ValueError: five"


@pytest.mark.parametrize("fraction", [-0.1, 1.1, 50, float("nan")])
async def test_a_progress_that_is_no_fraction_is_refused(fraction: float) -> None:
    async def work(task: Task) -> None:
        task.progress(fraction)

    async with bench(work) as made:
        await made.outcome()
    assert "takes a fraction from 0 to 1, such as 0.5" in made.log.text


async def test_a_tasks_logger_is_nobody_elses() -> None:
    before = set(logging.Logger.manager.loggerDict)

    async def work(task: Task) -> None:
        task.logger.info("here")

    async with bench(work) as made:
        await made.outcome()
    assert set(logging.Logger.manager.loggerDict) == before


async def test_a_thread_that_writes_faster_than_the_server_takes_it_waits() -> None:
    line = "x" * (1 << 18)

    def work(task: Task) -> None:
        for _ in range(40):
            task.log(line)

    async with bench(work) as made:
        await made.outcome()
    assert len(made.log.data) == 40 * (len(line) + 1)


async def test_what_an_async_function_writes_without_end_is_left_out_and_that_is_told() -> None:
    line = "x" * ((1 << 20) - 1)

    async def work(task: Task) -> None:
        for _ in range(20):
            task.log(line)

    async with bench(work) as made:
        await made.outcome()
    assert made.log.text.count(line) == 16
    assert made.log.text.splitlines()[-1].startswith("[4 lines are left out")


async def test_secrets_are_masked_in_all_that_leaves_the_driver() -> None:
    secret = "hunter2-hunter2"

    @driver(name="leak")
    async def leak(task: Task) -> Result:
        token = task.secrets["TOKEN"]
        task.log(f"the token is {token}")
        task.logger.info(token)
        return Result.failure(f"no {token}", nested={"list": [token, 1]}, number=4711_4711_4711)

    done = await perform(leak, secrets={"TOKEN": secret, "PIN": "471147114711"})
    assert secret not in repr(done)
    assert done.result.message == "no ***"
    assert done.result.data == {"nested": {"list": ["***", 1]}, "number": "***"}
    assert done.log == "the token is ***\nINFO: ***\n"


async def test_secrets_are_not_in_what_a_task_looks_like() -> None:
    @driver(name="show")
    async def show(task: Task) -> dict[str, str]:
        return {"task": repr(task)}

    done = await perform(show, secrets={"TOKEN": "hunter2-hunter2"})
    assert "TOKEN" not in done.result.data["task"]
