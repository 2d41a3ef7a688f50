"""A process of the simulated fleet: tasks that live together and die together."""

from collections.abc import Callable
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from typing import Final


@dataclass(eq=False, slots=True)
class Process:
    """A server or a worker, from its start to its end.

    Attributes:
        name: for the trace.
        alive: whether its tasks may run; a process that was killed runs nothing any more, not even clean-up.
        steps_left: how many steps of its tasks are left before it is killed; None means as many as it wants.
        died: what is to be done at the moment of its death.
    """

    name: str
    alive: bool = True
    steps_left: int | None = None
    died: list[Callable[[], None]] = field(default_factory=list)

    def kill(self) -> None:
        """End it as `kill -9` does: at once, between two steps of its tasks."""
        if self.alive:
            self.alive = False
            for callback in self.died:
                callback()


CURRENT: Final[ContextVar[Process | None]] = ContextVar("CURRENT", default=None)
"""The process that a task, a callback or a timer belongs to; None is the world around them."""

WORLD: Final = Context()
"""Where that runs which belongs to no process and so outlives them all."""
