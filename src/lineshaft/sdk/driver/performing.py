"""Performing a task: a lease becomes a `Task`, and what the driver's function does its outcome."""

import asyncio
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, assert_never

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.agent.patience import Sleep, sleep
from lineshaft.sdk.driver import calling
from lineshaft.sdk.driver.calling import Call, Ending, Raised, Returned
from lineshaft.sdk.driver.decorator import Registered
from lineshaft.sdk.driver.result import Result, failed, outcome_of
from lineshaft.sdk.driver.task import Context, Resource, Stop, Task, TaskRun
from lineshaft.sdk.driver.task_log import TaskLog, logger_of
from lineshaft.wire.driver import DriverContext, ResourceMessage, ResultMessage
from lineshaft.wire.work import DriverWorkMessage
from lineshaft.wire.worker import LeaseMessage

_LOG: Final = logging.getLogger("lineshaft.driver")

GRACE: Final = timedelta(seconds=10)
"""How long a function that is to stop may take before it is cancelled, and again behind that."""

_LONGEST_SECONDS: Final = 10**9


@dataclass(frozen=True, slots=True)
class Timing:
    """How a driver tells the time, and waits.

    Attributes:
        clock: tells the time.
        sleep: waits for a while.
        grace: see `GRACE`.
    """

    clock: Clock
    sleep: Sleep = sleep
    grace: timedelta = GRACE


REAL_TIME: Final = Timing(SystemClock())


class Performer:
    """Has tasks done by a driver's function; an `sdk.agent.driver.Driver`."""

    def __init__(self, driver: Registered, timing: Timing = REAL_TIME) -> None:
        """Call `driver`, as long as `timing` says."""
        self._driver = driver
        self._timing = timing
        self._left_behind: set[asyncio.Future[Ending]] = set()

    @property
    def left_behind(self) -> int:
        """How many calls go on although their tasks are over, because nothing could end them."""
        return len(self._left_behind)

    async def perform(self, assignment: Assignment) -> Outcome:
        """Call the function, and tell how it went."""
        lease = assignment.lease
        stop = Stop()
        name = f"'{lease.path}' of {lease.pipeline_name}/{lease.run_number}"
        _LOG.info("%s: begins, attempt %d.", name, lease.address.attempt)
        async with TaskLog(assignment.log) as log:
            call = Call(self._driver, self._task(lease, log, stop))
            try:
                outcome = await self._outcome(call, assignment, stop, log)
            finally:
                stop.set()
                if not call.ended.done():
                    await self._leave(call, log)
        _LOG.info("%s: %s.", name, outcome.state)
        return outcome

    async def _outcome(self, call: Call, assignment: Assignment, stop: Stop, log: TaskLog) -> Outcome:
        told = asyncio.create_task(assignment.stop.wait())
        time_up = asyncio.create_task(self._until_deadline(assignment.lease))
        try:
            waits: set[asyncio.Future[Any]] = {call.ended, told, time_up}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if call.ended.done():
                return _of_ending(call.ended.result(), log)
            stop.set()
            if not told.done():
                return _timed_out(assignment.lease)
            await self._wait_for(call)
            return _of_stopped(call.ended.result(), log) if call.ended.done() else _stopped()
        finally:
            told.cancel()
            time_up.cancel()
            await asyncio.gather(told, time_up, return_exceptions=True)

    async def _until_deadline(self, lease: LeaseMessage) -> None:
        limit = _limit(lease)
        if limit is None:
            await asyncio.get_running_loop().create_future()
        else:
            await self._timing.sleep(limit)

    async def _wait_for(self, call: Call) -> None:
        patience = asyncio.create_task(self._timing.sleep(self._timing.grace))
        try:
            waits: set[asyncio.Future[Any]] = {call.ended, patience}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
            await asyncio.gather(patience, return_exceptions=True)

    async def _leave(self, call: Call, log: TaskLog) -> None:
        """Cancel a call whose answer nobody wants any more; what cannot be ended goes on without an ear."""
        if call.cancel():
            await self._wait_for(call)
        if call.ended.done():
            _of_stopped(call.ended.result(), log)
        else:
            _LOG.warning("'%s' goes on with a task that is over; its answer is dropped.", self._driver.name)
            self._left_behind.add(call.ended)
            call.ended.add_done_callback(self._left_behind.discard)

    def _task(self, lease: LeaseMessage, log: TaskLog, stop: Stop) -> Task:
        context = lease.driver or DriverContext(event=lease.cause)
        work, limit = lease.work, _limit(lease)
        return Task(
            event=context.event,
            inputs=work.inputs if isinstance(work, DriverWorkMessage) else {},
            run=TaskRun(
                id=lease.address.run_id,
                number=lease.run_number,
                pipeline=lease.pipeline_name,
                node=lease.path,
                attempt=lease.address.attempt,
            ),
            resource=None if context.resource is None else _resource(context.resource),
            payload=context.payload,
            context=Context(context.metadata, _results(context.results)),
            secrets={
                name: lease.secret_values[name] for name in lease.secrets if name in lease.secret_values
            },
            deadline=None if limit is None else self._timing.clock.now() + limit,
            logger=logger_of(log, self._driver.name),
            cancelled=stop.in_loop,
            _log=log,
            _stop=stop,
        )


def _limit(lease: LeaseMessage) -> timedelta | None:
    seconds = lease.timeout_seconds
    return None if seconds is None else timedelta(seconds=min(seconds, _LONGEST_SECONDS))


def _resource(message: ResourceMessage) -> Resource:
    return Resource(
        id=message.id,
        type=message.type,
        name=message.name,
        version=message.version,
        spec=message.spec,
        metadata=message.metadata,
        deleted=message.deleted,
    )


def _results(messages: Mapping[str, ResultMessage]) -> Mapping[str, Result]:
    return {path: Result(each.success, each.message, each.data) for path, each in messages.items()}


def _of_ending(ending: Ending, log: TaskLog) -> Outcome:
    match ending:
        case Returned(value=value):
            return outcome_of(value)
        case Raised(error=error):
            _tell(error, log)
            return failed(f"The driver raised {type(error).__name__}.")
        case _:
            assert_never(ending)


def _of_stopped(ending: Ending, log: TaskLog) -> Outcome:
    """Tell how an attempt has ended that was to stop: what was done all the same is done."""
    match ending:
        case Returned(value=value):
            outcome = outcome_of(value)
            return outcome if outcome.state is State.SUCCEEDED else _stopped()
        case Raised(error=error):
            if not isinstance(error, asyncio.CancelledError):
                _tell(error, log)
            return _stopped()
        case _:
            assert_never(ending)


def _tell(error: BaseException, log: TaskLog) -> None:
    shown = _below_us(error.__traceback__)
    log.write("".join(traceback.format_exception(type(error), error, shown)))


def _below_us(shown: TracebackType | None) -> TracebackType | None:
    """Leave out the frames that called the driver's function, which tell its author nothing."""
    while shown is not None and shown.tb_frame.f_code.co_filename == calling.__file__:
        shown = shown.tb_next
    return shown


def _stopped() -> Outcome:
    text = "Its driver was told to stop it."
    reason = Reason(ReasonCode.WORKER_STOPPED, text)
    return Outcome(State.CANCELLED, reason, result=DriverResult(success=False, message=text))


def _timed_out(lease: LeaseMessage) -> Outcome:
    text = f"It did not end within {lease.timeout_seconds:g} s."
    reason = Reason(ReasonCode.TIME_LIMIT, text)
    return Outcome(State.TIMED_OUT, reason, result=DriverResult(success=False, message=text))
