"""A driver for the conformance suite: it does what its input `behaviour` says.

lineshaft driver check -- python checked.py
"""

import asyncio
from pathlib import Path

from lineshaft.sdk.driver import Result, Task, driver, serve


@driver(name="checked", resources=["app"])
async def checked(task: Task) -> Result:
    """Do what the input `behaviour` says."""
    match task.inputs.get("behaviour"):
        case "succeed":
            return Result.success("succeeded, as it was told", value=task.inputs["value"])
        case "fail":
            return Result.failure("failed, as it was told")
        case "log":
            for number in range(1, task.inputs["lines"] + 1):
                task.log(f"line {number}")
            return Result.success("logged, as it was told")
        case "wait":
            task.log("waiting")
            until = Path(task.inputs["until"])
            while not await asyncio.to_thread(until.exists):
                try:
                    await asyncio.wait_for(task.cancelled.wait(), 0.1)
                except TimeoutError:
                    continue
                return Result.failure("stopped, as it was told")
            return Result.success("waited, as it was told")
        case other:
            return Result.failure(f"There is no behaviour {other!r}.")


if __name__ == "__main__":
    serve(checked)
