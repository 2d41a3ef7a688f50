"""Nodes that a task makes while the run goes on."""

from lineshaft.engine.ending import count_ended, end_unbegun
from lineshaft.engine.step import Step
from lineshaft.model.node import Group, Role
from lineshaft.model.run import Stop


def grow(step: Step, setup: int, body: Group, text: str, stop: Stop | None) -> None:
    """Give a group the body that its setup has made; anything else that made nodes is not heard.

    Args:
        step: the step.
        setup: the index of the task that made them.
        body: them, read and checked.
        text: as the task wrote them.
        stop: why the task was being stopped; the new nodes then end before they begin, like all around them.
    """
    place = step.tree[setup]
    if place.parent is None or place.role is not Role.SETUP:
        return
    around = step.tree[place.parent]
    if step.group(around.index).generates is None or around.children:
        return
    step.grow(around.index, body, text)
    if stop is not None:
        for child in step.tree[around.index].children:
            end_unbegun(step, child, stop.state, stop.reason)
            count_ended(step, step.tree[child])
