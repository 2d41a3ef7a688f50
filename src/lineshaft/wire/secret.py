"""Secrets as the API shows them, which is without their values."""

from typing import Any

from lineshaft.model.secret import Secret
from lineshaft.wire.run import time_text


def secret_document(secret: Secret) -> dict[str, Any]:
    """Say what is known of a secret as JSON."""
    address = secret.address
    return {
        "name": address.name,
        "pipeline_id": None if address.pipeline_id is None else str(address.pipeline_id),
        "environment": address.environment,
        "for_server": address.for_server,
        "version": secret.version,
        "created_at": time_text(secret.created_at),
        "updated_at": time_text(secret.updated_at),
        "updated_by": secret.updated_by,
    }
