"""Resources, their definitions and drivers, as requests say them and as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from lineshaft.model.known_driver import DRIVER_NAME_PATTERN
from lineshaft.model.resource import RESOURCE_TYPE_PATTERN, ResourceEvent
from lineshaft.model.state import State
from lineshaft.server.documents import Document
from lineshaft.server.requests import Request
from lineshaft.services.resources.definitions import NewDefinition
from lineshaft.services.resources.standing import Wanted
from lineshaft.wire.resource import INTERVAL_PATTERN, interval_of

RESOURCE_NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,252}$"
"""What the name of a resource looks like, as a regular expression."""

_MOST_DRIVERS: Final = 1_000
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["image"],
    "properties": {"image": {"type": "string"}, "replicas": {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}

_Type = Annotated[str, StringConstraints(pattern=RESOURCE_TYPE_PATTERN)]
_Name = Annotated[str, StringConstraints(pattern=RESOURCE_NAME_PATTERN)]
_Interval = Annotated[str, StringConstraints(min_length=1, pattern=INTERVAL_PATTERN)]
_PipelineName = Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"^[^\x00]*$")]


class ResourceDefinitionRequest(Request):
    """What the resources of a type are to look like."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"description": "An application.", "schema": _SCHEMA, "resync": "12h"}]
        }
    )

    name: _Type | None = Field(
        default=None, description="The type's name; with PUT it is in the path, and need not be here."
    )
    description: str = Field(default="", max_length=1_000, description="For people.")
    schema_: dict[str, Any] = Field(
        alias="schema", description="The JSON Schema (draft 2020-12) of a `spec`."
    )
    resync: _Interval | None = Field(
        default=None,
        description="How often every resource of the type goes to its drivers again; null means never.",
        examples=["12h", "1d", "90m"],
    )

    def to_definition(self) -> NewDefinition:
        """Say it as the services take it."""
        resync = None if self.resync is None else interval_of(self.resync)
        return NewDefinition(self.schema_, self.description, resync)


class NewResourceDefinitionRequest(ResourceDefinitionRequest):
    """A type of resources that is to be made."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "app", "schema": _SCHEMA, "resync": "12h"}]}
    )

    name: _Type = Field(description="The type's name.")


class ResourceRequest(Request):
    """What a resource is to be."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"spec": {"image": "shop", "replicas": 2}, "pipeline": "conveyor"}]}
    )

    name: _Name | None = Field(
        default=None, description="Its name; with PUT it is in the path, and need not be here."
    )
    spec: dict[str, Any] = Field(
        default_factory=dict, description="What is wanted; it must fit the schema of the type."
    )
    metadata: dict[str, str] = Field(default_factory=dict, description="Texts by name.")
    pipeline: _PipelineName | None = Field(
        default=None,
        description="The name of the pipeline that it goes along; null: to all drivers of its type.",
    )

    def to_wanted(self) -> Wanted:
        """Say it as the services take it."""
        return Wanted(self.spec, self.metadata, self.pipeline)


class NewResourceRequest(ResourceRequest):
    """A resource that is to be made."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "shop", "spec": {"image": "shop", "replicas": 2}}]}
    )

    name: _Name = Field(description="Its name, unique within the type.")


class ResourcePatch(Request):
    """A JSON Merge Patch (RFC 7396) of a resource: null removes, what is not there stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"spec": {"replicas": 3}, "metadata": {"channel": None}}]}
    )

    spec: dict[str, Any] | None = Field(default=None, description="What changes of what is wanted.")
    metadata: dict[str, str | None] | None = Field(default=None, description="What changes of the texts.")
    pipeline: _PipelineName | None = Field(default=None, description="Another pipeline; null for none.")

    def to_patch(self) -> dict[str, Any]:
        """Say it as the services take it."""
        return self.model_dump(exclude_unset=True)


class BroadcastRequest(Request):
    """A message to drivers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"event": "flush", "payload": {"older_than_days": 7}}]}
    )

    event: str = Field(max_length=1_000, description="Its name.")
    payload: Any = Field(default=None, description="Any JSON.")
    drivers: (
        Annotated[
            list[Annotated[str, StringConstraints(pattern=DRIVER_NAME_PATTERN)]],
            Field(min_length=1, max_length=_MOST_DRIVERS),
        ]
        | None
    ) = Field(
        default=None,
        description="The drivers that get it, whatever they hear; null means all that hear it.",
    )


class ResourceDefinitionDocument(Document):
    """What the resources of a type look like."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str
    description: str
    version: int = Field(description="Counts its changes from 1.")
    schema_: dict[str, Any] = Field(alias="schema", description="The JSON Schema of a `spec`.")
    resync: str | None = Field(
        description="How often every resource of the type goes to its drivers again; null means never."
    )
    created_at: datetime
    updated_at: datetime


class ResourceDefinitionPage(Document):
    """Some of the definitions, by name."""

    items: list[ResourceDefinitionDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class DriverResultDocument(Document):
    """What a driver has answered."""

    success: bool
    message: str = Field(description="A sentence for people; empty where it says nothing.")
    data: dict[str, Any]


class _Version(Document):
    id: UUID = Field(description="The same for all versions; another one of the same name has another.")
    type: str
    name: str
    version: int = Field(description="Counts its changes from 1.")
    spec: dict[str, Any]
    metadata: dict[str, str]
    pipeline: str | None = Field(description="Null where it goes to all drivers of its type.")
    deleted: bool = Field(description="Whether this is the version in which it was deleted.")
    created_at: datetime = Field(description="When its first version was made.")
    updated_at: datetime = Field(description="When this one was.")


class ResourceVersionDocument(_Version):
    """One version of a resource."""

    event: ResourceEvent = Field(description="What made it.")


class ResourceVersionPage(Document):
    """Some of a resource's versions, newest first."""

    items: list[ResourceVersionDocument]
    next: int | None = Field(description="What `before` must be for the next page; null behind the last one.")


class ResourceDocument(_Version):
    """A resource, and how far it has come."""

    observed_version: int = Field(description="The last version whose run succeeded; 0 where none has.")
    run_id: UUID | None = Field(description="The last run; null where there was none.")
    run_version: int = Field(description="The version that the last run carries.")
    state: State | None = Field(description="Of the last run.")
    results: dict[str, DriverResultDocument] = Field(
        description="What each driver answered last, by the driver's name."
    )
    resync_at: datetime | None = Field(description="When it goes to its drivers again; null for never.")


class ResourceChangeDocument(ResourceDocument):
    """A resource that somebody has changed."""

    event: ResourceEvent | None = Field(
        description="What has happened to it by this call; null where it was so already."
    )
    started_run_id: UUID | None = Field(
        description="The run that carries it to drivers; null where nothing happened, or nobody hears."
    )


class ResourcePage(Document):
    """Some of the resources, by type and name."""

    items: list[ResourceDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class ResyncDocument(Document):
    """How many resources go to their drivers again."""

    count: int = Field(description="Those whose run goes on are not among them.")


class DriverDocument(Document):
    """A driver that has registered."""

    name: str
    description: str
    resources: list[str] = Field(
        description="The types whose changes it gets where no pipeline carries them."
    )
    events: list[str] = Field(description="Which of them, and of broadcasts; `*` stands for all.")
    timeout_seconds: float = Field(description="How long it may take over what no pipeline carries to it.")
    retries: int = Field(description="How often that is tried again after a failure or a time-out.")
    idempotent: bool = Field(description="Whether that may begin again although it may have happened.")
    connected: int = Field(description="How many programs of it are connected.")
    in_flight: int = Field(description="How many tasks they work on.")
    registered_at: datetime = Field(description="When it first registered.")
    seen_at: datetime = Field(description="When a program of it was last heard of.")


class DriverPage(Document):
    """Some of the drivers, by name."""

    items: list[DriverDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class BroadcastDocument(Document):
    """What came of a broadcast."""

    run_id: UUID | None = Field(description="The run that carries it; null where nobody hears it.")
    drivers: list[str] = Field(description="Those that get it.")
