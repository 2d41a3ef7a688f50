"""What stands at the other end of an output stream, and text that is safe to show there."""

import os
import re
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_WIDE: Final = 10_000
"""Columns where nobody looks: lines for programs are never wrapped."""


def is_live(stream: TextIO) -> bool:
    """Whether a stream is a terminal on which what was printed can be replaced."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO) -> bool:
    """Whether to print in colour: only on a terminal, and not where NO_COLOR is set (no-color.org)."""
    return is_live(stream) and not os.environ.get("NO_COLOR")


def printable(text: str) -> str:
    """Replace what could steer a terminal, such as escape sequences in the name of someone else's stage."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def console(stream: TextIO) -> "Console":
    """Open a rich console on a stream."""
    from rich.console import Console

    return Console(
        file=stream,
        force_terminal=is_live(stream),
        color_system="auto" if has_colour(stream) else None,
        width=None if stream.isatty() else _WIDE,
        highlight=False,
        markup=False,
        emoji=False,
    )
