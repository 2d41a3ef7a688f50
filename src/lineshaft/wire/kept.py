"""Results, artifacts and caches, as the API shows them."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from lineshaft.model.artifact import Artifact, KeptCache
from lineshaft.model.test_report import TestCounts
from lineshaft.wire.tests import counts_document


def result_document(run_id: UUID, artifact: Artifact, tests: TestCounts | None) -> dict[str, Any]:
    """Write a result.

    Args:
        run_id: the run that was asked about, which may keep the node from another.
        artifact: the files.
        tests: what the test cases in it have come to.
    """
    return {
        **_kept(run_id, artifact, "results"),
        "type": None if artifact.type is None else artifact.type.value,
        "tests": None if tests is None else counts_document(tests),
    }


def artifact_document(run_id: UUID, artifact: Artifact, *, expired: bool) -> dict[str, Any]:
    """Write an artifact.

    Args:
        run_id: the run that was asked about, which may keep the node from another.
        artifact: the files.
        expired: whether its time is over.
    """
    expires_at = artifact.expires_at
    return {
        **_kept(run_id, artifact, "artifacts"),
        "expires_at": None if expires_at is None else expires_at.isoformat(),
        "expired": expired,
    }


def cache_document(cache: KeptCache) -> dict[str, Any]:
    """Write a cache."""
    artifact = cache.artifact
    return {
        "id": str(artifact.id),
        "key": artifact.name,
        "scope": cache.scope,
        "size_bytes": artifact.content.size_bytes,
        "sha256": artifact.content.sha256,
        "run_id": str(artifact.address.run_id),
        "path": artifact.path,
        "created_at": artifact.created_at.isoformat(),
        "used_at": cache.used_at.isoformat(),
    }


def _kept(run_id: UUID, artifact: Artifact, noun: str) -> dict[str, Any]:
    content = artifact.content
    name = quote(f"{artifact.path}/{artifact.name}")
    return {
        "name": artifact.name,
        "path": artifact.path,
        "attempt": artifact.address.attempt,
        "format": content.format.value,
        "media_type": content.media_type,
        "size_bytes": content.size_bytes,
        "sha256": content.sha256,
        "created_at": artifact.created_at.isoformat(),
        "url": f"/v1/runs/{run_id}/{noun}/{name}?attempt={artifact.address.attempt}",
    }
