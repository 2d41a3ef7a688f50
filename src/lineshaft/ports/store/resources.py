"""The port of resources, their definitions and the known drivers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lineshaft.model.known_driver import DriverDeclaration, KnownDriver
from lineshaft.model.resource import Observed, Resource, ResourceDefinition, ResourceEvent


@dataclass(frozen=True, slots=True)
class ResourceFilter:
    """Which resources a list shows.

    Attributes:
        type: of this type; None means any.
        pipeline: which name this pipeline; None means any, or none.
        states: whose last run is in one of these states; None means any.
        metadata: whose metadata has all of these.
    """

    type: str | None = None
    pipeline: str | None = None
    states: Collection[str] | None = None
    metadata: Mapping[str, str] | None = None


class Resources(Protocol):
    """The resources, as part of a transaction.

    Concurrency: `hold` before a resource of a type and name is looked at that is to be changed, or made;
    other transactions that hold the same wait until this one has ended. Idempotency: what a method says.
    """

    def define(self, definition: ResourceDefinition) -> None:
        """Add a definition, or replace the one of its name."""
        ...

    def definition(self, name: str) -> ResourceDefinition | None:
        """Find a definition."""
        ...

    def definitions(self) -> Sequence[ResourceDefinition]:
        """List all definitions, by name."""
        ...

    def undefine(self, name: str) -> bool:
        """Remove a definition; False, and nothing changes, where it has resources that are not deleted."""
        ...

    def hold(self, type_name: str, name: str) -> None:
        """Let no other transaction change, make or delete the resource before this one has ended."""
        ...

    def get(self, type_name: str, name: str) -> tuple[Resource, Observed] | None:
        """Find the newest version of a resource that is not deleted, and how far it has come."""
        ...

    def of_id(self, resource_id: UUID) -> tuple[Resource, Observed] | None:
        """Find the newest version of a resource by its id, a deleted one included."""
        ...

    def version(self, type_name: str, name: str, version: int) -> tuple[Resource, ResourceEvent] | None:
        """Find one version of a resource that is not deleted, and the event that made it."""
        ...

    def page(
        self, wanted: ResourceFilter, after: tuple[str, str] | None, limit: int
    ) -> Sequence[tuple[Resource, Observed]]:
        """List resources by type and name, from behind that pair on."""
        ...

    def write(self, resource: Resource, event: ResourceEvent) -> None:
        """Add a version, which is one more than the newest, or the first."""
        ...

    def observe(self, resource_id: UUID, observed: Observed) -> None:
        """Keep how far a resource has come."""
        ...

    def left_behind(self, before: datetime, limit: int) -> Sequence[UUID]:
        """List resources whose newest version, written before a time, no run carries or has carried.

        That is: `run_version` is less than `version`, or the run that `run_id` names is not there any more
        and `observed_version` is less than `version`. Those that were deleted in such a version are among
        them.
        """
        ...

    def due_for_resync(self, now: datetime, limit: int) -> Sequence[UUID]:
        """List resources that are not deleted whose `resync_at` has come."""
        ...


class Drivers(Protocol):
    """The drivers that have registered, as part of a transaction."""

    def declare(self, declarations: Collection[DriverDeclaration], at: datetime) -> None:
        """Keep what drivers say of themselves, and that they were seen."""
        ...

    def seen(self, names: Collection[str], at: datetime) -> None:
        """Note that programs of some drivers were heard of; unknown names are passed over."""
        ...

    def all(self) -> Sequence[KnownDriver]:
        """List all, by name."""
        ...

    def get(self, name: str) -> KnownDriver | None:
        """Find one."""
        ...

    def forget(self, name: str) -> bool:
        """Remove one; False where there is none."""
        ...
