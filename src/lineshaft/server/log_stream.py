"""A node's log as a stream of events."""

import base64
import codecs
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Self

from lineshaft.model.errors import InvalidInputError, Problem
from lineshaft.model.run import Run
from lineshaft.server.sent_events import HEARTBEAT, end_event, sent_event
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.logs import NodeLog

_CURSOR: Final = re.compile(r"(?:([1-9][0-9]{0,8}):)?([0-9]{1,18})")
_PIECE_BYTES: Final = 64 * 1024
"""Small enough that an event, in which a byte may take six, is below what readers of such streams take."""

_DECODER: Final = codecs.getincrementaldecoder("utf-8")


@dataclass(frozen=True, slots=True)
class LogCursor:
    """A place in the log of one of a node's attempts: what an event's id says.

    Without the attempt, a reader that comes back after the next attempt has begun would go on in a log that
    it never read the beginning of.

    Attributes:
        attempt: which attempt; None means the one that the request is for.
        offset: in bytes.
    """

    attempt: int | None
    offset: int

    @classmethod
    def parse(cls, text: str, *, field: str) -> Self:
        """Read `ATTEMPT:OFFSET` or `OFFSET`; nothing means the log's beginning.

        Raises:
            InvalidInputError: the text is neither.
        """
        match = _CURSOR.fullmatch(text or "0")
        if match is None:
            raise bad_cursor(field, "must be the id of an event of this stream, or an offset in bytes")
        attempt, offset = match.groups()
        return cls(None if attempt is None else int(attempt), int(offset))

    def __str__(self) -> str:
        return str(self.offset) if self.attempt is None else f"{self.attempt}:{self.offset}"


def bad_cursor(field: str, message: str) -> InvalidInputError:
    """Say why a stream cannot be resumed there."""
    return InvalidInputError(
        "The stream cannot be resumed there.",
        problems=[Problem(field, message)],
        advice="Leave it out to read from the beginning.",
    )


async def log_events(plane: ControlPlane, path: str, log: NodeLog, start: int) -> AsyncGenerator[bytes, None]:
    """Go through a node's log from byte `start` as events, first waiting for its first attempt if need be.

    Args:
        plane: whose run it is.
        path: the node's path.
        log: of which attempt, with the run of that moment, so that no event falls between the two.
        start: the first byte to send.

    Yields:
        `log` events with the pieces, heartbeats, and one `end` with the node's state.
    """
    if log.address is None and not log.state.complete:
        async with aclosing(_until_attempted(plane, log.run, log.node)) as waiting:
            async for heartbeat in waiting:
                yield heartbeat
        log = await plane.logs.find(log.run.id, path)
    if log.address is not None:
        pieces = Pieces(log.address.attempt, start)
        async with aclosing(plane.logs.follow(log, start)) as chunks:
            async for chunk in chunks:
                for event in [HEARTBEAT] if chunk is None else pieces.take(chunk):
                    yield event
        for event in pieces.rest():
            yield event
    # The log's end was read from the database, a moment before this process may remember what came with it.
    ended = await plane.logs.find(log.run.id, path)
    yield end_event(ended.run.nodes[ended.node].state)


async def _until_attempted(plane: ControlPlane, run: Run, node: int) -> AsyncGenerator[bytes, None]:
    async with aclosing(plane.runs.follow(run.id, after=run.event_count)) as events:
        async for event in events:
            if event is None:
                yield HEARTBEAT
            elif event.node == node and (event.attempt or event.state.ended):
                return


class Pieces:
    """Cuts a log's bytes into events, between characters where it is UTF-8."""

    def __init__(self, attempt: int, offset: int) -> None:
        self._attempt = attempt
        self._offset = offset
        self._tail = b""

    def take(self, chunk: bytes) -> list[bytes]:
        """Return the events that can be sent now that these bytes have come."""
        data = self._tail + chunk
        events = []
        at = 0
        while at < len(data):
            piece = data[at : at + _PIECE_BYTES]
            text, length = _decoded(piece)
            if not length:
                break
            events.append(self._event(piece[:length], text))
            at += length
        self._tail = data[at:]
        return events

    def rest(self) -> list[bytes]:
        """Return what is left when nothing comes any more."""
        data, self._tail = self._tail, b""
        return [self._event(data, None)] if data else []

    def _event(self, data: bytes, text: str | None) -> bytes:
        piece = {"base64": base64.b64encode(data).decode()} if text is None else {"text": text}
        piece_at = {"offset": self._offset, **piece}
        self._offset += len(data)
        cursor = LogCursor(self._attempt, self._offset)
        return sent_event("log", piece_at, identity=str(cursor))


def _decoded(data: bytes) -> tuple[str | None, int]:
    """Read bytes as UTF-8, but for a character at their end that is not complete.

    Returns:
        The text, None where the bytes are no UTF-8; and how many bytes it stands for.
    """
    decoder = _DECODER()
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError:
        decoder = _DECODER(errors="replace")
        decoder.decode(data)
        text = None
    undecided, _ = decoder.getstate()
    return text, len(data) - len(undecided)
