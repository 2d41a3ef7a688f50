"""The second driver: runs an application, and looks at what it prints."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from lineshaft.sdk.driver import Result, Task, driver, serve

FOLDER = Path(os.environ.get("CONVEYOR_FOLDER", "."))


@driver(name="test", resources=["app"], events=["created", "updated", "resynced"])
async def test_app(task: Task) -> Result:
    """Run applications, and look at what they print."""
    with (FOLDER / "calls").open("a") as calls:
        calls.write(f"{task.run.node} {task.event} {task.run.attempt}\n")
    app = task.resource
    if app is None:
        return Result.failure("There is no application to test.")
    if app.deleted:
        return Result.success("There is nothing to test any more.")
    # Along the conveyor there is an artifact. By itself, this driver tests the source.
    artifact = task.inputs.get("artifact")
    program = [artifact] if artifact else ["-c", app.spec["source"]]
    process = await asyncio.create_subprocess_exec(sys.executable, *program, stdout=PIPE, stderr=STDOUT)
    try:
        printed = (await process.communicate())[0].decode(errors="replace").strip()
    finally:
        # What was cancelled leaves no program behind.
        if process.returncode is None:
            process.kill()
            await process.wait()
    task.log(printed)
    if process.returncode:
        return Result.failure(f"It ended with exit code {process.returncode}.")
    expected = app.spec.get("prints", printed)
    if printed != expected:
        return Result.failure(f"It printed {printed!r}, and was to print {expected!r}.")
    return Result.success("tested", printed=printed)


if __name__ == "__main__":
    serve(test_app)
