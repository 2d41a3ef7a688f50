"""What is wrong with a definition, as the API tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from lineshaft.model.errors import Problem
from lineshaft.sdk.problem import problems_of


@dataclass(frozen=True, slots=True)
class Validation:
    """What is wrong with a definition, if anything.

    Attributes:
        valid: whether a pipeline can be made of it.
        problems: everything that is wrong.
    """

    valid: bool
    problems: tuple[Problem, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(document["valid"], problems_of(document["problems"]))
