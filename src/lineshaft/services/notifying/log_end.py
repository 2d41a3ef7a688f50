"""The last lines of a log, for people who read mail."""

import asyncio
import re
from typing import Final
from uuid import UUID

from lineshaft.model.errors import LineshaftError
from lineshaft.services.logs import LogService

_PATIENCE_SECONDS: Final = 15.0
_LINES: Final = 20
_BYTES: Final = 8 * 1024
_LONGEST_LINE: Final = 300
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|\x1b.")


async def log_end(logs: LogService, run_id: UUID, path: str) -> tuple[str, ...]:
    """Read the last lines of a node's log, without colours; none where the log cannot be had soon."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            log = await logs.find(run_id, path)
            start = max(0, log.state.size_bytes - _BYTES)
            data = b"".join([piece async for piece in logs.read(log, start, log.state.size_bytes)])
    except (LineshaftError, OSError, TimeoutError):
        # The mail is worth more than its last lines.
        return ()
    return last_lines(data, cut=start > 0)


def last_lines(data: bytes, *, cut: bool = False) -> tuple[str, ...]:
    """Make plain text of the end of a log.

    Args:
        data: the end of it.
        cut: whether it may begin within a line.
    """
    # Only line feeds end lines here: a carriage return goes back to the beginning of its own.
    lines = data.decode(errors="replace").removesuffix("\n").split("\n") if data else []
    whole = lines[1:] if cut else lines
    return tuple(_shown(line) for line in whole[-_LINES:])


def _shown(line: str) -> str:
    # A line that is drawn again and again, as by a progress bar, counts as it was last drawn.
    plain = _ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2]).replace("\t", "    ")
    return "".join(each for each in plain if each.isprintable())[:_LONGEST_LINE]
