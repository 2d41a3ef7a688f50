"""What nodes tell later ones, and the run its caller."""

from collections.abc import Mapping
from typing import Final

from lineshaft.engine.scope import scope_of
from lineshaft.engine.step import Step
from lineshaft.expression import parse_template
from lineshaft.model.errors import ExpressionError
from lineshaft.model.node import Group, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.run import Run
from lineshaft.model.tree import ROOT, Place
from lineshaft.model.work import DriverWork, PipelineWork

OUTPUTS_LIMIT_BYTES: Final = 64 * 1024
"""How long all outputs of a task, or of a run, may be, their names and values taken together, in UTF-8."""


def size_bytes(values: Mapping[str, str]) -> int:
    """Tell how long names and values are, taken together, in UTF-8."""
    return sum(len(text.encode(errors="replace")) for pair in values.items() for text in pair)


def take_outputs(step: Step, index: int, task: Task, outcome: Outcome) -> None:
    """Keep what a task that succeeded has told: what it declares, and all that a driver or a run tells."""
    if isinstance(task.work, DriverWork):
        take_result(step, index, outcome)
        return
    given: Mapping[str, str] = outcome.outputs
    if given and not isinstance(task.work, PipelineWork):
        given = {name: given[name] for name in task.surroundings.outputs if name in given}
    step.give_outputs(index, given)


def take_result(step: Step, index: int, outcome: Outcome) -> None:
    """Keep what the driver of a task has answered, as the task's outputs."""
    if outcome.result is not None:
        step.give_outputs(index, outcome.result.outputs())


def carry_outputs(step: Step, place: Place, group: Group) -> None:
    """Give a group the outputs of the one node that stands for it."""
    if not group.carries_outputs:
        return
    source = place.setup if group.generates is not None else next(iter(place.children), None)
    if source is not None:
        step.give_outputs(place.index, step.outputs.get(source, {}))


def run_outputs(run: Run, root: Group) -> dict[str, str]:
    """Evaluate what a run tells the pipeline that called it.

    Raises:
        ExpressionError: a template cannot be evaluated, or they are too long.
    """
    scope = scope_of(run, ROOT)
    given: dict[str, str] = {}
    room = OUTPUTS_LIMIT_BYTES
    for name, text in root.outputs.items():
        given[name] = parse_template(text).render(scope)
        room -= size_bytes({name: given[name]})
        if room < 0:
            raise ExpressionError(f"The run's outputs are longer than {OUTPUTS_LIMIT_BYTES:,} bytes.")
    return given
