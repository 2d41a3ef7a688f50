"""A named pipe by which a stage's process itself says that it runs."""

import os
import select
from pathlib import Path
from typing import Final, Self

from measure.failure import BenchmarkError

_LIMIT_SECONDS: Final = 120.0


class SignalPipe:
    """A FIFO that stages write lines to; its reader sleeps in the kernel until one comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # Open for writing too, so that no writer waits for a reader and none ever reads an end.
        self._descriptor = os.open(path, os.O_RDWR)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
        self.path.unlink()

    def command(self, line: str) -> str:
        """Make the shell command that writes one line here: its shell's first act."""
        return f"echo {line} > {self.path}"

    def next(self) -> str:
        """Wait for the next line.

        Raises:
            BenchmarkError: none came in time.
        """
        while b"\n" not in self._rest:
            if not select.select([self._descriptor], [], [], _LIMIT_SECONDS)[0]:
                raise BenchmarkError(f"no process of a stage spoke within {_LIMIT_SECONDS:.0f} s")
            self._rest += os.read(self._descriptor, 1 << 16)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()
