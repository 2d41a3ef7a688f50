"""The routes that anyone may call, without credentials."""

import re
from collections.abc import Iterable
from typing import Final

from lineshaft.model.permission import Permission
from lineshaft.server.guarded_route import GuardedRoute


class OpenRoutes:
    """Tells whether a call is for a route that declares that it is open."""

    def __init__(self, routes: Iterable[GuardedRoute]) -> None:
        """Remember the open ones.

        Args:
            routes: all there are.
        """
        is_open = [route for route in routes if route.permission is Permission.OPEN]
        self._exact: Final = frozenset(
            (method, route.path)
            for route in is_open
            if not route.param_convertors
            for method in route.methods or ()
        )
        self._patterns: Final[list[tuple[str, re.Pattern[str], frozenset[str]]]] = [
            (route.path.partition("{")[0], route.path_regex, frozenset(route.methods or ()))
            for route in is_open
            if route.param_convertors
        ]

    def include(self, method: str, path: str) -> bool:
        """Tell whether one of them is called so."""
        if (method, path) in self._exact:
            return True
        for beginning, pattern, methods in self._patterns:
            if path.startswith(beginning) and method in methods and pattern.match(path):
                return True
        return False
