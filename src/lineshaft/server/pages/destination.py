"""Where a browser goes next: a path of this server and never another's."""

import re
from typing import Final

HOME: Final = "/docs"
"""Where somebody goes who has asked for nothing else."""

_LONGEST: Final = 1_024
_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""Visible ASCII without backslashes, which browsers read as slashes; two slashes would begin a host."""


def destination(asked: str | None) -> str:
    """Take what was asked for where it is a path of this server, else the home page.

    Args:
        asked: the path, with its query.
    """
    if asked is None or len(asked) > _LONGEST or _PATH.fullmatch(asked) is None:
        return HOME
    if asked.startswith("/sign-in"):
        # Nobody wants to sign in again.
        return HOME
    return asked


def reference(of: str, path: str) -> str:
    """Write a path of this server relative to another one, so that it holds below a proxy's prefix, too.

    It begins with a dot, so that no part of it can be taken for a scheme or a host (RFC 3986, section 4.2).

    Args:
        of: the path of the page that refers.
        path: where to.
    """
    depth = of.count("/") - 1
    return ("../" * depth or "./") + path.removeprefix("/")
