"""Values that inputs and matrices take, and which of them a node's expressions see."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | bool | int | float
"""What an input or an axis of a matrix may be."""


@dataclass(frozen=True, slots=True)
class Bindings:
    """What the expressions of a node see that is not the run's; shared by the nodes that see the same.

    Attributes:
        matrix: the values of the combination that the node stands for, by axis.
        inputs: the inputs of the fragment that the node comes from, by name, where texts are templates for
            `outer`; None where the run's own inputs are meant.
        outer: what the place sees at which the fragment is used.
    """

    matrix: Mapping[str, Value] = field(default_factory=dict)
    inputs: Mapping[str, Value] | None = None
    outer: "Bindings | None" = None
