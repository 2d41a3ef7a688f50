"""Limits: how many attempts may run at once, whatever the workers have room for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ANY_OTHER: Final = "*"
"""Stands in the place of a pipeline's name for all pipelines that have no limit of their own."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many attempts may run at once.

    Attributes:
        pipelines: of one pipeline, by its name, or `*` for every other one.
        labels: of those that ask for a label, by the label.
    """

    pipelines: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)


NO_LIMITS: Final = Limits()
