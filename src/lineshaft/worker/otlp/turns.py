"""Two writers of one log: what a program prints, and what is told of it line by line."""

import asyncio
from typing import Final

from lineshaft.ports.executor import ByteSink

_PIECE_BYTES: Final = 1 << 20
"""The most that `ByteSink.write` takes."""


class Turns:
    """Lets several write to a log, one at a time, and keeps lines apart."""

    def __init__(self, log: ByteSink) -> None:
        self._log: Final = log
        self._turn = asyncio.Lock()
        self._within_line = False

    async def write(self, data: bytes) -> None:
        """Take the next bytes of what the program prints; see `ByteSink`."""
        async with self._turn:
            await self._write(data)

    async def write_lines(self, text: str) -> None:
        """Take whole lines, which begin on a new one even when the program is in the middle of its own."""
        async with self._turn:
            data = text.encode(errors="replace")
            await self._write(b"\n" + data if data and self._within_line else data)

    async def _write(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE_BYTES):
            piece = data[start : start + _PIECE_BYTES]
            await self._log.write(piece)
            self._within_line = not piece.endswith(b"\n")
