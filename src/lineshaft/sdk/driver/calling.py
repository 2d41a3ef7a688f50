"""Calling a driver's function: an async one in the loop, a plain one in a thread of its own."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lineshaft.sdk.driver.decorator import Registered
from lineshaft.sdk.driver.task import Task


@dataclass(frozen=True, slots=True)
class Returned:
    """The function has returned.

    Attributes:
        value: whatever it returned.
    """

    value: object


@dataclass(frozen=True, slots=True)
class Raised:
    """The function has raised.

    Attributes:
        error: whatever it raised.
    """

    error: BaseException


Ending = Returned | Raised


class Call:
    """A call of a driver's function that is going on.

    Attributes:
        ended: holds how it ended, when it has; it is never cancelled, and never holds an exception.
    """

    def __init__(self, driver: Registered, task: Task) -> None:
        """Call the function; in the loop."""
        self.ended: asyncio.Future[Ending]
        self._in_loop: asyncio.Task[Ending] | None = None
        if driver.is_async:
            self._in_loop = asyncio.create_task(_awaited(driver.reconcile, task))
            self.ended = self._in_loop
        else:
            self.ended = _in_thread(driver, task)

    def cancel(self) -> bool:
        """Cancel it; False for a plain function, which nobody can."""
        if self._in_loop is None:
            return False
        self._in_loop.cancel()
        return True


async def _awaited(reconcile: Callable[[Task], Any], task: Task) -> Ending:
    # What ends whole programs elsewhere, such as sys.exit(), ends a task here: others are under way.
    try:
        return Returned(await reconcile(task))
    except BaseException as error:  # noqa: BLE001
        return Raised(error)


def _in_thread(driver: Registered, task: Task) -> asyncio.Future[Ending]:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Ending] = loop.create_future()
    context = contextvars.copy_context()

    def settle(ending: Ending) -> None:
        if not ended.done():
            ended.set_result(ending)

    def work() -> None:
        ending: Ending
        try:
            ending = Returned(context.run(driver.reconcile, task))
        except BaseException as error:  # noqa: BLE001 - as above.
            ending = Raised(error)
        # The program may have gone on to its end without it.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, ending)

    # A daemon, lest one that never ends keeps the program from its end.
    threading.Thread(target=work, name=f"lineshaft-{driver.name}", daemon=True).start()
    return ended
