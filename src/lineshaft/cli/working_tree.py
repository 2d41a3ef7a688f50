"""The files of a repository as they are on this machine, committed or not."""

from pathlib import Path
from typing import Final

from lineshaft.cli.checkout import repository_root

_LONGEST: Final = 1 << 20
"""How many bytes a fragment may have; what is longer need not be read to its end to be refused."""


class WorkingTree:
    """Hands out files below one folder to definitions that name them."""

    def __init__(self, root: Path) -> None:
        """Hand out the files below `root`."""
        self._root: Final = root.resolve()

    @classmethod
    def around(cls, folder: Path) -> "WorkingTree":
        """Take the git repository that a folder is in, or the folder itself where it is in none."""
        return cls(repository_root(folder) or folder)

    def read(self, path: str) -> bytes | None:
        """Read a file.

        Args:
            path: relative to the root.

        Returns:
            Its content, or more of it than a definition may have; None where there is no such file, or a
            link leads out of the tree.
        """
        try:
            file = (self._root / path).resolve()
            if not file.is_relative_to(self._root):
                return None
            with file.open("rb") as stream:
                return stream.read(_LONGEST + 1)
        except (OSError, ValueError, RuntimeError):
            return None
