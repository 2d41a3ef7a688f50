"""Resources in words: a row of a table, and all that is known of one."""

import json
from typing import TYPE_CHECKING, Any

from lineshaft.cli.duration import instant_text

if TYPE_CHECKING:
    from lineshaft.sdk.resource import ResourceVersionView, ResourceView


def resource_row(found: "ResourceView") -> tuple[str, ...]:
    """Say a resource in the columns of a list."""
    return (
        found.type,
        found.name,
        str(found.version),
        str(found.observed_version),
        found.state or "-",
        found.pipeline or "-",
        instant_text(found.updated_at),
    )


def resource_facts(found: "ResourceVersionView") -> list[tuple[str, str]]:
    """Say all that is known of a resource, or of one of its versions, each fact with its title."""
    from lineshaft.sdk.resource import ResourceView

    facts = [("resource", found.title), ("version", str(found.version))]
    if isinstance(found, ResourceView):
        facts.append(("observed", str(found.observed_version)))
        carried = "" if found.run_id is None else f" by run {found.run_id}, of version {found.run_version}"
        facts.append(("state", f"{found.state or 'no run yet'}{carried}"))
    else:
        facts.append(("event", found.event or "-"))
    facts += [
        ("pipeline", found.pipeline or "none: all drivers of its type"),
        ("changed", instant_text(found.updated_at)),
        ("metadata", ", ".join(f"{name}={text}" for name, text in found.metadata.items()) or "none"),
        ("spec", compact(found.spec)),
    ]
    if isinstance(found, ResourceView):
        if found.resync_at is not None:
            facts.append(("resync", instant_text(found.resync_at)))
        for driver, result in found.results.items():
            outcome = "succeeded" if result.success else "failed"
            said = f": {result.message}" if result.message else ""
            data = f"  {compact(result.data)}" if result.data else ""
            facts.append(("result", f"{driver} {outcome}{said}{data}"))
    return facts


def compact(value: Any) -> str:
    """Say a JSON value on one line."""
    return json.dumps(value, ensure_ascii=False)
