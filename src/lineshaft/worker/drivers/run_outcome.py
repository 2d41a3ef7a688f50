"""How the end of a command becomes the outcome of its task."""

import signal
from dataclasses import replace

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.executor import Broken, Ending, Exit, NotStarted
from lineshaft.worker.driver import Assignment
from lineshaft.worker.drivers.limits import stopped_outcome, timed_out_outcome


def run_outcome(assignment: Assignment, result: Exit | NotStarted | Broken) -> Outcome:
    """Tell how a task has gone whose command ended so, was never started, or is gone with its engine."""
    if isinstance(result, Broken):
        return Outcome(State.LOST, Reason(result.code, result.text))
    if isinstance(result, NotStarted):
        reason = Reason(result.code, result.text)
        return Outcome(State.LOST, reason, begun=False) if result.ours else Outcome(State.FAILED, reason)
    code = result.shell_code
    match result.ending:
        case Ending.STOPPED:
            return replace(stopped_outcome(), exit_code=code)
        case Ending.TIMED_OUT:
            return replace(timed_out_outcome(assignment), exit_code=code)
        case Ending.ENDED if code == 0:
            return Outcome(State.SUCCEEDED, exit_code=code)
        case Ending.ENDED if result.out_of_memory:
            text = _out_of_memory(assignment.lease.memory_bytes)
            return Outcome(State.FAILED, Reason(ReasonCode.OUT_OF_MEMORY, text), code)
        case Ending.ENDED if result.signal is not None:
            text = f"The command was ended by {_signal_name(result.signal)}."
            return Outcome(State.FAILED, Reason(ReasonCode.SIGNAL, text), code)
        case Ending.ENDED:
            text = f"The command exited with code {code}."
            return Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, text), code)


def _out_of_memory(limit_bytes: int) -> str:
    if not limit_bytes:
        return (
            "The memory of its machine had run out, and the system killed it, or some of it. Say how much it needs "
            "by `resources: {memory: 2GiB}`, so that a worker with room for it takes it."
        )
    mebibytes = -(-limit_bytes // 1024**2)
    return (
        f"It may have {mebibytes:,} MiB of memory, which had run out, and the system killed it, or some of it. Give "
        f"it more by `resources: {{memory: {2 * mebibytes}MiB}}`."
    )


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} (signal {number})"
    except ValueError:
        return f"signal {number}"
