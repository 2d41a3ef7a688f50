"""Resources and their definitions as the API shows them; `wire.resource` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from lineshaft.model.driver_result import DriverResult
from lineshaft.sdk.run import instant


@dataclass(frozen=True, slots=True)
class ResourceDefinitionView:
    """What the resources of a type look like.

    Attributes:
        name: the type's name.
        description: for people.
        version: counts its changes from 1.
        schema: the JSON Schema of a spec.
        resync: how often every resource goes to its drivers again, such as `12h`; None means never.
        created_at: when it was made.
        updated_at: when it was last changed.
        document: the JSON that this was read from.
    """

    name: str
    description: str
    version: int
    schema: Mapping[str, Any]
    resync: str | None
    created_at: datetime
    updated_at: datetime
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            name=document["name"],
            description=document["description"],
            version=document["version"],
            schema=document["schema"],
            resync=document["resync"],
            created_at=datetime.fromisoformat(document["created_at"]),
            updated_at=datetime.fromisoformat(document["updated_at"]),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class ResourceVersionView:
    """One version of a resource.

    Attributes:
        id: the same for all versions.
        type: the name of its definition.
        name: unique within the type.
        version: counts its changes from 1.
        spec: what is wanted.
        metadata: texts by name.
        pipeline: the pipeline that it goes along; None where it goes to all drivers of its type.
        deleted: whether this is the version in which it was deleted.
        updated_at: when it was made.
        event: what made it, or what the call that this answers has done; None where that did nothing, or
            where it was only read.
        document: the JSON that this was read from.
    """

    id: UUID
    type: str
    name: str
    version: int
    spec: Mapping[str, Any]
    metadata: Mapping[str, str]
    pipeline: str | None
    deleted: bool
    updated_at: datetime
    event: str | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def title(self) -> str:
        """Type and name, as people say them."""
        return f"{self.type}/{self.name}"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(**_members(document))


@dataclass(frozen=True, slots=True)
class ResourceView(ResourceVersionView):
    """A resource, and how far it has come.

    Attributes:
        observed_version: the last version whose run succeeded; 0 where none has.
        run_id: the last run; None where there was none.
        run_version: the version that the last run carries.
        state: of the last run; None where there was none.
        results: what each driver answered last, by the driver's name.
        resync_at: when it goes to its drivers again; None where it does not.
        started_run_id: the run that the call has started which this answers; None where it started none.
    """

    observed_version: int = 0
    run_id: UUID | None = None
    run_version: int = 0
    state: str | None = None
    results: Mapping[str, DriverResult] = field(default_factory=dict)
    resync_at: datetime | None = None
    started_run_id: UUID | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            **_members(document),
            observed_version=document["observed_version"],
            run_id=_id(document["run_id"]),
            run_version=document["run_version"],
            state=document["state"],
            results={
                name: DriverResult(each["success"], each["message"], each["data"])
                for name, each in document["results"].items()
            },
            resync_at=instant(document["resync_at"]),
            started_run_id=_id(document.get("started_run_id")),
        )


def _members(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": UUID(document["id"]),
        "type": document["type"],
        "name": document["name"],
        "version": document["version"],
        "spec": document["spec"],
        "metadata": document["metadata"],
        "pipeline": document["pipeline"],
        "deleted": document["deleted"],
        "updated_at": datetime.fromisoformat(document["updated_at"]),
        "event": document.get("event"),
        "document": document,
    }


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
