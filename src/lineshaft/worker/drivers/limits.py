"""Ending work early: when it is to stop, or when its time is up."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.agent.driver import Assignment

T = TypeVar("T")


async def within_limits(assignment: Assignment, work: Coroutine[None, None, T]) -> T | Outcome:
    """Do work until it is done, to be stopped, or over its time limit.

    Args:
        assignment: whose `stop` and time limit hold.
        work: is cancelled, and waited for, when one of them comes first.

    Returns:
        The work's result, or the outcome that tells which limit ended it.
    """
    working = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(assignment.stop.wait())
    try:
        await asyncio.wait(
            {working, stopped},
            timeout=assignment.lease.timeout_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if working.done():
            return working.result()
        return stopped_outcome() if stopped.done() else timed_out_outcome(assignment)
    finally:
        for each in (working, stopped):
            each.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


def stopped_outcome() -> Outcome:
    """Tell that work was stopped; who wanted that, the server knows better."""
    return Outcome(State.CANCELLED, Reason(ReasonCode.WORKER_STOPPED, "Its worker was told to stop it."))


def timed_out_outcome(assignment: Assignment) -> Outcome:
    """Tell that work has reached its time limit."""
    text = f"It did not end within {assignment.lease.timeout_seconds:g} s."
    return Outcome(State.TIMED_OUT, Reason(ReasonCode.TIME_LIMIT, text))
