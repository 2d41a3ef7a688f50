"""Secrets: values that tasks are given and nobody can read back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

LONGEST_SECRET_NAME: Final = 255
"""How many characters the name of a secret may have; it is a variable's name."""


@dataclass(frozen=True, slots=True, order=True)
class SecretAddress:
    """Which secret: its name, and whom it is for.

    Attributes:
        name: as tasks name it.
        pipeline_id: the only pipeline that it is for; None means all.
        environment: the only environment that it is for, as tasks name it; None means any task.
    """

    name: str
    pipeline_id: UUID | None = None
    environment: str | None = None

    @property
    def rank(self) -> tuple[bool, bool]:
        """How closely it fits, to compare: what is the pipeline's own goes first, then the environment's."""
        return (self.pipeline_id is not None, self.environment is not None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A secret as a task names it.

    Attributes:
        name: the secret's.
        pipeline_id: whose task it is.
        pipeline: that pipeline's name.
        environment: that the task runs in; empty where it says none.
    """

    name: str
    pipeline_id: UUID
    pipeline: str
    environment: str = ""


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A value that only who has the key can read.

    Attributes:
        key_id: which key.
        data: what that key has made of it, whatever that needs to be opened again besides the key included.
    """

    key_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it is kept.

    Attributes:
        id: UUIDv7; the same over all of its values.
        address: which.
        value: sealed.
        version: of the value, from 1.
        created_at: when it was first set.
        updated_at: when its value was last set.
        updated_by: who set it.
    """

    id: UUID
    address: SecretAddress
    value: SealedValue
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
