"""Connections as the API shows them; their secrets are named, never told."""

from typing import Any

from lineshaft.model.connection import Connection
from lineshaft.wire.run import time_text


def connection_document(connection: Connection) -> dict[str, Any]:
    """Say a connection as JSON."""
    return {
        "name": connection.name,
        "kind": connection.kind.value,
        "url": connection.url,
        "api_url": connection.api_url,
        "webhook_secret": connection.webhook_secret,
        "token": connection.token,
        "username": connection.username,
        "statuses": connection.statuses,
        "trusts_forks": connection.trusts_forks,
        "created_at": time_text(connection.created_at),
        "updated_at": time_text(connection.updated_at),
    }
