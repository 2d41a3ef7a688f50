"""A pipeline: a named, versioned definition."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lineshaft.model.definition import Definition


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A definition under an id of its own; replacing the definition keeps the id.

    Attributes:
        id: UUIDv7.
        definition: what it does now; runs keep the one they began with.
        created_at: when it was made.
        updated_at: when its definition was last replaced.
    """

    id: UUID
    definition: Definition
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        """Its name, which is its definition's."""
        return self.definition.name
