"""Objects in a repository on this machine, where git-lfs keeps them."""

from pathlib import Path
from typing import Final

from lineshaft.integrations.lfs.pointer import Pointer

_MOST_ALTERNATES: Final = 20


class LocalObjects:
    """What lies in a repository, and in those whose objects it borrows."""

    def __init__(self, repository: Path) -> None:
        """Look around in a repository.

        Args:
            repository: its git folder, or that of one of its work trees.
        """
        shared = _common(repository)
        self._folders: Final = (shared / "lfs" / "objects", *_borrowed(shared))

    def find(self, pointer: Pointer) -> Path | None:
        """Tell where an object is; None where it is not there."""
        inner = Path(pointer.oid[:2]) / pointer.oid[2:4] / pointer.oid
        return next((folder / inner for folder in self._folders if (folder / inner).is_file()), None)


def _common(repository: Path) -> Path:
    """Follow a work tree's folder to that of its repository (gitrepository-layout(5))."""
    try:
        return (repository / (repository / "commondir").read_text().strip()).resolve()
    except OSError:
        return repository


def _borrowed(repository: Path) -> tuple[Path, ...]:
    objects = repository / "objects"
    try:
        lines = (objects / "info" / "alternates").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple((objects / line).parent / "lfs" / "objects" for line in lines[:_MOST_ALTERNATES] if line)
