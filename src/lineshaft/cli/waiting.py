"""A sign of life on the terminal while a command waits."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from lineshaft.cli.terminal import console, is_live, printable

_PATIENCE_SECONDS: Final = 1.0


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say what we wait for, once that takes over a second and where a person looks at standard error."""
    if not is_live(sys.stderr):
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_show, args=(text, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _show(text: str, over: threading.Event) -> None:
    if not over.wait(_PATIENCE_SECONDS):
        with console(sys.stderr).status(printable(text)):
            over.wait()
