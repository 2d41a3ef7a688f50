"""Where a repository is in a forge's API, by an address of it in any spelling."""

from typing import Final
from urllib.parse import quote, urlsplit

from lineshaft.definition.repository import repository_segments, without_credentials
from lineshaft.model.connection import Connection
from lineshaft.model.errors import ForgeRefusedError, InvalidInputError

_API_PATHS: Final = ("/api/v3", "/api/v4", "/api/v1", "/rest/api/latest", "/rest/api/1.0")
_LONGEST: Final = 200
_WEB: Final = ("http://", "https://")


def names_below(connection: Connection, repository: str) -> tuple[str, ...]:
    """Return the names that lead to a repository from the forge's beginning, such as `("acme", "shop")`.

    A forge may lie below a path of its host, which its web addresses begin with; those of ssh do not.

    Args:
        connection: its API's address tells where the forge begins.
        repository: an address of it.

    Raises:
        ForgeRefusedError: it is the address of no repository there.
    """
    try:
        names = repository_segments(repository)
    except InvalidInputError as error:
        raise nowhere(connection, repository) from error
    root = _root(connection)
    if repository.lower().startswith(_WEB) and names[: len(root)] == root:
        names = names[len(root) :]
    if not names or "." in names:
        raise nowhere(connection, repository)
    return names


def two_names(connection: Connection, repository: str) -> tuple[str, str]:
    """Return owner and name of a repository of a forge that nests no deeper, quoted for a URL.

    Raises:
        ForgeRefusedError: it is the address of no repository there.
    """
    match names_below(connection, repository):
        case (owner, name):
            return quoted(owner), quoted(name)
        case _:
            raise nowhere(connection, repository)


def quoted(name: str) -> str:
    """Quote a name so that it is one segment of a URL, whatever is in it."""
    return quote(name, safe="", errors="surrogateescape")


def api_url(connection: Connection) -> str:
    """Return the API's address, without a slash at its end."""
    return connection.api_url.rstrip("/")


def nowhere(connection: Connection, repository: str) -> ForgeRefusedError:
    """Make an error of an address that leads to no repository of a forge."""
    shown = "".join(each for each in without_credentials(repository)[:_LONGEST] if each.isprintable())
    return ForgeRefusedError(
        f"The forge of the connection '{connection.name}' has no repository at '{shown}'.",
        advice=f"Compare it with {connection.url}: the path must name the owner and the repository.",
    )


def _root(connection: Connection) -> tuple[str, ...]:
    url = api_url(connection)
    path = urlsplit(url).path
    for suffix in _API_PATHS:
        if path.endswith(suffix):
            return tuple(each for each in path.removesuffix(suffix).split("/") if each)
    return ()
