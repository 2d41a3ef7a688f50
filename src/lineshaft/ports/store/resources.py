"""The port of resources, their definitions and the known drivers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from lineshaft.model.known_driver import DriverDeclaration, KnownDriver
from lineshaft.model.resource import Observed, Resource, ResourceDefinition, ResourceEvent
from lineshaft.model.state import State


@dataclass(frozen=True, slots=True)
class ResourceFilter:
    """Which resources a list shows.

    Attributes:
        type: of this type; None means any.
        pipeline: which name this pipeline; None means any, or none.
        states: whose last run is in one of these states; None means any, or no run.
        metadata: whose metadata has all of these; None means any. The names hold no `"`.
    """

    type: str | None = None
    pipeline: str | None = None
    states: Collection[State] | None = None
    metadata: Mapping[str, str] | None = None


class Resources(Protocol):
    """The resources, as part of a transaction.

    Call order: `hold_definition` before a definition is looked at that is to be changed, `hold` before a
    resource is looked at that is to be changed, made or sent to drivers. Concurrency: other transactions that
    hold the same wait until this one has ended; those that hold a resource whose definition is held wait,
    too. Idempotency: each write of the same leaves the same behind.
    """

    def hold_definition(self, name: str) -> None:
        """Let no other transaction change the definition, or hold a resource of it, before this has ended."""
        ...

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

    def of_id(self, resource_id: UUID, *, hold: bool = False) -> tuple[Resource, Observed] | None:
        """Find the newest version of a resource by its id, a deleted one included.

        Args:
            resource_id: the resource's id.
            hold: whether nobody else is to write how far it has come before this transaction has ended.
        """
        ...

    def version(self, resource_id: UUID, version: int) -> tuple[Resource, ResourceEvent] | None:
        """Find one version of a resource and the event that made it; None where it is not kept any more."""
        ...

    def page(
        self, wanted: ResourceFilter, after: tuple[str, str] | None, limit: int
    ) -> Sequence[tuple[Resource, Observed]]:
        """List resources that are not deleted by type and name, from behind that pair on."""
        ...

    def write(self, resource: Resource, event: ResourceEvent) -> None:
        """Add a version, which is one more than the newest, or the first.

        How far the resource has come stays as it is. Of old versions `VERSIONS_KEPT` are kept.
        """
        ...

    def observe(self, resource_id: UUID, observed: Observed) -> None:
        """Keep how far a resource has come."""
        ...

    def resync(self, type_name: str, at: datetime | None) -> int:
        """Have all resources of a type go to their drivers again at a time, or not by themselves any more.

        Those that are deleted and those whose run goes on are passed over.

        Returns:
            How many they are.
        """
        ...

    def left_behind(self, before: datetime, types: Collection[str], limit: int) -> Sequence[UUID]:
        """List resources whose newest version, written before a time, did not get to where it is to go.

        That is: `run_version` is less than `version`, and the resource names a pipeline or is of one of some
        types; or its last run had not ended, and is not there any more. Those that were deleted in such a
        version are among them. The ones that were written first come first.

        Args:
            before: when.
            types: those that some driver serves.
            limit: how many to list, at most.
        """
        ...

    def due_for_resync(self, now: datetime, limit: int) -> Sequence[UUID]:
        """List resources that are not deleted whose `resync_at` has come, the longest due first."""
        ...

    def remove_deleted(self, before: datetime, limit: int) -> int:
        """Remove some that were deleted before a time and whose last run has ended; tell how many."""
        ...


VERSIONS_KEPT: Final = 100
"""How many versions of a resource are kept: the newest."""


class Drivers(Protocol):
    """The drivers that have registered, as part of a transaction."""

    def declare(self, declarations: Collection[DriverDeclaration], at: datetime) -> None:
        """Keep what drivers say of themselves, and that they were seen."""
        ...

    def seen(self, names: Collection[str], at: datetime) -> None:
        """Note that programs of some drivers were heard of then, unless they were later.

        Unknown names are passed over.
        """
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
