"""Addresses of forges: which are good, and which repositories lie below them."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from lineshaft.definition.repository import repository_key
from lineshaft.model.connection import Connection
from lineshaft.model.errors import InvalidInputError

_LONGEST: Final = 2_048
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f\\]")
_PORTS: Final = {"http": 80, "https": 443}


def read_forge_url(text: str) -> str:
    """Read where a forge is, and say it without a slash at its end.

    Raises:
        ValueError: it is no such address; the message is to be read behind its name.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"must not be longer than {_LONGEST:,} characters")
    if _UNPRINTABLE.search(text) or not text.isprintable():
        raise ValueError("must hold no space, control character or backslash")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be a URL that can be read") from None
    if parts.scheme not in _PORTS or not host:
        raise ValueError("must be a URL with http or https, and a host")
    if "@" in parts.netloc:
        raise ValueError("must carry no user name or password: name a secret as its token instead")
    if "?" in text or "#" in text:
        raise ValueError("must have no query and no fragment")
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


def connection_of(address: str, connections: Iterable[Connection]) -> Connection | None:
    """Find the connection that a repository belongs to, however its address is spelt.

    It is the one on whose host and below whose path the repository is; of several, the longest path counts.
    """
    try:
        key = repository_key(address)
    except InvalidInputError:
        return None
    found = ((repository_key(each.url), each) for each in connections)
    fitting = [(len(place), each) for place, each in found if key == place or key.startswith(f"{place}/")]
    return max(fitting, key=lambda pair: (pair[0], pair[1].name), default=(0, None))[1]


def takes_login(address: str, connection: Connection) -> bool:
    """Tell whether a connection's token may be shown to whoever answers at a repository's address.

    That is so at the very place that the connection names: the same protocol, host and port. The address's
    own credentials go before.
    """
    try:
        asked, known = urlsplit(address), urlsplit(connection.url)
        return "@" not in asked.netloc and _origin(asked) == _origin(known)
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
