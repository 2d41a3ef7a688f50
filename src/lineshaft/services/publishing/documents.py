"""What has happened, as events for other systems, read from the store."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from lineshaft.model.event import RunEvent
from lineshaft.model.resource import Resource, ResourceEvent
from lineshaft.model.run import Run
from lineshaft.ports.events import CloudEvent
from lineshaft.ports.store import Transaction
from lineshaft.wire.run import event_document, time_text


def run_events(
    transaction: Transaction, run_id: UUID, first: int, last: int, limit: int
) -> Sequence[CloudEvent]:
    """Read events of a run with numbers from `first` to `last`, at most `limit`; none where it is gone."""
    run = transaction.runs.get(run_id)
    if run is None:
        return ()
    found = transaction.runs.events(run_id, after=first - 1, limit=limit)
    return [_of_run(run, event) for event in found if event.number <= last]


def resource_version(transaction: Transaction, resource_id: UUID, version: int) -> CloudEvent | None:
    """Read a version of a resource; None where it is not kept any more."""
    found = transaction.resources.version(resource_id, version)
    return None if found is None else _of_resource(*found)


def _of_run(run: Run, event: RunEvent) -> CloudEvent:
    pipeline = run.tree.root.name
    known = {"run_id": str(run.id), "run_number": run.number, "pipeline": pipeline}
    return CloudEvent(
        id=f"{run.id}/{event.number}",
        source=f"/v1/runs/{run.id}",
        kind="run" if event.node == RunEvent.RUN else "node",
        pipeline=pipeline,
        subject=run.tree[event.node].path,
        time=event.at,
        data={**event_document(run.tree, event), **known},
    )


def _of_resource(resource: Resource, event: ResourceEvent) -> CloudEvent:
    return CloudEvent(
        id=f"{resource.id}/{resource.version}",
        source=f"/v1/resources/{resource.type}/{resource.name}",
        kind="resource",
        pipeline=resource.pipeline,
        subject=f"{resource.type}/{resource.name}",
        time=resource.updated_at,
        data=_resource_document(resource, event),
    )


def _resource_document(resource: Resource, event: ResourceEvent) -> dict[str, Any]:
    return {
        "event": event.value,
        "at": time_text(resource.updated_at),
        "id": str(resource.id),
        "type": resource.type,
        "name": resource.name,
        "version": resource.version,
        "spec": dict(resource.spec),
        "metadata": dict(resource.metadata),
        "pipeline": resource.pipeline,
        "deleted": resource.deleted,
    }
