"""Paths that a definition names, kept inside the workspace."""

from pathlib import Path
from typing import Final

_LEADS_OUT: Final = "leads out of the workspace"


class OutsideError(Exception):
    """A path leads out of its folder, or cannot be followed; the message is the end of a sentence."""


def confined(root: Path, path: str) -> Path:
    """Follow a path below a folder, all its links resolved.

    Nothing may be at work below the folder meanwhile, for what has been looked at could then be exchanged.

    Args:
        root: the folder, which is there; a link may lead to it, but it is none itself.
        path: relative to it; empty means the folder itself.

    Returns:
        The real path, at which something is; the folder itself as it was given.

    Raises:
        OutsideError: it leads out of the folder, or to nothing.
    """
    if not path:
        return root
    real_root = root.parent.resolve() / root.name
    if real_root.is_symlink():
        # A task may have put it in the folder's place.
        raise OutsideError(_LEADS_OUT)
    try:
        real = (real_root / path).resolve(strict=True)
    except FileNotFoundError:
        raise OutsideError("is not there") from None
    except (OSError, RuntimeError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise OutsideError(f"cannot be followed ({words})") from error
    if not real.is_relative_to(real_root):
        raise OutsideError(_LEADS_OUT)
    return real
