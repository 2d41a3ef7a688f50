"""What each route needs of its caller, said where the route is."""

from collections.abc import Mapping
from typing import Any, Final

from lineshaft.model.permission import Permission

PERMISSION: Final = "x-permission"
"""Under which key the OpenAPI document says what an operation needs; docs/access.md explains the values."""


def needs(permission: Permission, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Declare what a route needs, for its `openapi_extra`.

    Args:
        permission: what it needs.
        extra: what else the OpenAPI document is to say of it.
    """
    return {**(extra or {}), PERMISSION: permission.value}
