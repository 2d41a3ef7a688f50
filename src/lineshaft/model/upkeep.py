"""Upkeep: what the server's file of pipelines says of a pipeline beside its definition."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How runs of a pipeline come about that the server's file keeps.

    Attributes:
        ref: the branch that runs work on for which nobody names a ref; None means the default branch.
        tag_pattern: the regular expression of RE2 that one of the tags has to match, anywhere in it, with
            which a program calls for a run; None where tags do not matter.
    """

    ref: str | None = None
    tag_pattern: str | None = None


NO_UPKEEP: Final = Upkeep()
"""Of a pipeline of which the file says no more than its definition, or which no file keeps."""
