"""Caches as rows."""

import hashlib
from datetime import datetime
from typing import Any

from lineshaft.ports.store import Upload


def cache_address(scope: str, key: str) -> str:
    """Name the place of a cache in its pipeline, by a text that is short enough for an index."""
    return hashlib.sha256(f"{scope}\0{key}".encode()).hexdigest()


def cache_values(upload: Upload, now: datetime) -> dict[str, Any]:
    """Tell all of a cache that begins to be found."""
    return {
        "pipeline_id": upload.pipeline_id,
        "address": cache_address(upload.scope, upload.name),
        "scope": upload.scope,
        "key": upload.name,
        "artifact_id": upload.id,
        "kept_at": now,
        "used_at": now,
    }
