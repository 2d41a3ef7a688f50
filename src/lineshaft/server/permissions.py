"""What each route needs of its caller, said where the route is."""

from collections.abc import Mapping
from typing import Any, Final

from lineshaft.model.permission import Permission

PERMISSION: Final = "x-permission"
"""Under which key the OpenAPI document says what an operation needs; docs/access.md explains the values."""

FILTERED: Final = "x-filtered"
"""Under which key it says that an operation is open to whoever is signed in, and shows what they may see."""


NAMED_IN_QUERY: Final = "x-pipeline-named-by"
"""Under which key it says which key of an operation's query is the name of the pipeline that it concerns."""


def needs(
    permission: Permission,
    extra: Mapping[str, Any] | None = None,
    *,
    filtered: bool = False,
    named_by: str = "",
) -> dict[str, Any]:
    """Declare what a route needs, for its `openapi_extra`.

    A route with `{pipeline_id}`, `{job}` or `{run_id}` in its path needs it on that pipeline, or on that
    run's; any other needs it everywhere.

    Args:
        permission: what it needs.
        extra: what else the OpenAPI document is to say of it.
        filtered: whether the route looks itself at which pipelines the caller has the permission on, so that
            whoever is signed in may call it.
        named_by: the key of the query that is the name of the pipeline on which the route needs it; empty
            where its path says all that it concerns.
    """
    said = {PERMISSION: permission.value} | ({FILTERED: True} if filtered else {})
    if named_by:
        said[NAMED_IN_QUERY] = named_by
    return {**(extra or {}), **said}
