"""The files by which a worker and a task tell each other something, outside of the workspace."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.worker.removal import FOLDER_FLAGS

CHANGESET: Final = "changeset"
OUTPUT: Final = "output"
MASK: Final = "mask"

_MODE: Final = 0o600
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Handover:
    """The files of one attempt, in a folder of its own.

    Attributes:
        folder: holds them and is empty otherwise.
        results: another folder, for results; lent empty as well, because to make and remove one here costs an
            attempt more than all its files do.
    """

    folder: Path
    results: Path

    @property
    def changeset(self) -> Path:
        """Holds a changed path per line."""
        return self.folder / CHANGESET

    @property
    def output(self) -> Path:
        """Takes the task's outputs."""
        return self.folder / OUTPUT

    @property
    def mask(self) -> Path:
        """Takes the secrets that the task makes, a line each."""
        return self.folder / MASK

    def fill(self, changeset: Sequence[str] | None) -> None:
        """Make the files.

        Args:
            changeset: the changed paths; None where they are not known, which an empty file says as well.
        """
        text = "".join(f"{path}\n" for path in changeset or ())
        _write(self.changeset, text)
        _write(self.output, "")
        _write(self.mask, "")

    def script(self, text: str, suffix: str) -> Path:
        """Write a script for a shell that reads it from a file.

        Args:
            text: the script.
            suffix: the end of the file's name, which some shells insist on.
        """
        path = self.folder / f"script{suffix}"
        _write(path, text)
        return path

    def clear(self) -> None:
        """Remove the files, as far as a task has left them as they were; the rest is its folder's owner's."""
        with contextlib.suppress(OSError):
            # A task may have put a link in the folder's place.
            folder = os.open(self.folder, FOLDER_FLAGS)
            try:
                for name in os.listdir(folder):  # noqa: PTH208 - paths cannot name an open folder.
                    os.unlink(name, dir_fd=folder)
            finally:
                os.close(folder)


def _write(path: Path, text: str) -> None:
    # A name in a changeset may be no UTF-8; it goes out as the bytes that came in.
    with os.fdopen(os.open(path, _NEW, _MODE), "wb") as file:
        file.write(text.encode(errors="surrogateescape"))
