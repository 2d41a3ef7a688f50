"""Runs shell commands on behalf of HTTP requests, and does nothing else that a CI system does.

Nothing is validated, queued, stored or followed, and nobody has to say who he is. What is left is what no
system can leave out: to read a request, start a process, collect what it prints, see it end, and answer. Its
arguments are a port, a number of slots and a folder.
"""

import asyncio
import fcntl
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse

PIPE_BYTES: Final = 1 << 20

app = FastAPI()


@dataclass(slots=True)
class Run:
    """A run and how its stages ended."""

    log: Path
    exit_codes: list[int] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Plan:
    """What a request asks for."""

    commands: list[str]
    parallel: bool
    repository: str | None


runs: dict[str, Run] = {}
tasks: set[asyncio.Task[None]] = set()
numbers = itertools.count(1)
slots = asyncio.Semaphore(int(sys.argv[2]))
folder = Path(sys.argv[3])


@app.get("/health")
@app.get("/empty")
async def empty() -> dict[str, str]:
    """Answer."""
    return {}


@app.post("/runs", status_code=202)
async def trigger(request: Request) -> dict[str, str]:
    """Begin a run; a first stage without a checkout is started before the answer is written."""
    plan = Plan(**(await request.json()))
    key = str(next(numbers))
    runs[key] = Run(folder / f"{key}.log")
    keep(asyncio.create_task(execute(runs[key], plan)))
    await asyncio.sleep(0)
    return {"id": key}


@app.get("/runs/{key}/end")
async def end(key: str) -> dict[str, list[int]]:
    """Answer when the run has ended."""
    await runs[key].ended.wait()
    return {"exit_codes": runs[key].exit_codes}


@app.get("/runs/{key}/log")
async def log(key: str) -> FileResponse:
    """Serve the log."""
    return FileResponse(runs[key].log)


def keep(task: asyncio.Task[None]) -> None:
    """Keep a task from being collected before it is done: the loop itself does not."""
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def execute(run: Run, plan: Plan) -> None:
    """Run the stages."""
    with run.log.open("wb", buffering=0) as output:
        if plan.parallel:
            stages = (stage(command, plan.repository, output.fileno()) for command in plan.commands)
            run.exit_codes += await asyncio.gather(*stages)
        else:
            for command in plan.commands:
                run.exit_codes.append(await stage(command, plan.repository, output.fileno()))
    run.ended.set()


async def stage(command: str, repository: str | None, output: int) -> int:
    """Run one stage in a slot."""
    async with slots:
        if repository is None:
            return await shell(["/bin/sh", "-c", command], None, output)
        workspace = Path(tempfile.mkdtemp(dir=folder))
        code = await check_out(repository, workspace, output)
        code = code or await shell(["/bin/sh", "-c", command], workspace, output)
        keep(asyncio.create_task(asyncio.to_thread(shutil.rmtree, workspace)))
        return code


async def check_out(repository: str, workspace: Path, output: int) -> int:
    """Fill a workspace by one git process."""
    borrow(repository, workspace)
    return await shell(["git", "read-tree", "-u", "--reset", "HEAD"], workspace, output)


def borrow(repository: str, workspace: Path) -> None:
    """Make a clone without objects of its own, which borrows those of the bare repository."""
    git = workspace / ".git"
    (git / "objects/info").mkdir(parents=True)
    (git / "refs").mkdir()
    (git / "HEAD").write_text(Path(repository, "HEAD").read_text())
    (git / "packed-refs").write_text(Path(repository, "packed-refs").read_text())
    (git / "objects/info/alternates").write_text(f"{repository}/objects\n")
    (git / "config").write_text("[core]\n\trepositoryformatversion = 0\n")


async def shell(arguments: list[str], workspace: Path | None, output: int) -> int:
    """Run a process, what it prints into the file `output`, and return its exit code."""
    process = spawn(arguments, workspace)
    assert process.stdout is not None
    with process.stdout as pipe:
        await copy(pipe.fileno(), output)
    descriptor = os.pidfd_open(process.pid)
    try:
        await readable(descriptor)
    finally:
        os.close(descriptor)
    return process.wait()


def spawn(arguments: list[str], workspace: Path | None) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own; the event loop has nothing better to do meanwhile."""
    return subprocess.Popen(
        arguments,
        cwd=workspace,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


async def copy(source: int, target: int) -> None:
    """Copy from a pipe until its last writer has closed it."""
    fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    await readable(source)
    while data := os.read(source, PIPE_BYTES):
        os.write(target, data)
        await readable(source)


async def readable(descriptor: int) -> None:
    """Wait until a descriptor can be read."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
