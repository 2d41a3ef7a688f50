"""What a task that has succeeded leaves for the run: its outputs, and the nodes that it has made."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.masking.masker import Masker
from lineshaft.sdk.task_file import UnusableFileError, read_regular
from lineshaft.worker.confined import OutsideError, confined
from lineshaft.worker.handover import Handover
from lineshaft.worker.outputs import OUTPUTS_LIMIT_BYTES, BadOutputsError, read_outputs

GENERATED_LIMIT_BYTES: Final = 1024 * 1024
"""The most that a file of generated nodes may hold."""

_NAMED_AT_MOST: Final = 20


async def harvest(outcome: Outcome, assignment: Assignment, workspace: Path, handover: Handover) -> Outcome:
    """Add to an outcome what its task has left, or let it fail for what cannot be used.

    Nothing of the task may be alive any more.

    Args:
        outcome: that it has succeeded.
        assignment: what it was to leave; the log is warned of outputs that nobody has asked for.
        workspace: where its generated nodes are.
        handover: where its outputs are.
    """
    lease = assignment.lease
    await assignment.masking.look()
    try:
        said = _outputs(handover.output, assignment.masking.masker)
        generated = None if lease.generates is None else _generated(workspace, lease.generates)
    except _RefusedError as refusal:
        return replace(outcome, state=State.FAILED, reason=refusal.reason)
    unknown = sorted(said.keys() - set(lease.outputs))
    if unknown:
        names = ", ".join(unknown[:_NAMED_AT_MOST]) + (", ..." if len(unknown) > _NAMED_AT_MOST else "")
        await assignment.log.write_lines(f"Not kept, for `outputs` does not name them: {names}\n")
    outputs = {name: said[name] for name in lease.outputs if name in said}
    return replace(outcome, outputs=outputs, generated=generated)


class _RefusedError(Exception):
    def __init__(self, code: ReasonCode, text: str) -> None:
        super().__init__(text)
        self.reason = Reason(code, text)


def _outputs(path: Path, masker: Masker) -> dict[str, str]:
    try:
        # Masked before anything else: what is wrong with them is told by a part of them.
        return read_outputs(masker.mask(read_regular(path, OUTPUTS_LIMIT_BYTES)))
    except UnusableFileError as error:
        if error.missing:
            return {}
        text = f"The file that LINESHAFT_OUTPUT names {error}."
        raise _RefusedError(ReasonCode.OUTPUTS_REFUSED, text) from error
    except BadOutputsError as error:
        raise _RefusedError(ReasonCode.OUTPUTS_REFUSED, str(error)) from error


def _generated(workspace: Path, name: str) -> str:
    try:
        text = read_regular(confined(workspace, name), GENERATED_LIMIT_BYTES).decode()
    except (OutsideError, UnusableFileError) as error:
        text = f"The task was to write its nodes to {name!r}, which {error}."
        raise _RefusedError(ReasonCode.GENERATED_NODES_REFUSED, text) from error
    except UnicodeDecodeError as error:
        raise _no_text(name) from error
    # No format has it, and no database keeps it.
    if "\0" in text:
        raise _no_text(name)
    return text


def _no_text(name: str) -> _RefusedError:
    text = f"The task was to write its nodes to {name!r}, which is no UTF-8 text."
    return _RefusedError(ReasonCode.GENERATED_NODES_REFUSED, text)
