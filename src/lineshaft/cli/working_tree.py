"""The files of a repository as they are on this machine, committed or not."""

from functools import cached_property
from pathlib import Path
from typing import Final

from lineshaft.cli.checkout import repository_root

_LONGEST: Final = 1 << 20
"""How many bytes a fragment may have; what is longer need not be read to its end to be refused."""


class WorkingTree:
    """Hands out the files around a folder to definitions that name them.

    They are those of the git repository that the folder is in, or of the folder itself where it is in none.
    """

    def __init__(self, folder: Path) -> None:
        """Hand out the files around `folder`; where they are is found out when the first is asked for."""
        self._folder: Final = folder

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

    @cached_property
    def _root(self) -> Path:
        return (repository_root(self._folder) or self._folder).resolve()
