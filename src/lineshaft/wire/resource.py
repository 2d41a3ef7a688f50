"""Resources, their definitions and drivers as the API shows them."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.known_driver import DriverStatus
from lineshaft.model.resource import Observed, Resource, ResourceDefinition, ResourceEvent
from lineshaft.wire.run import time_text

INTERVAL_PATTERN: Final = r"^([0-9]{1,8}d)?([0-9]{1,8}h)?([0-9]{1,8}m)?([0-9]{1,8}s)?$"
"""What an interval looks like, such as `12h` or `1d12h`, as a regular expression."""

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def interval_of(text: str) -> timedelta:
    """Read an interval that looks as it must.

    Raises:
        ValueError: it does not.
    """
    parts = re.fullmatch(INTERVAL_PATTERN, text)
    if parts is None:
        raise ValueError("must be an interval such as 30m, 12h or 1d12h")
    sizes = dict(_UNITS)
    return timedelta(seconds=sum(int(part[:-1]) * sizes[part[-1]] for part in parts.groups() if part))


def interval_text(interval: timedelta) -> str:
    """Say an interval of whole seconds in the fewest words."""
    rest, words = int(interval.total_seconds()), []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        words += [f"{count}{unit}"] if count else []
    return "".join(words) or "0s"


def resource_definition_document(definition: ResourceDefinition) -> dict[str, Any]:
    """Say what the resources of a type look like as JSON."""
    return {
        "name": definition.name,
        "description": definition.description,
        "version": definition.version,
        "schema": definition.schema,
        "resync": None if definition.resync is None else interval_text(definition.resync),
        "created_at": time_text(definition.created_at),
        "updated_at": time_text(definition.updated_at),
    }


def resource_document(resource: Resource, observed: Observed) -> dict[str, Any]:
    """Say a resource and how far it has come as JSON."""
    return {
        **_version(resource),
        "observed_version": observed.version,
        "run_id": None if observed.run_id is None else str(observed.run_id),
        "run_version": observed.run_version,
        "state": None if observed.state is None else observed.state.value,
        "results": _results(observed.results),
        "resync_at": time_text(observed.resync_at),
    }


def resource_change_document(
    resource: Resource, observed: Observed, event: ResourceEvent | None, started: UUID | None
) -> dict[str, Any]:
    """Say a resource as JSON to somebody who has changed it.

    Args:
        resource: as it is now.
        observed: how far it has come.
        event: what has happened to it by the change; None where nothing did.
        started: the run that carries it to its drivers; None where there is none.
    """
    return {
        **resource_document(resource, observed),
        "event": None if event is None else event.value,
        "started_run_id": None if started is None else str(started),
    }


def resource_version_document(resource: Resource, event: ResourceEvent) -> dict[str, Any]:
    """Say one version of a resource and the event that made it as JSON."""
    return {**_version(resource), "event": event.value}


def driver_document(status: DriverStatus) -> dict[str, Any]:
    """Say what a driver has said of itself, and how it stands, as JSON."""
    said = status.declaration
    return {
        "name": said.name,
        "description": said.description,
        "resources": list(said.resources),
        "events": list(said.events),
        "timeout_seconds": said.timeout.total_seconds(),
        "retries": said.retries,
        "idempotent": said.idempotent,
        "connected": status.connected,
        "in_flight": status.in_flight,
        "registered_at": time_text(status.registered_at),
        "seen_at": time_text(status.seen_at),
    }


def _version(resource: Resource) -> dict[str, Any]:
    return {
        "id": str(resource.id),
        "type": resource.type,
        "name": resource.name,
        "version": resource.version,
        "spec": resource.spec,
        "metadata": dict(resource.metadata),
        "pipeline": resource.pipeline,
        "deleted": resource.deleted,
        "created_at": time_text(resource.created_at),
        "updated_at": time_text(resource.updated_at),
    }


def _results(results: Mapping[str, DriverResult]) -> dict[str, Any]:
    return {
        driver: {"success": each.success, "message": each.message, "data": each.data}
        for driver, each in sorted(results.items())
    }
