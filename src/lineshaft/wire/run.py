"""Runs as the API shows them."""

from datetime import datetime
from typing import Any

from lineshaft.engine.explain import Explanation, reason_of
from lineshaft.engine.placing import Placement
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.event import RunEvent
from lineshaft.model.node import Task
from lineshaft.model.origin import NO_ORIGIN, Origin
from lineshaft.model.reason import Reason
from lineshaft.model.resource import ResourceChange, Subject
from lineshaft.model.run import Run, Source
from lineshaft.model.tree import ROOT, Place, Tree
from lineshaft.model.work import kind_of


def run_document(run: Run) -> dict[str, Any]:
    """Say a run as JSON: itself, then its nodes in depth-first order."""
    root = run.root
    return {
        "id": str(run.id),
        "number": run.number,
        "pipeline_id": str(run.pipeline_id),
        "state": root.state.value,
        "reason": _reason(reason_of(run, ROOT)),
        "created_at": time_text(run.created_at),
        "started_at": time_text(root.started_at),
        "ended_at": time_text(root.ended_at),
        "cause": run.cause.value,
        "priority": run.priority,
        "untrusted": run.untrusted,
        "held": run.held,
        "approved_by": run.approved_by or None,
        "origin": _origin(run.origin),
        "resource": _resource(run.subject),
        "retry_of": None if run.retry_of is None else str(run.retry_of),
        "parent": _parent(run.parent),
        "source": _source(run.source),
        "inputs": dict(run.inputs),
        "outputs": dict(run.outputs.get(ROOT, {})),
        "nodes": [_node(run, place) for place in run.tree.below_root()],
    }


def _origin(origin: Origin) -> dict[str, Any] | None:
    if origin == NO_ORIGIN:
        return None
    return {
        "delivery": None if origin.delivery is None else str(origin.delivery),
        "actor": origin.actor,
        "url": origin.url,
        "pull_request": origin.pull_request,
        "head_commit": origin.head_commit,
        "from_fork": origin.from_fork,
        "upstream": None if origin.upstream is None else str(origin.upstream),
    }


def _resource(subject: Subject | None) -> dict[str, Any] | None:
    """Name the resource whose change a run carries; None where it carries none."""
    if not isinstance(subject, ResourceChange):
        return None
    resource = subject.resource
    return {
        "type": resource.type,
        "name": resource.name,
        "version": resource.version,
        "event": subject.event.value,
    }


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Say as JSON why a node is in its state."""
    return {
        "path": explanation.path,
        "state": explanation.state.value,
        "reason": _reason(explanation.reason),
        "decided_by": explanation.decided_by,
        "condition": explanation.condition,
        "condition_held": explanation.condition_held,
        "waits_for": list(explanation.waits_for),
        "comes_from": list(explanation.comes_from),
        "attempts": explanation.attempts,
        "losses": explanation.losses,
        "placement": _placement(explanation.placement),
    }


def event_document(tree: Tree, event: RunEvent) -> dict[str, Any]:
    """Say an event of a run as JSON; the run's own events have an empty path."""
    return {
        "number": event.number,
        "at": time_text(event.at),
        "path": tree[event.node].path,
        "state": event.state.value,
        "reason": _reason(event.reason),
        "attempt": event.attempt,
        "exit_code": event.exit_code,
    }


def _node(run: Run, place: Place) -> dict[str, Any]:
    node = run.nodes[place.index]
    return {
        "path": place.path,
        "name": place.node.name,
        "kind": str(kind_of(place.node.work)) if isinstance(place.node, Task) else "group",
        "role": place.role.value,
        "state": node.state.value,
        "reason": _reason(reason_of(run, place.index)),
        "exit_code": node.exit_code,
        "attempt": node.attempt,
        "started_at": time_text(node.started_at),
        "ended_at": time_text(node.ended_at),
        "outputs": dict(run.outputs.get(place.index, {})),
    }


def _parent(address: AttemptAddress | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {"run_id": str(address.run_id), "node": address.node, "attempt": address.attempt}


def _source(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {
        "repository": source.repository or None,
        "ref": source.ref,
        "branch": source.branch,
        "tag": source.tag,
        "commit": source.commit,
    }


def _placement(placement: Placement | None) -> dict[str, Any] | None:
    if placement is None:
        return None
    return {"code": placement.code.value, "text": placement.text, "ahead": placement.ahead}


def _reason(reason: Reason | None) -> dict[str, str] | None:
    return None if reason is None else {"code": reason.code.value, "text": reason.text}


def time_text(moment: datetime | None) -> str | None:
    """Say a time as the API does: RFC 3339 in UTC, with microseconds."""
    # isoformat would leave the fraction out when it is zero.
    return None if moment is None else moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
