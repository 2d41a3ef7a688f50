"""What a service prints: to its own log, with its last lines at hand."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from lineshaft.ports.executor import ByteSink

if TYPE_CHECKING:
    from re import Pattern

_LINES: Final = 20
_LINE_BYTES: Final = 8192
_SHOWN_CHARACTERS: Final = 500


class ServiceLog:
    """Hands on what a service prints, looks for a line in it, and remembers the last ones.

    Attributes:
        found: set once a line fits what was looked for.
        failure: what the sink has raised, if it did; what comes afterwards is dropped.
    """

    def __init__(self, sink: ByteSink | None, pattern: "Pattern[str] | None") -> None:
        """Begin with nothing.

        Args:
            sink: takes all of it; None drops it.
            pattern: what a line is to fit; None looks for nothing.
        """
        self._sink: Final = sink
        self._pattern: Final = pattern
        self._line = bytearray()
        self._last: Final[deque[str]] = deque(maxlen=_LINES)
        self.found: Final = asyncio.Event()
        self.failure: Exception | None = None

    @property
    def last_lines(self) -> list[str]:
        """The last lines, each cut where it is long; also one that has no end yet."""
        begun = [_text(self._line)] if self._line else []
        return [line[:_SHOWN_CHARACTERS] for line in [*self._last, *begun]][-_LINES:]

    async def take(self, data: bytes) -> None:
        """Take what the service has printed."""
        self._look_at(data)
        if self._sink is None or self.failure is not None or not data:
            return
        try:
            await self._sink.write(data)
        except Exception as error:  # noqa: BLE001 - a sink may raise anything; whoever runs the task is told.
            self.failure = error

    def _look_at(self, data: bytes) -> None:
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._add(part)
            self._end_line()
        self._add(rest)

    def _add(self, part: bytes) -> None:
        # What is beyond the limit of a line is passed over, so that memory stays flat.
        self._line += part[: _LINE_BYTES - len(self._line)]

    def _end_line(self) -> None:
        line = _text(self._line).removesuffix("\r")
        self._line.clear()
        self._last.append(line)
        if self._pattern is not None and not self.found.is_set() and self._pattern.search(line):
            self.found.set()


def _text(line: bytes | bytearray) -> str:
    return line.decode(errors="replace")
