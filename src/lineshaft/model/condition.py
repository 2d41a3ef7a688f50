"""Conditions: when a node is to run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that says whether a node runs when its turn has come.

    Attributes:
        expression: in CEL.
        asks_for_states: whether it asks by itself how the nodes before ended. One that does not holds only
            when nothing before the node failed.
    """

    expression: str
    asks_for_states: bool = False
