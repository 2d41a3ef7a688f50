"""Server-sent events as bytes (WHATWG HTML, section 9.2)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi.sse import format_sse_event

from lineshaft.model.state import State

HEARTBEAT: Final = b": still here\n\n"
"""A comment, which keeps a silent stream's connection from being taken for dead."""


def sent_event(kind: str, data: Mapping[str, Any], *, identity: str | None = None) -> bytes:
    """Write an event.

    Args:
        kind: its type.
        data: a document.
        identity: its id, by which a reader resumes behind it.
    """
    # In ASCII, because some readers take more than line feeds for the end of a line.
    return format_sse_event(event=kind, data_str=json.dumps(data, separators=(",", ":")), id=identity)


def end_event(state: State) -> bytes:
    """Say that nothing comes any more, and where what was followed stands."""
    return sent_event("end", {"state": state.value})
