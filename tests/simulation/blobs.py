"""The blob store of a simulated fleet."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from lineshaft.model.errors import NotFoundError, UnavailableError
from simulation.faults import Faults

_PIECE_BYTES: Final = 1 << 20


class SharedBlobs:
    """Blobs in memory that all servers share; see `lineshaft.ports.blobs.Blobs`."""

    def __init__(self, faults: Faults) -> None:
        """Begin with none."""
        self._faults = faults
        self.stored: dict[str, bytes] = {}

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Store chunks, all or nothing."""
        data = b"".join([chunk async for chunk in chunks])
        await asyncio.sleep(self._faults.delay())
        self._perhaps_fail()
        self.stored[key] = data
        await asyncio.sleep(self._faults.delay())
        self._perhaps_fail()
        return len(data)

    async def read(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Read a range in pieces."""
        for at in range(start, stop, _PIECE_BYTES):
            await asyncio.sleep(self._faults.delay())
            self._perhaps_fail()
            if key not in self.stored:
                raise NotFoundError(f"There is no blob '{key}'.")
            yield self.stored[key][at : min(at + _PIECE_BYTES, stop)]

    async def delete(self, key: str) -> None:
        """Remove a blob."""
        self._perhaps_fail()
        self.stored.pop(key, None)

    def _perhaps_fail(self) -> None:
        if self._faults.happens(self._faults.rates.blob):
            raise UnavailableError("The blob store does not answer.")
