"""A browser's session, as the API shows it."""

from typing import Any

from lineshaft.model.browser_session import BrowserSession
from lineshaft.wire.run import time_text


def session_document(session: BrowserSession) -> dict[str, Any]:
    """Say what is known of a session as JSON, without what the browser shows."""
    return {
        "id": str(session.id),
        "username": session.user,
        "created_at": time_text(session.created_at),
        "expires_at": time_text(session.expires_at),
    }
