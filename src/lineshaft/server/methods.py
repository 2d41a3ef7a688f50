"""Which methods are served at which address."""

from collections.abc import Iterable, Sequence
from typing import Final

from starlette.routing import BaseRoute, Route

NOT_SERVED: Final = "not_served"
"""The name of routes that only say that a method is not served at their address."""


class Methods:
    """The methods of all routes, for the Allow header (RFC 9110, section 10.2.1).

    The framework only knows those of the first route that fits, and an address may have several.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        """Remember the routes."""
        self._routes: Final = [route for route in routes if isinstance(route, Route)]

    def at(self, path: str) -> list[str]:
        """List the methods that are served at a path, in alphabetical order."""
        fitting = [route for route in self._routes if route.path_regex.match(path)]
        # Where an address is spelt out, those that take any word in its place are not meant.
        exact = [route for route in fitting if route.path == path]
        meant = exact or _most_spelt_out(fitting)
        served = {method for route in meant if route.name != NOT_SERVED for method in route.methods or ()}
        if not exact:
            served -= {
                method for route in meant if route.name == NOT_SERVED for method in route.methods or ()
            }
        return sorted(served)


def _most_spelt_out(routes: Sequence[Route]) -> list[Route]:
    """Keep those with the most words in their paths, as `/{a}/b` beside `/{a}/{b}`."""
    words = [sum("{" not in part for part in route.path.split("/")) for route in routes]
    return [route for route, count in zip(routes, words, strict=True) if count == max(words)]
