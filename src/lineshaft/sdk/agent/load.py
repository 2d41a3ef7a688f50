"""How busy the host's processors are, and whether that leaves room for more work."""

import logging
import time
from collections.abc import Callable
from typing import Final

import psutil

_LOG: Final = logging.getLogger("lineshaft.worker")
_FRESH_SECONDS: Final = 1.0
"""A mean over less than this is chance."""


def host_load() -> float:
    """Tell how busy this host's processors were since the last call, from 0 to 1."""
    return float(psutil.cpu_percent(interval=None)) / 100


class LoadGate:
    """Lets work in while the host's processors are not too busy."""

    def __init__(
        self,
        limit: float | None = None,
        source: Callable[[], float] = host_load,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch a host.

        Args:
            limit: how busy its processors may be, from 0 to 1; None lets work in however busy they are.
            source: tells how busy they were since it was last asked.
            clock: tells the time in seconds.
        """
        self._limit = limit
        self._source = source
        self._clock = clock
        self._load = 0.0
        # What has been until now is the start of this very process.
        source()
        self._looked_at = clock()
        self._open = True

    def load(self) -> float:
        """Tell how busy they are, from 0 to 1: what was seen in the last second, else what is seen now."""
        now = self._clock()
        if now - self._looked_at >= _FRESH_SECONDS:
            self._looked_at = now
            self._load = min(max(self._source(), 0.0), 1.0)
        return self._load

    def is_open(self) -> bool:
        """Tell whether work may come in now."""
        if self._limit is None:
            return True
        load = self.load()
        is_open = load <= self._limit
        if is_open != self._open:
            self._open = is_open
            text = "takes tasks again" if is_open else "takes no task until they are less so"
            _LOG.info("The processors are %.0f %% busy: this worker %s.", load * 100, text)
        return is_open
