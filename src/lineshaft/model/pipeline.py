"""A pipeline: a named, versioned definition."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lineshaft.model.config_file import ConfigFile
from lineshaft.model.definition import Definition
from lineshaft.model.upkeep import NO_UPKEEP, Upkeep


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A definition under an id of its own; replacing the definition keeps the id.

    Attributes:
        id: UUIDv7.
        definition: what it does now; runs keep the one they began with.
        created_at: when it was made.
        updated_at: when its definition was last replaced.
        config_file: the file of a repository that says what it does; None where its definition is only here.
        managed: whether the server's file of pipelines keeps it, and the API does not change it.
        upkeep: what that file says of it beside its definition.
        relays: the type of resources whose changes it takes to drivers, as a pipeline of the server's own;
            empty for the one that takes broadcasts. None for what people have made.
    """

    id: UUID
    definition: Definition
    created_at: datetime
    updated_at: datetime
    config_file: ConfigFile | None = None
    managed: bool = False
    upkeep: Upkeep = NO_UPKEEP
    relays: str | None = None

    @property
    def name(self) -> str:
        """Its name, which is its definition's."""
        return self.definition.name
