"""An event loop under virtual time, whose tasks run in an order that a seed decides."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from random import Random
from typing import Any, Final, TypeVar, TypeVarTuple

from simulation.process import CURRENT, WORLD, Process

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_Call = tuple[asyncio.Handle, Callable[..., object], tuple[Any, ...], Context]
_Timer = tuple[float, int, asyncio.TimerHandle, Callable[..., object], tuple[Any, ...], Context]

MOST_STEPS: Final = 400_000
"""No seed needs a tenth of it; one that does goes in circles."""


class StuckError(Exception):
    """Nothing can happen any more, or the same things happen for ever."""


class NumberedTask(asyncio.Task[T]):
    """A task that knows its number, and the process that it dies with."""

    def __init__(
        self,
        coroutine: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        number: int,
        loop: asyncio.AbstractEventLoop,
        name: str | None,
        context: Context | None,
    ) -> None:
        # Both are asked for as soon as the task is scheduled, which its base class does at once.
        self.number = number
        process = CURRENT.get() if context is None else context.get(CURRENT)
        self.process: Final[Process | None] = process
        super().__init__(coroutine, loop=loop, name=name, context=context)


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs one task at a time, and moves time on when nothing is left to run.

    Steps of one task keep their order. Of different tasks that could go on, chance picks the next, whatever
    the order in which they were woken, since nothing promises one. Callbacks that are no task's run before
    all tasks, in order. A process that is dead runs nothing.
    """

    def __init__(self, random: Random) -> None:
        """Begin at time 0."""
        super().__init__()
        self._random = random
        self._now = 0.0
        self._steps = 0
        self._numbers = 0
        self._callbacks: deque[_Call] = deque()
        self._ready: dict[int, deque[tuple[NumberedTask[Any], _Call]]] = {}
        self._timers: list[_Timer] = []
        self._buried: list[Callable[[], None]] = []
        self._tasks: dict[int, NumberedTask[Any]] = {}
        self._thawed = False
        self.errors: list[dict[str, Any]] = []

    @property
    def steps(self) -> int:
        """How many steps tasks have made."""
        return self._steps

    def time(self) -> float:
        """Tell the virtual time, in seconds from the beginning."""
        return self._now

    def get_debug(self) -> bool:
        """Say that there is no debugging."""
        return False

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
        **_: Any,
    ) -> asyncio.Task[T]:
        """Make a task of the process at work."""
        self._numbers += 1
        task = NumberedTask(
            coro, number=self._numbers, loop=self, name=None if name is None else str(name), context=context
        )
        self._tasks[task.number] = task
        task.add_done_callback(self._forget, context=WORLD)
        return task

    def spawn(self, process: Process | None, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Make a task of another process, or of none."""
        context = copy_context()
        context.run(CURRENT.set, process)
        return self.create_task(coroutine, context=context)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run something as soon as its turn comes."""
        context = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, context)
        self._enqueue((handle, callback, args, context))
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Do the same, since there are no threads."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run something some seconds from now."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run something at a time."""
        context = copy_context() if context is None else context
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._numbers += 1
        heapq.heappush(self._timers, (when, self._numbers, handle, callback, args, context))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: a cancelled timer is passed over when its time comes."""

    def run_in_executor(  # type: ignore[override] # The base class leaves open what it returns.
        self, executor: None, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Run a function here and now; its caller hears of it later."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            value = func(*args)
        except Exception as error:  # noqa: BLE001 # It belongs to whoever waits.
            self.call_soon(_fail, future, error)
        else:
            self.call_soon(_answer, future, value)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Take down what nobody caught."""
        self.errors.append(context)

    def run_until_complete(self, future: Any) -> Any:
        """Run until a coroutine has ended, and return its result."""
        asyncio._set_running_loop(self)  # noqa: SLF001 # It is there for those who write event loops.
        try:
            task = self.spawn(None, future)
            while not task.done():
                self._step()
            return task.result()
        finally:
            asyncio._set_running_loop(None)  # noqa: SLF001 # As above.

    def unended(self) -> list["NumberedTask[Any]"]:
        """List the tasks that have not ended, those of dead processes among them."""
        return list(self._tasks.values())

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        if isinstance(task, NumberedTask):
            del self._tasks[task.number]

    def thaw(self) -> None:
        """Let what dead processes had begun go on, so that it can be cancelled and is not left behind."""
        self._thawed = True
        for enqueue in self._buried:
            enqueue()
        self._buried.clear()

    def _enqueue(self, call: _Call) -> None:
        owner = getattr(call[1], "__self__", None)
        if isinstance(owner, NumberedTask):
            self._ready.setdefault(owner.number, deque()).append((owner, call))
        else:
            self._callbacks.append(call)

    def _step(self) -> None:
        if self._callbacks:
            call = self._callbacks.popleft()
            self._perform(call, call[3].get(CURRENT))
        elif self._ready:
            # Sorted, since the order in which tasks were woken may depend on the hashes of objects.
            several = len(self._ready) > 1
            number = self._random.choice(sorted(self._ready)) if several else next(iter(self._ready))
            lane = self._ready[number]
            self._count(lane[0][0].process)
            task, call = lane.popleft()
            if not lane:
                del self._ready[number]
            self._perform(call, task.process)
        else:
            self._move_time()

    def _count(self, process: Process | None) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS and not self._thawed:
            raise StuckError(f"more than {MOST_STEPS:,} steps")
        if process is not None and process.steps_left is not None and not self._thawed:
            process.steps_left -= 1
            if process.steps_left <= 0:
                process.kill()

    def _perform(self, call: _Call, process: Process | None) -> None:
        if process is not None and not process.alive and not self._thawed:
            self._buried.append(lambda: self._enqueue(call))
            return
        handle, callback, args, context = call
        if not handle.cancelled():
            context.run(callback, *args)

    def _move_time(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise StuckError("nothing is left that could happen")
        self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            _, _, handle, callback, args, context = heapq.heappop(self._timers)
            if not handle.cancelled():
                self._enqueue((handle, callback, args, context))


def _answer(future: "asyncio.Future[T]", value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
