"""Loading a program that serves."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Keep the garbage collector from going through modules while they load, and ever after.

    They are no garbage as long as the program runs, and looking for it in them took a sixth of the start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
