"""One sink for several that write at the same time."""

import asyncio
from typing import Final

from lineshaft.ports.executor import ByteSink


class InTurns:
    """Hands on what it is given, one after the other, however many write at a time."""

    def __init__(self, sink: ByteSink) -> None:
        """Write to a sink that nobody else writes to.

        Args:
            sink: takes what is written.
        """
        self._sink: Final = sink
        self._turn: Final = asyncio.Lock()
        self._in_line = False

    async def write(self, data: bytes) -> None:
        """Take the next bytes; see `ports.executor.ByteSink.write`."""
        async with self._turn:
            await self._write(data)

    async def line(self, text: str) -> None:
        """Write a line of our own, which begins behind whatever stands there.

        Args:
            text: without the line's end; it may itself have several lines.
        """
        async with self._turn:
            beginning = "\n" if self._in_line else ""
            await self._write(f"{beginning}{text}\n".encode(errors="replace"))

    async def _write(self, data: bytes) -> None:
        await self._sink.write(data)
        self._in_line = not data.endswith(b"\n")


def in_turns(sink: ByteSink) -> InTurns:
    """Have several write to a sink, which may be one already that they can."""
    return sink if isinstance(sink, InTurns) else InTurns(sink)
