"""Grants: the role of a user on one pipeline."""

from dataclasses import dataclass
from uuid import UUID

from lineshaft.model.role import Role


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user is to a pipeline.

    Attributes:
        user: the user's name.
        pipeline_id: the pipeline.
        role: what they may do there; never `admin`, which is no pipeline's.
    """

    user: str
    pipeline_id: UUID
    role: Role
