"""Definitions of resources: what those of a type look like."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import (
    ConflictError,
    InvalidInputError,
    Problem,
    ResourceNotFoundError,
)
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.resource import ResourceDefinition
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.resources.documents import check_json, check_type, is_same
from lineshaft.services.resources.observing import soonest
from lineshaft.services.resources.schemas import check_schema
from lineshaft.services.resources.standing import expect

SHORTEST_RESYNC: Final = timedelta(minutes=1)
"""How often resources go to their drivers again at most."""

LONGEST_RESYNC: Final = timedelta(days=365)
"""How seldom they do so, where they do."""

_LONGEST_DESCRIPTION: Final = 1_000


@dataclass(frozen=True, slots=True)
class NewDefinition:
    """What the resources of a type are to look like.

    Attributes:
        schema: the JSON Schema of a spec.
        description: for people.
        resync: how often every resource of the type goes to its drivers again; None means never.
    """

    schema: Mapping[str, Any]
    description: str = ""
    resync: timedelta | None = None


class ResourceDefinitionService:
    """The use cases of definitions of resources."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def define(
        self, name: str, wanted: NewDefinition, *, expected: int | None = None, by: Actor = INSIDE_ACTOR
    ) -> ResourceDefinition:
        """Make a definition, or replace the one of its name; one that says the same is left as it is.

        Resources that do not fit it stay as they are until they are changed.

        Args:
            name: the type's.
            wanted: what it is to say.
            expected: the version on top of which it is set, 0 for none; None for any.
            by: who wants it.

        Raises:
            InputTooLargeError: the schema is too long, or too deep.
            InvalidInputError: the name is none of a type, or the resync is too short or too long.
            SchemaRefusedError: the schema cannot be used.
            VersionMismatchError: it is at another version.
        """
        check_type(name)
        _check(wanted)
        await asyncio.to_thread(check_schema, wanted.schema)

        def work(transaction: Transaction) -> ResourceDefinition:
            transaction.resources.hold_definition(name)
            former = transaction.resources.definition(name)
            version = 0 if former is None else former.version
            expect(f"The type '{name}'", expected, version)
            if former is not None and _says(former, wanted):
                return former
            now = self._clock.now()
            new = ResourceDefinition(
                name=name,
                description=wanted.description,
                version=version + 1,
                schema=wanted.schema,
                resync=wanted.resync,
                created_at=now if former is None else former.created_at,
                updated_at=now,
            )
            transaction.resources.define(new)
            if former is not None and former.resync != new.resync:
                transaction.resources.resync(name, soonest(new, now))
            self._record(transaction, by, Action.DEFINITION_SET, new)
            return new

        return await self._store.write(work)

    async def get(self, name: str) -> ResourceDefinition:
        """Find a definition.

        Raises:
            ResourceNotFoundError: there is none of that name.
        """
        return await self._store.read(lambda transaction: find_definition(transaction, name))

    async def all(self) -> Sequence[ResourceDefinition]:
        """List all definitions, by name."""
        return await self._store.read(lambda transaction: transaction.resources.definitions())

    async def undefine(
        self, name: str, *, expected: int | None = None, by: Actor = INSIDE_ACTOR
    ) -> ResourceDefinition:
        """Delete a definition that has no resources.

        Raises:
            ConflictError: it has resources.
            ResourceNotFoundError: there is none of that name.
            VersionMismatchError: it is at another version than is expected.
        """

        def work(transaction: Transaction) -> ResourceDefinition:
            transaction.resources.hold_definition(name)
            definition = find_definition(transaction, name)
            expect(f"The type '{name}'", expected, definition.version)
            if not transaction.resources.undefine(name):
                raise ConflictError(
                    f"There are resources of the type '{name}'.", advice="Delete them first, each of them."
                )
            self._record(transaction, by, Action.DEFINITION_DELETED, definition)
            return definition

        return await self._store.write(work)

    def _record(
        self, transaction: Transaction, by: Actor, action: Action, definition: ResourceDefinition
    ) -> None:
        record(
            transaction,
            ids=self._ids,
            now=self._clock.now(),
            by=by,
            action=action,
            target=definition.name,
            version=definition.version,
        )


def find_definition(transaction: Transaction, name: str) -> ResourceDefinition:
    """Load a definition.

    Raises:
        ResourceNotFoundError: there is none of that name.
    """
    definition = transaction.resources.definition(name)
    if definition is None:
        raise ResourceNotFoundError(
            f"No type of resources has the name '{name}'.",
            advice="Define it first, with `lineshaft resource define`.",
        )
    return definition


def _check(wanted: NewDefinition) -> None:
    check_json(wanted.description, "/description")
    if len(wanted.description) > _LONGEST_DESCRIPTION:
        raise _invalid("/description", f"has more than {_LONGEST_DESCRIPTION} characters")
    if wanted.resync is not None and not SHORTEST_RESYNC <= wanted.resync <= LONGEST_RESYNC:
        raise _invalid("/resync", "must be a minute at least, and 365 days at most")


def _says(former: ResourceDefinition, wanted: NewDefinition) -> bool:
    rest = (former.description, former.resync) == (wanted.description, wanted.resync)
    return rest and is_same(former.schema, wanted.schema)


def _invalid(where: str, message: str) -> InvalidInputError:
    return InvalidInputError("The definition is not as it must be.", problems=[Problem(where, message)])
