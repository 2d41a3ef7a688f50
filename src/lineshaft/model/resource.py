"""Resources: what moves along a pipeline and is no source revision, in versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.state import State

RESOURCE_TYPE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
"""What the name of a type looks like, as a regular expression."""

MOST_METADATA: Final = 100
"""How many texts the metadata of a pipeline or a resource holds."""


class ResourceEvent(StrEnum):
    """What happens to a resource."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESYNCED = "resynced"


@dataclass(frozen=True, slots=True)
class ResourceDefinition:
    """What the resources of a type look like.

    Attributes:
        name: the type's name.
        description: for people.
        version: counts its changes from 1.
        schema: the JSON Schema (draft 2020-12) of a `spec`.
        resync: how often every resource of the type goes to its drivers again; None means never.
        created_at: when it was made.
        updated_at: when it was last changed.
    """

    name: str
    description: str
    version: int
    schema: Mapping[str, Any]
    resync: timedelta | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Resource:
    """One version of a resource.

    Attributes:
        id: UUIDv7, the same for all versions; another one of the same name, later, has another.
        type: the name of its definition.
        name: unique within the type.
        version: counts its changes from 1.
        spec: what is wanted; it fitted the definition when it was written.
        metadata: texts by name, for people and drivers.
        pipeline: the name of the pipeline that it goes along; None where it goes to all drivers of its type.
        created_at: when the first version was made.
        updated_at: when this one was.
        deleted: whether this is the version in which it was deleted.
    """

    id: UUID
    type: str
    name: str
    version: int
    spec: Mapping[str, Any]
    metadata: Mapping[str, str]
    pipeline: str | None
    created_at: datetime
    updated_at: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """How far a resource has come, beside what is wanted.

    Attributes:
        version: the last version whose run succeeded; 0 where none has.
        run_id: the last run; None where there was none.
        run_version: the version that the last run carries.
        state: of the last run; None where there was none.
        results: what each driver answered last, by the driver's name.
        resync_at: when it goes to its drivers again; None where it does not.
    """

    version: int = 0
    run_id: UUID | None = None
    run_version: int = 0
    state: State | None = None
    results: Mapping[str, DriverResult] = field(default_factory=dict)
    resync_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a run carries: a version of a resource, and what has happened to it.

    Attributes:
        event: what has happened.
        resource: the version, as it was when the run began.
    """

    event: ResourceEvent
    resource: Resource


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What a run carries: a message to drivers.

    Attributes:
        event: its name, of the sender's choice.
        payload: any JSON.
    """

    event: str
    payload: Any


Subject = ResourceChange | Broadcast
"""What a run carries to drivers beside its source."""
