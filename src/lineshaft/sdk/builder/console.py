"""What a build tells whoever started it by hand."""

import contextlib
import sys
import threading
from datetime import datetime

from lineshaft.sdk.builder.result import Status
from lineshaft.sdk.builder.span import Span


class Console:
    """Prints each line behind the path of its node."""

    def __init__(self) -> None:
        """Print on standard output."""
        self._turn = threading.Lock()

    def line(self, span: Span, text: str) -> None:
        """Print a line."""
        show(f"{span.path} | {text}", self._turn)

    def ended(self, span: Span, ended: datetime, status: Status, detail: str) -> None:
        """Say nothing; the tree at the end tells it."""


def show(text: str, turn: threading.Lock) -> None:
    """Print a line that the terminal may not be able to show as it is, and one at a time."""
    encoding = sys.stdout.encoding or "utf-8"
    # A reader that has gone away is no reason to end a build.
    with turn, contextlib.suppress(BrokenPipeError):
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stdout.flush()
