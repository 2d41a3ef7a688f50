"""The only way of what an attempt writes into its log: masked, by several writers, one at a time."""

import asyncio
from collections.abc import Iterator
from typing import Final

from lineshaft.ports.executor import ByteSink
from lineshaft.sdk.masking.masker import PIECE_BYTES, MaskedStream
from lineshaft.sdk.masking.masking import Masking

_WRITE_BYTES: Final = 1 << 20
"""The most that `ByteSink.write` takes."""


class MaskedLog:
    """Takes what a program prints, and whole lines of others; passes both on, masked.

    What the program prints is one stream, in which a secret is found wherever it was cut, and whatever lines
    of others came in between.
    """

    def __init__(self, log: ByteSink, masking: Masking) -> None:
        """Write to `log` what is left when what `masking` knows is masked."""
        self._log: Final = log
        self._masking: Final = masking
        self._program: Final = MaskedStream()
        self._turn: Final = asyncio.Lock()
        self._within_line = False

    async def write(self, data: bytes) -> None:
        """Take the next bytes of what the program prints; see `ByteSink`."""
        async with self._turn:
            await self._look()
            masker = self._masking.masker
            for piece in _pieces(data, PIECE_BYTES) if masker else (data,):
                await self._pass_on(self._program.feed(piece, masker))
                if len(piece) < len(data):
                    # A large piece is not to keep the loop from others.
                    await asyncio.sleep(0)

    async def write_lines(self, text: str) -> None:
        """Take whole lines, which begin on a new one even when the program is in the middle of its own."""
        async with self._turn:
            await self._look()
            await self._write_lines(text)

    async def finish(self) -> None:
        """Pass on what was held back, when nothing more is printed."""
        async with self._turn:
            await self._look()
            await self._pass_on(self._program.finish(self._masking.masker))

    async def _look(self) -> None:
        await self._masking.look()
        for sentence in self._masking.take_sentences():
            await self._write_lines(f"{sentence}\n")

    async def _write_lines(self, text: str) -> None:
        data = self._masking.masker.mask(text.encode(errors="replace"))
        for piece in _pieces(b"\n" + data if data and self._within_line else data, _WRITE_BYTES):
            await self._pass_on(piece)

    async def _pass_on(self, data: bytes) -> None:
        if data:
            await self._log.write(data)
            self._within_line = not data.endswith(b"\n")


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    if len(data) <= size:
        yield data
        return
    for start in range(0, len(data), size):
        yield data[start : start + size]
