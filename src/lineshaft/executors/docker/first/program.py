"""The program of the first process, as a file that an engine can show to containers."""

import hashlib
import os
import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

_MACHINES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
"""The names that engines have for the processors that there is a program for."""

_EXECUTABLE: Final = 0o755


class FirstProgram:
    """Lies in a folder that the engine can see, for each kind of processor once it was asked for."""

    def __init__(self, folder: Path) -> None:
        """Write nothing yet.

        Args:
            folder: where it is to lie; the engine finds it under the same path.
        """
        self._folder: Final = folder
        self._paths: Final[dict[str, Path]] = {}

    def path(self, machine: str) -> Path | None:
        """Find the program, and write it where it is not there as it should be.

        Args:
            machine: the kind of processor, as the engine calls it.

        Returns:
            Where it lies; None where there is none for such processors.

        Raises:
            OSError: it cannot be written.
        """
        kind = _MACHINES.get(machine)
        if kind is None:
            return None
        if (known := self._paths.get(kind)) is not None and known.exists():
            return known
        content = resources.files(__package__).joinpath(f"first-{kind}").read_bytes()
        path = self._folder / f"first-{hashlib.sha256(content).hexdigest()[:16]}"
        if not _is_good(path, content):
            _write(path, content)
        self._paths[kind] = path
        return path


def _is_good(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content and path.stat().st_mode & 0o777 == _EXECUTABLE
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes) -> None:
    # Another worker may do the same at this moment, and containers may run the one that is there.
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".first-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), _EXECUTABLE)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
