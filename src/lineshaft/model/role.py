"""Roles: what people are to a pipeline, or to all of Lineshaft."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID


class Role(StrEnum):
    """What someone may do, each role all that the ones before it may; docs/access.md has the table."""

    VIEWER = "viewer"
    RUNNER = "runner"
    APPROVER = "approver"
    MAINTAINER = "maintainer"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """How much it may, as a number to compare."""
        return _RANKS[self]

    def covers(self, other: "Role") -> bool:
        """Tell whether it may all that another one may."""
        return self.rank >= other.rank


_RANKS: Final = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of someone.

    Attributes:
        everywhere: for all pipelines and what belongs to none; None means no such role.
        pipelines: for single pipelines, by their ids. The higher of the two counts.
    """

    everywhere: Role | None = None
    pipelines: Mapping[UUID, Role] = field(default_factory=dict)

    def on(self, pipeline_id: UUID | None) -> Role | None:
        """Find the role on a pipeline; None asks for what belongs to no pipeline."""
        here = None if pipeline_id is None else self.pipelines.get(pipeline_id)
        if here is None or self.everywhere is None:
            return here or self.everywhere
        return max(here, self.everywhere, key=lambda role: role.rank)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token leaves of the roles of its user.

    Attributes:
        role: the highest role that it carries.
        pipelines: the ids of the only pipelines that it is for; None means all that its user may see, and
            what belongs to no pipeline.
    """

    role: Role
    pipelines: frozenset[UUID] | None = None


NO_ROLES: Final = Roles()
"""The roles of someone who may sign in, and nothing else."""
