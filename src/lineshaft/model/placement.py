"""Placement: what a task asks of a worker, and what a worker offers."""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_LABEL: Final = 100
"""How many characters a label has at most."""

LABEL_PATTERN: Final = r"^[A-Za-z0-9_][A-Za-z0-9_.:/=+-]*$"
"""What a label looks like, as a regular expression."""

MOST_LABELS: Final = 100
"""How many labels a task asks for at most."""


def is_label(text: str) -> bool:
    """Tell whether a text can be a label."""
    return len(text) <= LONGEST_LABEL and re.fullmatch(LABEL_PATTERN, text) is not None


@dataclass(frozen=True, slots=True)
class Demand:
    """What a task asks of the worker that takes it.

    Attributes:
        kind: the kind of work, or the driver that somebody has written, which the worker must serve.
        labels: what the worker must offer, sorted.
        cpus: how many processors it is to have for itself; 0 where it does not say.
        memory_bytes: how much memory it is to have for itself; 0 where it does not say.
    """

    kind: str
    labels: tuple[str, ...] = ()
    cpus: float = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much a worker can do at once.

    Attributes:
        slots: how many attempts.
        cpus: how many processors it gives to tasks; None means that tasks may ask for any number.
        memory_bytes: how much memory it gives to tasks; None means that tasks may ask for any amount.
    """

    slots: int
    cpus: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a worker offers to tasks.

    Attributes:
        kinds: the kinds of work whose drivers it serves.
        capacity: how much it can do at once.
        labels: what it says of itself, sorted.
    """

    kinds: frozenset[str]
    capacity: Capacity
    labels: tuple[str, ...] = ()

    def serves(self, demand: Demand) -> bool:
        """Tell whether it could take a task if it had nothing else to do."""
        capacity = self.capacity
        return (
            demand.kind in self.kinds
            and set(demand.labels) <= set(self.labels)
            and (capacity.cpus is None or demand.cpus <= capacity.cpus)
            and (capacity.memory_bytes is None or demand.memory_bytes <= capacity.memory_bytes)
        )
