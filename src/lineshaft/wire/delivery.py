"""Deliveries as the API shows them."""

from typing import Any

from lineshaft.model.change import Change
from lineshaft.model.delivery import Delivery, Outcome
from lineshaft.wire.run import time_text


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Say a delivery as JSON."""
    return {
        "id": str(delivery.id),
        "source": delivery.source.value,
        "connection": delivery.connection or None,
        "remote_id": delivery.remote_id,
        "event": delivery.event,
        "received_at": time_text(delivery.received_at),
        "state": delivery.state.value,
        "text": delivery.text or None,
        "handled_at": time_text(delivery.handled_at),
        "tries": delivery.tries,
        "redelivers": None if delivery.redelivers is None else str(delivery.redelivers),
        "changes": [_change(change) for change in delivery.changes],
        "outcomes": [_outcome(outcome) for outcome in delivery.outcomes],
    }


def _change(change: Change) -> dict[str, Any]:
    asked = change.pull_request
    return {
        "kind": change.kind.value,
        "repository": change.repositories[0],
        "ref": change.ref,
        "commit": change.commit,
        "before": change.before,
        "message": change.message.partition("\n")[0],
        "actor": change.actor or None,
        "pull_request": None if asked is None else asked.number,
        "action": None if asked is None else asked.action.value,
        "url": (change.url if asked is None else asked.url or change.url) or None,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "pipeline_id": None if outcome.pipeline_id is None else str(outcome.pipeline_id),
        "pipeline": outcome.pipeline,
        "run_id": None if outcome.run_id is None else str(outcome.run_id),
        "text": outcome.text or None,
    }
