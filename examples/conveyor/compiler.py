"""The first driver: makes one file of an application, which Python runs."""

import hashlib
import os
import zipfile
from pathlib import Path

from lineshaft.sdk.driver import Result, Task, driver, serve

FOLDER = Path(os.environ.get("CONVEYOR_FOLDER", "."))


@driver(name="compile", resources=["app"])
def compile_app(task: Task) -> Result:
    """Compile applications."""
    with (FOLDER / "calls").open("a") as calls:
        calls.write(f"{task.run.node} {task.event} {task.run.attempt}\n")
    app = task.resource
    if app is None:
        return Result.failure("There is no application to compile.")
    if app.deleted:
        return Result.success("There is nothing to compile any more.", artifact="")
    task.log(f"Compiling {app.name}, version {app.version}.")
    try:
        compile(app.spec["source"], app.name, "exec")
    except SyntaxError as error:
        return Result.failure(f"Line {error.lineno} is no Python.", line=error.lineno)
    artifact = FOLDER / f"{app.name}-{app.version}.pyz"
    with zipfile.ZipFile(artifact, "w") as packed:
        packed.writestr(zipfile.ZipInfo("__main__.py"), app.spec["source"])
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    return Result.success(f"compiled {artifact.name}", artifact=str(artifact), sha256=digest)


if __name__ == "__main__":
    serve(compile_app)
