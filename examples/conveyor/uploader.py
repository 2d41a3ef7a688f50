"""The third driver: brings an application out, and takes it away when it is deleted."""

import hashlib
import os
from pathlib import Path

from lineshaft.sdk.driver import Resource, Result, Task, driver, serve

FOLDER = Path(os.environ.get("CONVEYOR_FOLDER", "."))


@driver(name="upload", resources=["app"])
class Upload:
    """Bring applications out."""

    def reconcile(self, task: Task) -> Result:
        """Have the folder of the pipeline's channel hold what is wanted."""
        with (FOLDER / "calls").open("a") as calls:
            calls.write(f"{task.run.node} {task.event} {task.run.attempt}\n")
        if task.resource is None:
            return Result.failure("There is no application to upload.")
        target = FOLDER / task.context.metadata.get("channel", "unordered") / task.resource.name
        if task.resource.deleted:
            target.unlink(missing_ok=True)
            return Result.success(f"{task.resource.name} is gone")
        content = self._content(task, task.resource)
        if content is None:
            return Result.failure("The artifact is not the one that was compiled.")
        target.parent.mkdir(exist_ok=True)
        # Whoever reads meanwhile sees the former one, or this one, and no half.
        coming = target.with_name(f".{target.name}.{task.run.id}")
        coming.write_bytes(content)
        coming.replace(target)
        task.progress(1, f"{len(content)} bytes")
        return Result.success(f"uploaded {task.resource.name}", place=str(target))

    def _content(self, task: Task, app: Resource) -> bytes | None:
        """Read what is to be uploaded; None where it is not what the compiler made."""
        artifact = task.inputs.get("artifact")
        if not artifact:
            return str(app.spec["source"]).encode()
        content = Path(artifact).read_bytes()
        compiled = task.context.results["compile"].data
        return content if hashlib.sha256(content).hexdigest() == compiled["sha256"] else None


if __name__ == "__main__":
    serve(Upload)
