"""Statuses of commits as the API shows them."""

from typing import Any

from lineshaft.model.commit_status import WantedStatus
from lineshaft.wire.run import time_text


def status_document(status: WantedStatus) -> dict[str, Any]:
    """Say what a forge is to show as JSON, and whether it was told."""
    return {
        "context": status.status.context,
        "state": status.status.state.value,
        "text": status.status.text,
        "connection": status.target.connection,
        "repository": status.target.repository,
        "commit": status.target.commit,
        "told": status.is_told,
        "tries": status.tries,
        "next_try_at": time_text(status.due_at),
        "last_error": status.last_error,
    }
