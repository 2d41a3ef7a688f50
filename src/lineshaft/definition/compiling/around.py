"""What a step finds at its place in a document, and what comes of it there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any, Final

from lineshaft.definition.compiling.level import Level
from lineshaft.definition.compiling.origin import Site
from lineshaft.model.node import Node
from lineshaft.model.value import Bindings

Keys = Mapping[str, Any]
"""One object of a checked document, as JSON has it: what was written, with times in seconds."""

_NOTHING_BOUND: Final = Bindings()


@dataclass(frozen=True, slots=True)
class Around:
    """What a step finds at its place.

    Attributes:
        level: what its tasks take.
        bindings: what its expressions see besides the run.
        site: where it stands; None where nobody will ask.
        inputs: the names of the inputs that expressions may use.
        axes: the names of the axes that expressions may use.
    """

    level: Level
    bindings: Bindings | None = None
    site: Site | None = None
    inputs: frozenset[str] = frozenset()
    axes: frozenset[str] = frozenset()

    def at(self, *steps: str | int) -> "Around":
        """Go further in in the same text."""
        if self.site is None:
            return self
        return Around(self.level, self.bindings, self.site.at(*steps), self.inputs, self.axes)

    @property
    def bound(self) -> Bindings:
        """Its bindings, which may be none at all."""
        return self.bindings or _NOTHING_BOUND


class Aspect(Flag):
    """Which of a step's keys a node stands for; several nodes may come from one step."""

    NONE = 0
    CONDITION = auto()
    WORK = auto()
    GIVEN = auto()
    WHOLE = auto()


TASK: Final = Aspect.CONDITION | Aspect.WORK
GROUP: Final = Aspect.CONDITION | Aspect.GIVEN


@dataclass(frozen=True, slots=True)
class Origin:
    """What a node was written as.

    Attributes:
        node: the node; kept, so that no other can take its identity.
        keys: as they were written.
        around: what they found at their place.
        aspect: which of them are the node's own.
    """

    node: Node
    keys: Keys
    around: Around
    aspect: Aspect
