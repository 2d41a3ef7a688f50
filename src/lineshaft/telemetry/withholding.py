"""Withholding: what is secret for the moment is in none of the program's own log lines either."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

Mask = Callable[[str], str]
"""Replaces what is secret in a text."""

_MASKS: Final[dict[object, Mask]] = {}


@contextmanager
def withholding(mask: Mask) -> Iterator[None]:
    """Have all lines that are logged meanwhile masked, tracebacks included."""
    key = object()
    _MASKS[key] = mask
    try:
        yield
    finally:
        del _MASKS[key]


class WithholdingFormatter(logging.Formatter):
    """Formats as its base class does, and masks what comes of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        text = super().format(record)
        for mask in list(_MASKS.values()):
            text = mask(text)
        return text
