"""What a new run of a pipeline means for those before it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Policy(StrEnum):
    """What a new run does about earlier runs of its group."""

    SUPERSEDE = "supersede"
    QUEUE = "queue"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How runs of one pipeline stand to each other.

    Attributes:
        policy: what a new run does about earlier ones.
        group: a template; only runs for which it gave the same text count. Empty: all of the pipeline's.
    """

    policy: Policy
    group: str = ""


SUPERSEDE: Final = Concurrency(Policy.SUPERSEDE)
"""A new run supersedes all before it."""
