"""Progress: now and then a line in a task's log about files that take a while."""

import time
from collections.abc import Callable
from typing import Final

from lineshaft.sdk.masking import MaskedLog

_PAUSE_SECONDS: Final = 10.0
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024


def size_text(size_bytes: int) -> str:
    """Write a number of bytes for people."""
    if size_bytes < _STEP:
        return f"{size_bytes} bytes"
    size = float(size_bytes)
    for unit in _UNITS:
        size /= _STEP
        if size < _STEP or unit == _UNITS[-1]:
            break
    return f"{size:.1f} {unit}"


def counted(number: int, noun: str) -> str:
    """Write a number of things for people."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Progress:
    """Tells how far something is, once in some seconds."""

    def __init__(self, log: MaskedLog, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Tell of something.

        Args:
            log: the task's.
            what: the beginning of the line, such as `artifact 'dist': sent`.
            clock: tells the time in seconds.
        """
        self._log = log
        self._what = what
        self._clock = clock
        self._told_at = clock()
        self._bytes = 0

    async def moved(self, size_bytes: int) -> None:
        """Count so many more bytes."""
        self._bytes += size_bytes
        now = self._clock()
        if now - self._told_at >= _PAUSE_SECONDS:
            self._told_at = now
            await self._log.write_lines(f"{self._what} {size_text(self._bytes)} so far\n")
