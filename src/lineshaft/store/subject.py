"""What runs carry to drivers, as JSON."""

from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

from lineshaft.model.resource import Broadcast, Resource, ResourceChange, ResourceEvent, Subject

_CHANGE: Final = "change"
_BROADCAST: Final = "broadcast"


def subject_values(subject: Subject | None) -> dict[str, Any] | None:
    """Write what a run carries; None where it carries nothing."""
    match subject:
        case None:
            return None
        case ResourceChange(event=event, resource=resource):
            return {"kind": _CHANGE, "event": event.value, "resource": _resource_values(resource)}
        case Broadcast(event=name, payload=payload):
            return {"kind": _BROADCAST, "event": name, "payload": payload}
        case _:
            assert_never(subject)


def read_subject(values: dict[str, Any] | None) -> Subject | None:
    """Read what `subject_values` wrote.

    Raises:
        ValueError: it is of another kind.
        LookupError: something of it is missing.
    """
    if values is None:
        return None
    match values["kind"]:
        case "change":
            return ResourceChange(ResourceEvent(values["event"]), _resource(values["resource"]))
        case "broadcast":
            return Broadcast(values["event"], values["payload"])
        case other:
            raise ValueError(f"a run carries no {other!r}")


def resource_id(subject: Subject | None) -> UUID | None:
    """Tell which resource a run is for; None where it is for none."""
    return subject.resource.id if isinstance(subject, ResourceChange) else None


def _resource_values(resource: Resource) -> dict[str, Any]:
    return {
        "id": str(resource.id),
        "type": resource.type,
        "name": resource.name,
        "version": resource.version,
        "spec": dict(resource.spec),
        "metadata": dict(resource.metadata),
        "pipeline": resource.pipeline,
        "created_at": resource.created_at.isoformat(),
        "updated_at": resource.updated_at.isoformat(),
        "deleted": resource.deleted,
    }


def _resource(values: dict[str, Any]) -> Resource:
    return Resource(
        **{
            **values,
            "id": UUID(values["id"]),
            "created_at": datetime.fromisoformat(values["created_at"]),
            "updated_at": datetime.fromisoformat(values["updated_at"]),
        }
    )
