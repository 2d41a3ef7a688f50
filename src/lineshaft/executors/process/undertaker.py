"""Burying what commands orphan and what dies long before they do."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from lineshaft.executors.process.children import CHILDREN
from lineshaft.executors.process.table import ProcessTable


class Undertaker:
    """Goes round while commands run, lest their dead orphans fill the process table.

    Whoever adopts has init's duty, and no event tells of an orphan's death without taking SIGCHLD from
    uvloop; so this goes by time. A round reads one small file when nobody has died.
    """

    def __init__(self, table: ProcessTable, pause: timedelta) -> None:
        """Wait to be called.

        Args:
            table: the machine's processes.
            pause: how long to wait between two rounds.
        """
        self._table: Final = table
        self._pause: Final = pause
        self._commands = 0
        self._next: asyncio.TimerHandle | None = None

    @contextlib.contextmanager
    def on_duty(self) -> Iterator[None]:
        """Go round until the last of those who called has been served."""
        self._commands += 1
        if self._next is None:
            self._wait()
        try:
            yield
        finally:
            self._commands -= 1
            if self._commands == 0 and self._next is not None:
                self._next.cancel()
                self._next = None

    def _wait(self) -> None:
        self._next = asyncio.get_running_loop().call_later(self._pause.total_seconds(), self._go_round)

    def _go_round(self) -> None:
        CHILDREN.strangers(self._table, asyncio.get_running_loop().time())
        self._wait()
