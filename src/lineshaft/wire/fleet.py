"""Workers and worker keys as the API shows them."""

from typing import Any

from lineshaft.model.worker_key import WorkerKey
from lineshaft.model.worker_status import RunningTask, WorkerStatus
from lineshaft.wire.run import time_text


def worker_document(status: WorkerStatus) -> dict[str, Any]:
    """Say a worker and what it does as JSON."""
    worker = status.worker
    capacity = worker.offer.capacity
    return {
        "name": worker.name,
        "state": status.state.value,
        "kinds": sorted(worker.offer.kinds),
        "labels": list(worker.offer.labels),
        "slots": {"total": capacity.slots, "free": status.free_slots},
        "cpus": _room(capacity.cpus, status.free_cpus),
        "memory_bytes": _room(capacity.memory_bytes, status.free_memory_bytes),
        "load": worker.load,
        "version": worker.version,
        "registered_at": time_text(worker.registered_at),
        "seen_at": time_text(worker.seen_at),
        "running": [_task(task) for task in status.running],
    }


def worker_key_document(key: WorkerKey) -> dict[str, Any]:
    """Say what is known of a worker key as JSON."""
    return {
        "id": str(key.id),
        "name": key.name,
        "worker": key.worker,
        "created_at": time_text(key.created_at),
        "expires_at": time_text(key.expires_at),
        "certificate": key.certificate,
        "kinds": _kinds(key),
        "last_used_at": time_text(key.last_used_at),
    }


def new_worker_key_document(key: WorkerKey, secret: str) -> dict[str, Any]:
    """Say a worker key that was made just now as JSON, the key itself with it."""
    return {
        "id": str(key.id),
        "name": key.name,
        "worker": key.worker,
        "key": secret,
        "created_at": time_text(key.created_at),
        "expires_at": time_text(key.expires_at),
        "certificate": key.certificate,
        "kinds": _kinds(key),
    }


def _kinds(key: WorkerKey) -> list[str] | None:
    return None if key.kinds is None else sorted(key.kinds)


def _room(total: float | None, free: float | None) -> dict[str, float] | None:
    return None if total is None or free is None else {"total": _number(total), "free": _number(free)}


def _task(task: RunningTask) -> dict[str, Any]:
    demand = task.held.demand
    return {
        "run_id": str(task.run_id),
        "pipeline": task.pipeline,
        "run_number": task.run_number,
        "node": task.path,
        "attempt": task.held.address.attempt,
        "cpus": _number(demand.cpus),
        "memory_bytes": demand.memory_bytes,
    }


def _number(number: float) -> float:
    """Say a number without the traces of binary fractions, and a whole one as such."""
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded
