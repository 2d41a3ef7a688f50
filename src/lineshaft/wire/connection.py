"""Connections as the API shows them; their secrets are named, never told."""

from collections.abc import Sequence
from typing import Any

from lineshaft.model.connection import Connection
from lineshaft.wire.run import time_text


def connection_document(connection: Connection, warnings: Sequence[str]) -> dict[str, Any]:
    """Say a connection as JSON, with what is amiss with it, as sentences."""
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
        "warnings": list(warnings),
        "created_at": time_text(connection.created_at),
        "updated_at": time_text(connection.updated_at),
    }
