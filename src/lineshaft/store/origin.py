"""Origins of runs as JSON, of which only is written what is said."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from lineshaft.model.commit_status import StatusTarget
from lineshaft.model.origin import NO_ORIGIN, Origin


def origin_values(origin: Origin) -> dict[str, Any] | None:
    """Write an origin; None where it says nothing."""
    if origin == NO_ORIGIN:
        return None
    values = {name: value for name, value in asdict(origin).items() if value not in (None, "", False)}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}


def read_origin(values: dict[str, Any] | None) -> Origin:
    """Read what `origin_values` wrote."""
    if values is None:
        return NO_ORIGIN
    statuses = values.get("statuses")
    return Origin(
        delivery=_id(values.get("delivery")),
        actor=values.get("actor", ""),
        url=values.get("url", ""),
        pull_request=values.get("pull_request"),
        head_commit=values.get("head_commit", ""),
        from_fork=values.get("from_fork", False),
        statuses=None if statuses is None else StatusTarget(**statuses),
        upstream=_id(values.get("upstream")),
    )


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
