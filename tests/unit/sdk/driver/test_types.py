"""What type checkers see: what is decorated keeps its type."""

from collections.abc import Callable, Coroutine
from typing import Any, assert_type

from lineshaft.sdk.driver import Result, Task, driver


@driver(name="one")
async def one(task: Task) -> Result:
    return Result.success(task.event)


@driver(name="two")
def two(task: Task) -> dict[str, int]:
    return {"length": len(task.event)}


@driver(name="three")
class Three:
    def __init__(self, size: int) -> None:
        self.size = size

    async def reconcile(self, task: Task) -> None:
        del task


def test_what_is_decorated_keeps_its_type() -> None:
    as_async: Callable[[Task], Coroutine[Any, Any, Result]] = one
    as_plain: Callable[[Task], dict[str, int]] = two
    assert_type(Three(3), Three)
    assert (as_async, as_plain) == (one, two)
    assert_type(Three(3).size, int)
