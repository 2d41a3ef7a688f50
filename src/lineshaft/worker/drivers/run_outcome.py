"""How the end of a command becomes the outcome of its task."""

import signal
from dataclasses import replace
from typing import assert_never

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.executor import Broken, Ending, Exit, NotStarted
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.worker.drivers.limits import stopped_outcome, timed_out_outcome


def run_outcome(assignment: Assignment, result: Exit | NotStarted | Broken) -> Outcome:
    """Tell how a task has gone whose command ended so, was never started, or is gone with its engine."""
    match result:
        case Broken(text=text, code=code):
            return Outcome(State.LOST, Reason(code, text))
        case NotStarted(text=text, code=code, ours=True):
            return Outcome(State.LOST, Reason(code, text), begun=False)
        case NotStarted(text=text, code=code):
            return Outcome(State.FAILED, Reason(code, text))
        case Exit():
            return _of_exit(assignment, result)
        case _:
            assert_never(result)


def _of_exit(assignment: Assignment, result: Exit) -> Outcome:
    code = result.shell_code
    match result.ending:
        case Ending.STOPPED:
            return replace(stopped_outcome(), exit_code=code)
        case Ending.TIMED_OUT:
            return replace(timed_out_outcome(assignment), exit_code=code)
        case Ending.ENDED if code == 0:
            return Outcome(State.SUCCEEDED, exit_code=code)
        case Ending.ENDED:
            return Outcome(State.FAILED, _why(result, assignment.lease.memory_bytes), code)
        case _:
            assert_never(result.ending)


def _why(result: Exit, memory_bytes: int) -> Reason:
    if result.out_of_memory:
        return Reason(ReasonCode.OUT_OF_MEMORY, _out_of_memory(memory_bytes))
    if result.signal is not None:
        return Reason(ReasonCode.SIGNAL, f"The command was ended by {_signal_name(result.signal)}.")
    return Reason(ReasonCode.EXIT_CODE, f"The command exited with code {result.shell_code}.")


def _out_of_memory(limit_bytes: int) -> str:
    if not limit_bytes:
        return (
            "The memory of its machine had run out, and the system killed it, or some of it. Say how much it "
            "needs by `resources: {memory: 2GiB}`, so that a worker with room for it takes it."
        )
    mebibytes = -(-limit_bytes // 1024**2)
    return (
        f"It may have {mebibytes:,} MiB of memory, which had run out, and the system killed it, or some of "
        f"it. Give it more by `resources: {{memory: {2 * mebibytes}MiB}}`."
    )


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} (signal {number})"
    except ValueError:
        return f"signal {number}"
