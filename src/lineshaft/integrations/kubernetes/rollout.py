"""How far the rollout of an object is, read from the object alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rolling:
    """It goes on.

    Attributes:
        text: how far it is.
    """

    text: str


@dataclass(frozen=True, slots=True)
class RolledOut:
    """It is done, or there is nothing to wait for.

    Attributes:
        text: what has been reached.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """It has failed for good.

    Attributes:
        text: why.
    """

    text: str


Progress = Rolling | RolledOut | Broken

_UNNOTICED = Rolling("The cluster has not noticed the change yet.")


def progress_of(document: Mapping[str, Any]) -> Progress:
    """Judge an object as `kubectl rollout status` does.

    Kinds without a rollout are done as soon as they are applied. The conditions are those of
    https://kubernetes.io/docs/concepts/workloads/controllers/.
    """
    thing = _Thing(document)
    match thing.group, thing.kind:
        case "apps", "Deployment":
            return _deployment(thing)
        case "apps", "StatefulSet":
            return _stateful_set(thing)
        case "apps", "DaemonSet":
            return _daemon_set(thing)
        case "batch", "Job":
            return _job(thing)
        case _:
            return RolledOut(f"A {thing.kind} has no rollout to wait for.")


def _deployment(thing: "_Thing") -> Progress:
    if thing.observed < thing.generation:
        return _UNNOTICED
    if thing.spec.get("paused") is True:
        return RolledOut("The Deployment is paused, so nothing rolls out.")
    progressing = thing.condition("Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Broken(f"It exceeded its progress deadline: {progressing.get('message', 'no message')}")
    return _replicas(thing)


def _replicas(thing: "_Thing") -> Progress:
    wanted = _number(thing.spec, "replicas", 1)
    updated, total, available = (
        _number(thing.status, name) for name in ("updatedReplicas", "replicas", "availableReplicas")
    )
    if updated < wanted:
        return Rolling(f"{updated} of {wanted} replicas are updated{thing.complaint('ReplicaFailure')}.")
    if total > updated:
        return Rolling(f"{total - updated} old replicas have not ended.")
    if available < updated:
        return Rolling(f"{available} of {updated} updated replicas are available.")
    return RolledOut(f"All {wanted} replicas are updated and available.")


def _stateful_set(thing: "_Thing") -> Progress:
    if thing.observed < thing.generation:
        return _UNNOTICED
    strategy = _mapping(thing.spec, "updateStrategy")
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return RolledOut("The StatefulSet updates a pod when someone deletes it, so nothing rolls out.")
    wanted = _number(thing.spec, "replicas", 1)
    partition = _number(_mapping(strategy, "rollingUpdate"), "partition")
    to_update = max(0, wanted - partition)
    updated = _number(thing.status, "updatedReplicas")
    available = _number(thing.status, "availableReplicas")
    if updated < to_update:
        return Rolling(f"{updated} of {to_update} replicas are updated.")
    if available < wanted:
        return Rolling(f"{available} of {wanted} replicas are available.")
    if partition == 0 and thing.status.get("updateRevision") != thing.status.get("currentRevision"):
        return Rolling("Some replicas are of an older revision.")
    return RolledOut(f"{to_update} of {wanted} replicas are updated, and all are available.")


def _daemon_set(thing: "_Thing") -> Progress:
    if thing.observed < thing.generation:
        return _UNNOTICED
    if _mapping(thing.spec, "updateStrategy").get("type", "RollingUpdate") != "RollingUpdate":
        return RolledOut("The DaemonSet updates a pod when someone deletes it, so nothing rolls out.")
    wanted, updated, available = (
        _number(thing.status, name)
        for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    )
    if updated < wanted:
        return Rolling(f"{updated} of {wanted} nodes have an updated pod.")
    if available < wanted:
        return Rolling(f"{available} of {wanted} updated pods are available.")
    return RolledOut(f"All {wanted} nodes have an updated pod that is available.")


def _job(thing: "_Thing") -> Progress:
    failed = thing.condition("Failed")
    if failed.get("status") == "True":
        return Broken(f"The Job failed: {failed.get('message') or failed.get('reason') or 'no message'}")
    if thing.condition("Complete").get("status") == "True":
        return RolledOut("The Job is complete.")
    if thing.spec.get("suspend") is True:
        return RolledOut("The Job is suspended, so nothing runs.")
    counts = (f"{_number(thing.status, name)} {name}" for name in ("active", "succeeded", "failed"))
    return Rolling(f"Pods of the Job: {', '.join(counts)}.")


class _Thing:
    """An object as the API gave it, read without trust in its shape."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.group = str(document.get("apiVersion", "")).rpartition("/")[0]
        self.kind = str(document.get("kind", ""))
        self.spec = _mapping(document, "spec")
        self.status = _mapping(document, "status")
        self.generation = _number(_mapping(document, "metadata"), "generation")
        self.observed = _number(self.status, "observedGeneration")

    def condition(self, kind: str) -> Mapping[str, Any]:
        """Find a condition of its status by its type; empty if there is none."""
        conditions = self.status.get("conditions")
        for condition in conditions if isinstance(conditions, list) else ():
            if isinstance(condition, Mapping) and condition.get("type") == kind:
                return condition
        return {}

    def complaint(self, kind: str) -> str:
        """Write what a condition that is true complains of, in brackets; nothing if it is not."""
        condition = self.condition(kind)
        return f" ({condition.get('message')})" if condition.get("status") == "True" else ""


def _mapping(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def _number(document: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = document.get(name)
    return value if isinstance(value, int) else default
