"""Testing a driver without a server: a task goes through the same loop as at one, in memory."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypedDict, Unpack
from uuid import UUID

from pydantic import ValidationError

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import InvalidInputError
from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from lineshaft.ports.clock import SystemClock
from lineshaft.sdk.driver.decorator import Registered, registered
from lineshaft.sdk.driver.performing import GRACE, Performer, Timing
from lineshaft.sdk.driver.program import ProgramSettings, agent_of
from lineshaft.sdk.driver.result import Result
from lineshaft.sdk.driver.serving import Driver
from lineshaft.sdk.driver.task import Context
from lineshaft.sdk.memory_server import MemoryServer
from lineshaft.wire.driver import DriverContext, ResourceMessage, ResultMessage
from lineshaft.wire.work import DriverWorkMessage
from lineshaft.wire.worker import LeaseMessage

_ID: Final = UUID(int=(0x7 << 76) | (0x2 << 62) | 1)
_DEFAULTS: Final = {"id": _ID, "version": 1, "spec": {}, "metadata": {}}
_EVENT: Final = "created"
_EVENT_WITHOUT_RESOURCE: Final = "manual"


@dataclass(frozen=True, slots=True)
class Performed:
    """How a task went.

    Attributes:
        result: what the driver answered; where it raised or was stopped, a failure that says so.
        outcome: what a server would have been told: the state, and the reason where there is one.
        log: all that the task wrote, its secrets masked.
    """

    result: Result
    outcome: Outcome
    log: str

    @property
    def state(self) -> State:
        """How the attempt ended: `succeeded`, `failed`, `cancelled` or `timed_out`."""
        return self.outcome.state


class Given(TypedDict, total=False):
    """What a task is given; see `perform`."""

    resource: Mapping[str, Any] | None
    event: str | None
    inputs: Mapping[str, Any] | None
    payload: Any
    context: Context | None
    secrets: Mapping[str, str] | None
    timeout: timedelta | None
    cancel_after: float | str | None
    grace: timedelta


def perform_now(driver: Driver, **given: Unpack[Given]) -> Performed:
    """Have a driver do a task, in a test that is no async function; see `perform`."""
    return asyncio.run(perform(driver, **given))


async def perform(
    driver: Driver,
    *,
    resource: Mapping[str, Any] | None = None,
    event: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    payload: Any = None,
    context: Context | None = None,
    secrets: Mapping[str, str] | None = None,
    timeout: timedelta | None = None,  # noqa: ASYNC109 - the task's.
    cancel_after: float | str | None = None,
    grace: timedelta = GRACE,
) -> Performed:
    """Have a driver do a task, and tell how it went.

    Args:
        driver: a decorated function, a decorated class, or an object of one.
        resource: what the run carries: `type` and `name`, and perhaps `spec`, `metadata`, `version`, `id` and
            `deleted`.
        event: what happened; else `created` where there is a resource, and `manual` where there is none.
        inputs: what the step says under `with`.
        payload: what a broadcast carries.
        context: the pipeline's metadata, and what the drivers before this one have answered.
        secrets: by name; they are masked in the log and in the result.
        timeout: how long it may take; None means that there is no limit.
        cancel_after: after so many seconds the task is to stop, or as soon as its log has this text in it;
            None lets it go on to its end.
        grace: how long it may go on when it is to stop, before it is cancelled.

    Raises:
        InvalidInputError: it is no driver, or what the task is given is no JSON.
    """
    ready = registered(driver)
    context = context or Context()
    lease = _lease(
        ready,
        resource=resource,
        event=event or (_EVENT if resource is not None else _EVENT_WITHOUT_RESOURCE),
        inputs=inputs or {},
        payload=payload,
        metadata=context.metadata,
        results={
            path: {"success": each.succeeded, "message": each.message, "data": each.data}
            for path, each in context.results.items()
        },
        secrets=secrets or {},
        timeout=timeout,
    )
    awaited = cancel_after.encode() if isinstance(cancel_after, str) else None

    def look(log: bytes) -> None:
        if awaited is not None and awaited in log:
            server.stop()

    server = MemoryServer(lease, look)
    performer = Performer(ready, Timing(SystemClock(), grace=grace))
    agent = agent_of(ready, server, ProgramSettings(concurrency=1), "test", performer=performer)
    running = asyncio.create_task(agent.run())
    ended = asyncio.create_task(server.ended.wait())
    stopping = asyncio.create_task(_stop_after(server, cancel_after))
    try:
        await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
        server.drain()
        await running
    finally:
        for each in (running, ended, stopping):
            each.cancel()
        await asyncio.gather(running, ended, stopping, return_exceptions=True)
    return _performed(server)


async def _stop_after(server: MemoryServer, seconds: float | str | None) -> None:
    if isinstance(seconds, float | int):
        await asyncio.sleep(seconds)
        server.stop()


def _lease(
    ready: Registered,
    *,
    resource: Mapping[str, Any] | None,
    event: str,
    inputs: Mapping[str, Any],
    payload: Any,
    metadata: Mapping[str, str],
    results: Mapping[str, Any],
    secrets: Mapping[str, str],
    timeout: timedelta | None,
) -> LeaseMessage:
    try:
        for each in (inputs, payload, resource, results):
            json.dumps(each, allow_nan=False, default=_text_of_id)
        carried = None if resource is None else ResourceMessage.model_validate({**_DEFAULTS, **resource})
        lease = LeaseMessage(
            address=AttemptAddress(_ID, 1, 1),
            token="",
            pipeline_id=_ID,
            pipeline_name="test",
            run_number=1,
            path=ready.name,
            work=DriverWorkMessage(driver=ready.name, inputs=dict(inputs)),
            timeout_seconds=None if timeout is None else timeout.total_seconds(),
            repository=None,
            commit=None,
            secrets=tuple(secrets),
            secret_values=dict(secrets),
            driver=DriverContext(
                event=event,
                resource=carried,
                payload=payload,
                metadata=dict(metadata),
                results={path: ResultMessage.model_validate(each) for path, each in results.items()},
            ),
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"No server would give a task this: {_why(error)}.") from error
    return lease


def _text_of_id(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"an object of the type {type(value).__qualname__} is no JSON")


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
    return str(error)


def _performed(server: MemoryServer) -> Performed:
    outcome = server.outcome
    if outcome is None:
        raise AssertionError("the loop has ended without a report")
    told = outcome.result
    if told is not None:
        result = Result(told.success, told.message, told.data)
    else:
        result = Result(succeeded=False, message="" if outcome.reason is None else outcome.reason.text)
    return Performed(result, outcome, server.log.decode(errors="replace"))
