"""Secrets: values that tasks are given and nobody can read back."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self
from uuid import UUID

LONGEST_SECRET_NAME: Final = 255
"""How many characters the name of a secret may have; it is a variable's name."""

LONGEST_VALUE_BYTES: Final = 65_536
"""How long a value may be, in UTF-8."""

LONGEST_ENVIRONMENT: Final = 200
"""How many characters the name of an environment may have."""

NO_PIPELINE: Final = UUID(int=0)
"""Stands for a pipeline where the server itself wants a secret: its own, or else one for all pipelines."""

ENVIRONMENT_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_-]*$"
"""What an environment may be called, as a regular expression."""


def is_environment(name: str) -> bool:
    """Tell whether an environment may be called so."""
    return len(name) <= LONGEST_ENVIRONMENT and re.fullmatch(ENVIRONMENT_PATTERN, name) is not None


@dataclass(frozen=True, slots=True, order=True)
class SecretAddress:
    """Which secret: its name, and whom it is for.

    Attributes:
        name: as tasks name it.
        pipeline_id: the only pipeline that it is for; None means all.
        environment: the only environment that it is for, as tasks name it; None means any task.
        for_server: whether it is for the server alone, and no task is given it. It has neither pipeline nor
            environment then.
    """

    name: str
    pipeline_id: UUID | None = None
    environment: str | None = None
    for_server: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ValueError: what is for the server alone is to be for a pipeline or an environment.
        """
        if self.for_server and (self.pipeline_id, self.environment) != (None, None):
            raise ValueError("a secret for the server alone is for no pipeline and no environment")

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """How closely it fits, to compare: the server's or pipeline's own first, then the environment's."""
        return (self.for_server, self.pipeline_id is not None, self.environment is not None)

    def fits(self, wanted: "Wanted") -> bool:
        """Tell whether it may be given to who wants it."""
        if wanted.name != self.name:
            return False
        if self.for_server:
            return wanted.is_servers
        is_theirs = self.pipeline_id in (None, wanted.pipeline_id)
        return is_theirs and self.environment in (None, wanted.environment)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A secret as a task names it, or the server for itself.

    Attributes:
        name: the secret's.
        pipeline_id: whose task it is; `NO_PIPELINE` where it is no task's.
        pipeline: that pipeline's name; empty where it is no task's.
        environment: that the task runs in; empty where it says none.
    """

    name: str
    pipeline_id: UUID
    pipeline: str
    environment: str = ""

    @classmethod
    def by_server(cls, name: str) -> Self:
        """Want a secret for the server itself."""
        return cls(name, NO_PIPELINE, "")

    @property
    def is_servers(self) -> bool:
        """Whether the server wants it for itself."""
        return self.pipeline_id == NO_PIPELINE


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A secret that a task, or the server, is given.

    Attributes:
        value: in plain; it is no part of what the object shows of itself.
        found_at: where it was found, as people call it, such as `pipeline, environment prod`.
        for_server: whether it is kept there for the server alone, so that no task is given it.
    """

    value: str = field(repr=False)
    found_at: str
    for_server: bool = False


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


def closest(wanted: Wanted, there: Iterable[SecretAddress]) -> SecretAddress | None:
    """Choose the address that fits a task most closely; None where none fits."""
    fitting = (address for address in there if address.fits(wanted))
    return max(fitting, key=lambda address: address.rank, default=None)
