"""Polls as the API shows them."""

from typing import Any

from lineshaft.model.poll import KeptPoll
from lineshaft.wire.run import time_text


def poll_document(poll: KeptPoll) -> dict[str, Any]:
    """Say a poll as JSON."""
    return {
        "next_at": time_text(poll.next_at),
        "last_at": time_text(poll.last_at),
        "failures": poll.failures,
        "last_error": poll.last_error,
    }
