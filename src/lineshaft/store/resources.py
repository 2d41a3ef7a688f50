"""Resources in the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.resource import Observed, Resource, ResourceDefinition, ResourceEvent
from lineshaft.model.state import State
from lineshaft.ports.store.resources import VERSIONS_KEPT, ResourceFilter
from lineshaft.store.schema import resource_definitions, resource_versions, resources, runs
from lineshaft.store.schema.resource_tables import NOT_CARRIED, RUN_GOES_ON
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_replace

_DEFINITIONS: Final = resource_definitions.c
_RESOURCES: Final = resources.c
_VERSIONS: Final = resource_versions.c

_DEFINE: Final = insert_or_replace(resource_definitions, keep=("created_at",))
_OF_NAME: Final = _DEFINITIONS.name == bindparam("of_name")
_SELECT_DEFINITION: Final = select(resource_definitions).where(_OF_NAME)
_SELECT_DEFINITIONS: Final = select(resource_definitions).order_by(_DEFINITIONS.name)
_SHARE_DEFINITION: Final = select(_DEFINITIONS.name).where(_OF_NAME).with_for_update(read=True)
_HOLD_DEFINITION: Final = select(_DEFINITIONS.name).where(_OF_NAME).with_for_update()
_UNDEFINE: Final = delete(resource_definitions).where(_OF_NAME)

_THERE: Final = _RESOURCES.deleted_at.is_(None)
_IS: Final = _RESOURCES.id == bindparam("of_id")
_OF_TYPE: Final = _RESOURCES.type == bindparam("of_type")
_ANY_OF_TYPE: Final = select(_RESOURCES.id).where(_OF_TYPE, _THERE).limit(1)
_NEWEST: Final = and_(_VERSIONS.resource_id == _RESOURCES.id, _VERSIONS.version == _RESOURCES.version)
_SELECT: Final = select(*_RESOURCES, _VERSIONS.spec, _VERSIONS.metadata.label("texts")).join(
    resource_versions, _NEWEST
)
_SELECT_OF_NAME: Final = _SELECT.where(_OF_TYPE, _RESOURCES.name == bindparam("of_name"), _THERE)
_SELECT_OF_ID: Final = _SELECT.where(_IS)
_HOLD: Final = select(_RESOURCES.id).where(_IS).with_for_update()
_SELECT_VERSION: Final = (
    select(
        resource_versions,
        _RESOURCES.type,
        _RESOURCES.name,
        _RESOURCES.created_at,
    )
    .join(resources, _RESOURCES.id == _VERSIONS.resource_id)
    .where(_VERSIONS.resource_id == bindparam("of_id"), _VERSIONS.version == bindparam("of_version"))
)

_INSERT: Final = insert(resources)
_UPDATE: Final = update(resources).where(_IS)
_INSERT_VERSION: Final = insert(resource_versions)
_DELETE_OLD: Final = delete(resource_versions).where(
    _VERSIONS.resource_id == bindparam("of_id"), _VERSIONS.version <= bindparam("last")
)

SELECT_NOT_CARRIED: Final = (
    select(_RESOURCES.id)
    .where(
        NOT_CARRIED,
        _RESOURCES.updated_at < bindparam("before"),
        or_(_RESOURCES.pipeline.is_not(None), _RESOURCES.type.in_(bindparam("types", expanding=True))),
    )
    .order_by(_RESOURCES.updated_at, _RESOURCES.id)
    .limit(bindparam("at_most"))
)
SELECT_RUN_GONE: Final = (
    select(_RESOURCES.id)
    .where(RUN_GOES_ON, ~exists().where(runs.c.id == _RESOURCES.run_id, runs.c.ended_at.is_(None)))
    .order_by(_RESOURCES.run_id)
    .limit(bindparam("at_most"))
)
SELECT_DUE: Final = (
    select(_RESOURCES.id)
    .where(_RESOURCES.resync_at <= bindparam("now"), _RESOURCES.resync_at.is_not(None), _THERE)
    .order_by(_RESOURCES.resync_at, _RESOURCES.id)
    .limit(bindparam("at_most"))
)
_RESYNC: Final = update(resources).where(_OF_TYPE, _THERE, or_(_RESOURCES.state.is_(None), ~RUN_GOES_ON))
SELECT_DELETED: Final = (
    select(_RESOURCES.id)
    .where(
        _RESOURCES.deleted_at.is_not(None),
        _RESOURCES.deleted_at < bindparam("before"),
        or_(_RESOURCES.state.is_(None), ~RUN_GOES_ON),
    )
    .order_by(_RESOURCES.deleted_at, _RESOURCES.id)
    .limit(bindparam("at_most"))
)
_OF_IDS: Final[BindParameter[UUID]] = bindparam("of_ids", expanding=True)
_DELETE_VERSIONS: Final = delete(resource_versions).where(_VERSIONS.resource_id.in_(_OF_IDS))
_DELETE: Final = delete(resources).where(_RESOURCES.id.in_(_OF_IDS))


class SqlResources:
    """Resources in versions, and their definitions; see `ports.store.Resources`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def hold_definition(self, name: str) -> None:
        """Let no other transaction change the definition, or hold a resource of it, before this has ended."""
        self._session.locks.take(_lock("definition", name))
        self._lock_row(_HOLD_DEFINITION, {"of_name": name})

    def define(self, definition: ResourceDefinition) -> None:
        """Add a definition, or replace the one of its name."""
        self._session.change()
        resync = definition.resync
        values = {
            "name": definition.name,
            "description": definition.description,
            "version": definition.version,
            "schema": dict(definition.schema),
            "resync_seconds": None if resync is None else resync.total_seconds(),
            "created_at": definition.created_at,
            "updated_at": definition.updated_at,
        }
        self._execute(_DEFINE, values)

    def definition(self, name: str) -> ResourceDefinition | None:
        """Find a definition."""
        row = self._execute(_SELECT_DEFINITION, {"of_name": name}).one_or_none()
        return None if row is None else _definition(row)

    def definitions(self) -> Sequence[ResourceDefinition]:
        """List all definitions, by name."""
        return [_definition(row) for row in self._execute(_SELECT_DEFINITIONS, {})]

    def undefine(self, name: str) -> bool:
        """Remove a definition; False, and nothing changes, where it has resources that are not deleted."""
        self._session.change()
        # Whoever makes a resource of it has it locked, and is waited for here.
        self._lock_row(_HOLD_DEFINITION, {"of_name": name})
        if self._execute(_ANY_OF_TYPE, {"of_type": name}).first() is not None:
            return False
        self._execute(_UNDEFINE, {"of_name": name})
        return True

    def hold(self, type_name: str, name: str) -> None:
        """Let no other transaction change, make or delete the resource before this one has ended."""
        self._session.locks.take(_lock("resource", type_name, name))
        self._lock_row(_SHARE_DEFINITION, {"of_name": type_name})

    def get(self, type_name: str, name: str) -> tuple[Resource, Observed] | None:
        """Find the newest version of a resource that is not deleted, and how far it has come."""
        row = self._execute(_SELECT_OF_NAME, {"of_type": type_name, "of_name": name}).one_or_none()
        return None if row is None else (_resource(row), _observed(row))

    def of_id(self, resource_id: UUID, *, hold: bool = False) -> tuple[Resource, Observed] | None:
        """Find the newest version of a resource by its id, a deleted one included."""
        values = {"of_id": resource_id}
        if hold:
            self._lock_row(_HOLD, values)
        row = self._execute(_SELECT_OF_ID, values).one_or_none()
        return None if row is None else (_resource(row), _observed(row))

    def version(self, resource_id: UUID, version: int) -> tuple[Resource, ResourceEvent] | None:
        """Find one version of a resource and the event that made it; None where it is not kept any more."""
        row = self._execute(_SELECT_VERSION, {"of_id": resource_id, "of_version": version}).one_or_none()
        if row is None:
            return None
        event = ResourceEvent(row.event)
        resource = Resource(
            id=row.resource_id,
            type=row.type,
            name=row.name,
            version=row.version,
            spec=row.spec,
            metadata=row.metadata,
            pipeline=row.pipeline,
            created_at=row.created_at,
            updated_at=row.at,
            deleted=event is ResourceEvent.DELETED,
        )
        return resource, event

    def page(
        self, wanted: ResourceFilter, after: tuple[str, str] | None, limit: int
    ) -> Sequence[tuple[Resource, Observed]]:
        """List resources that are not deleted by type and name, from behind that pair on."""
        page = _SELECT.where(_THERE, *_conditions(wanted))
        if after is not None:
            page = page.where(tuple_(_RESOURCES.type, _RESOURCES.name) > tuple_(*after))
        page = page.order_by(_RESOURCES.type, _RESOURCES.name).limit(limit)
        return [(_resource(row), _observed(row)) for row in self._execute(page, {})]

    def write(self, resource: Resource, event: ResourceEvent) -> None:
        """Add a version, which is one more than the newest, or the first; old ones are removed."""
        self._session.change()
        deleted_at = resource.updated_at if resource.deleted else None
        current = {
            "version": resource.version,
            "pipeline": resource.pipeline,
            "updated_at": resource.updated_at,
            "deleted_at": deleted_at,
        }
        if resource.version == 1:
            first = {"id": resource.id, "type": resource.type, "name": resource.name}
            self._execute(_INSERT, first | current | {"created_at": resource.created_at} | _NOTHING_YET)
        else:
            changed = current | ({} if deleted_at is None else {"resync_at": None})
            self._execute(_UPDATE, changed | {"of_id": resource.id})
        version = {
            "resource_id": resource.id,
            "version": resource.version,
            "event": event.value,
            "spec": dict(resource.spec),
            "metadata": dict(resource.metadata),
            "pipeline": resource.pipeline,
            "at": resource.updated_at,
        }
        self._execute(_INSERT_VERSION, version)
        if resource.version > VERSIONS_KEPT:
            self._execute(_DELETE_OLD, {"of_id": resource.id, "last": resource.version - VERSIONS_KEPT})

    def observe(self, resource_id: UUID, observed: Observed) -> None:
        """Keep how far a resource has come."""
        self._session.change()
        self._execute(_UPDATE, {"of_id": resource_id, **_observed_values(observed)})

    def resync(self, type_name: str, at: datetime | None) -> int:
        """Have all resources of a type go to their drivers again at a time, or not by themselves any more."""
        self._session.change()
        return int(self._execute(_RESYNC, {"of_type": type_name, "resync_at": at}).rowcount)

    def left_behind(self, before: datetime, types: Collection[str], limit: int) -> Sequence[UUID]:
        """List resources whose newest version did not get to where it is to go."""
        values = {"before": before, "types": sorted(types), "at_most": limit}
        found = list(self._execute(SELECT_NOT_CARRIED, values).scalars())
        left = limit - len(found)
        if left > 0:
            gone = self._execute(SELECT_RUN_GONE, {"at_most": left}).scalars()
            found += [each for each in gone if each not in found]
        return found

    def due_for_resync(self, now: datetime, limit: int) -> Sequence[UUID]:
        """List resources that are not deleted whose `resync_at` has come, the longest due first."""
        return list(self._execute(SELECT_DUE, {"now": now, "at_most": limit}).scalars())

    def remove_deleted(self, before: datetime, limit: int) -> int:
        """Remove some that were deleted before a time and whose last run has ended; tell how many."""
        self._session.change()
        found = list(self._execute(SELECT_DELETED, {"before": before, "at_most": limit}).scalars())
        if found:
            self._execute(_DELETE_VERSIONS, {"of_ids": found})
            self._execute(_DELETE, {"of_ids": found})
        return len(found)

    def _lock_row(self, statement: Any, values: Mapping[str, Any]) -> None:
        if not self._session.memory.sole_writer:
            self._execute(statement, values)

    def _execute(self, statement: Any, values: Mapping[str, Any]) -> Any:
        # What this transaction has decided about runs before counts as well.
        self._session.pending.flush()
        return self._session.connection.execute(statement, values)


def _lock(*parts: str) -> int:
    """Number the lock of something that may not be there yet."""
    digest = blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _conditions(wanted: ResourceFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.type is not None:
        conditions.append(_RESOURCES.type == wanted.type)
    if wanted.pipeline is not None:
        conditions.append(_RESOURCES.pipeline == wanted.pipeline)
    if wanted.states is not None:
        conditions.append(_RESOURCES.state.in_(sorted(state.value for state in wanted.states)))
    for name, value in (wanted.metadata or {}).items():
        conditions.append(_VERSIONS.metadata[name].as_string() == value)
    return conditions


def _definition(row: Row[Any]) -> ResourceDefinition:
    resync = row.resync_seconds
    return ResourceDefinition(
        name=row.name,
        description=row.description,
        version=row.version,
        schema=row.schema,
        resync=None if resync is None else timedelta(seconds=resync),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _resource(row: Row[Any]) -> Resource:
    return Resource(
        id=row.id,
        type=row.type,
        name=row.name,
        version=row.version,
        spec=row.spec,
        metadata=row.texts,
        pipeline=row.pipeline,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted=row.deleted_at is not None,
    )


def _observed(row: Row[Any]) -> Observed:
    return Observed(
        version=row.observed_version,
        run_id=row.run_id,
        run_version=row.run_version,
        state=None if row.state is None else State(row.state),
        results={name: DriverResult(**said) for name, said in (row.results or {}).items()},
        resync_at=row.resync_at,
    )


def _observed_values(observed: Observed) -> dict[str, Any]:
    results = {name: asdict(result) for name, result in observed.results.items()}
    return {
        "observed_version": observed.version,
        "run_id": observed.run_id,
        "run_version": observed.run_version,
        "state": None if observed.state is None else observed.state.value,
        "results": results or None,
        "resync_at": observed.resync_at,
    }


_NOTHING_YET: Final = _observed_values(Observed())
