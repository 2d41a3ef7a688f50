"""The way of an attempt's output to the server: in order, in large pieces, with back-pressure."""

import asyncio
import logging
from collections import deque
from functools import partial
from typing import Final

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import LineshaftError, StaleLeaseError
from lineshaft.sdk.agent.patience import Patience
from lineshaft.sdk.worker_protocol import WorkerProtocol

_LOG: Final = logging.getLogger("lineshaft.worker")

PIECE_BYTES: Final = 1 << 20
"""The most that one append carries."""

BUFFER_BYTES: Final = 4 << 20
"""How much may wait to be sent before whoever writes has to wait."""


class LogUpload:
    """Takes an attempt's output and appends it to its log on the server.

    While one append is under way, what comes is collected; the next append takes it all. So a quick writer
    makes large pieces and a slow one is passed on at once, without a timer.
    """

    def __init__(
        self, protocol: WorkerProtocol, patience: Patience, address: AttemptAddress, token: str
    ) -> None:
        self._protocol = protocol
        self._patience = patience
        self._address = address
        self._token = token
        self._offset = 0
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._sending: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._dead = False

    async def write(self, data: bytes) -> None:
        """Take the next bytes; waits while too many are on their way. Drops them once the lease is dead."""
        if self._dead:
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        while self._pending_bytes >= BUFFER_BYTES and not self._sending.done():
            self._room.clear()
            await self._room.wait()

    async def finish(self) -> None:
        """Wait until all that was written is durable on the server, or the lease is dead."""
        if self._sending is not None:
            await self._sending

    async def _send(self) -> None:
        try:
            while self._pending:
                piece = self._next_piece()
                self._offset = await self._patience.until_available(
                    partial(self._protocol.append_log, self._address, self._token, self._offset, piece)
                )
                self._pending_bytes -= len(piece)
                self._room.set()
        except LineshaftError as error:
            if not isinstance(error, StaleLeaseError):
                _LOG.warning("The server takes no more of an attempt's log: %s", error)
            # Somebody else has the attempt now, or it has ended; what it prints is nobody's any more.
            self._dead = True
            self._pending.clear()
        finally:
            self._room.set()

    def _next_piece(self) -> bytes:
        piece = self._pending.popleft()
        if len(piece) >= PIECE_BYTES or not self._pending:
            if len(piece) > PIECE_BYTES:
                self._pending.appendleft(piece[PIECE_BYTES:])
                piece = piece[:PIECE_BYTES]
            return piece
        parts = [piece]
        size = len(piece)
        while self._pending and size + len(self._pending[0]) <= PIECE_BYTES:
            parts.append(self._pending.popleft())
            size += len(parts[-1])
        return b"".join(parts)
