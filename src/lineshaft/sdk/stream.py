"""Server-sent events that survive lost connections (WHATWG HTML, section 9.2)."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final

import httpx2

from lineshaft.model.errors import UnavailableError
from lineshaft.ports.clock import Clock

Connect = Callable[[str], AbstractContextManager[httpx2.EventSource]]
"""Opens the stream behind the event of that id; an empty id asks for all of it."""

OnLost = Callable[[UnavailableError], None]
"""Hears of a lost connection."""

RECONNECT_DELAYS: Final = tuple(timedelta(seconds=wait) for wait in (0.1, 0.3, 1, 2, 5, 5, 10, 10, 10, 15))
"""How long to wait before each try to connect again: about a minute in all, enough for a server's restart."""

_STEADY: Final = timedelta(seconds=10)
"""A connection that held this long had nothing wrong with it, so that what follows counts anew."""

END: Final = "end"
"""The event behind which nothing comes."""


def resumed(
    connect: Connect,
    *,
    last_id: str,
    delays: Sequence[timedelta],
    clock: Clock,
    on_lost: OnLost,
) -> Iterator[httpx2.ServerSentEvent]:
    """Go through a stream's events up to its end, connecting again where the connection is lost.

    Args:
        connect: opens the stream; it raises UnavailableError, also out of the opened stream, where trying
            again may help.
        last_id: the id of the event behind which to begin.
        delays: how long to wait before each further try; it gives up when none is left.
        clock: tells how long a connection held.
        on_lost: hears of each lost connection before the wait.

    Raises:
        UnavailableError: the first connection failed, or no further one could be made.
    """
    failures = 0
    while True:
        connected_at = None
        try:
            with connect(last_id) as source:
                connected_at = clock.now()
                for event in source:
                    if event.event == END:
                        return
                    failures, last_id = 0, event.id
                    yield event
            lost = UnavailableError("The server ended the stream early.", advice="Try again later.")
        except UnavailableError as error:
            if connected_at is None and not failures:
                raise
            lost = error
        if connected_at is not None and clock.now() - connected_at >= _STEADY:
            failures = 0
        if failures == len(delays):
            raise lost
        on_lost(lost)
        time.sleep(delays[failures].total_seconds())
        failures += 1
