"""`run FILE`: a pipeline on this machine, without a server, through the services, store and worker of one."""

import asyncio
import json
import logging
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lineshaft.cli.display import display_of
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.input_text import InputText
from lineshaft.cli.logs import LogPrinter
from lineshaft.cli.output import Output, print_json_line
from lineshaft.definition import read_definition, read_rest
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidInputError
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.sdk.run import NodeView, RunView, StateChange
from lineshaft.wire.run import event_document, run_document

if TYPE_CHECKING:
    from lineshaft.model.run import Run
    from lineshaft.services.control_plane import ControlPlane

_LEASE_TIME: Final = timedelta(seconds=30)
_JSON_LOG_BYTES: Final = 64 * 1024
"""How much of the end of a failed task's log stands in its JSON object."""


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How to run.

    Attributes:
        slots: how many tasks at once.
        output: who reads.
    """

    slots: int
    output: Output


def run_locally(text: InputText, *, slots: int | None, source: Path | None, output: Output) -> ExitCode:
    """Run a pipeline to its end, shown as it goes, with the logs of what failed behind it.

    Args:
        text: the definition.
        slots: how many tasks at once; None takes the machine's default.
        source: a repository here, in place of the one that the definition names.
        output: who reads.

    Raises:
        InvalidDefinitionError: the definition makes no sense.
        InvalidInputError: there is no repository at `source`.
    """
    from lineshaft.executors.settings import default_slots

    definition = read_rest(text.data)
    if source is not None:
        definition = _with_source(definition, _repository_around(source))
    _quieten()
    options = LocalOptions(slots or default_slots(), output)
    with tempfile.TemporaryDirectory(prefix="lineshaft-") as folder:
        run, interrupted = asyncio.run(_run(definition, Path(folder), options))
    return ExitCode.INTERRUPTED if interrupted else ExitCode.of_run(run.state)


async def _run(definition: Definition, folder: Path, options: LocalOptions) -> tuple[RunView, bool]:
    async with _control_plane(folder) as plane, _working(plane, folder, options.slots):
        pipeline = await plane.pipelines.create(definition)
        run = await plane.runs.trigger(pipeline.id)
        interrupted = _cancel_when_interrupted(plane, run)
        with display_of(_view(run), definition.name, options.output, SystemClock()) as display:
            async for event in plane.runs.follow(run.id):
                if event is not None:
                    display.change(StateChange.from_document(event_document(run.tree, event)))
            ended = _view(await plane.runs.get(run.id))
            display.ended(ended)
        for node in ended.tasks:
            if node.state.unsuccessful and node.attempt:
                await _print_log(plane, ended, node, options.output)
        return ended, interrupted.is_set()


@asynccontextmanager
async def _control_plane(folder: Path) -> AsyncIterator["ControlPlane"]:
    from lineshaft.definition.compiling.generated import read_generated
    from lineshaft.services.control_plane import ControlPlane
    from lineshaft.store import open_store

    ids = RandomIds()
    store = await open_store(
        "sqlite://", ids=ids, read_definition=read_definition, read_generated=read_generated
    )
    try:
        plane = ControlPlane(
            store,
            BlobFolder(folder / "blobs"),
            SystemClock(),
            ids,
            check=lambda _: None,
            lease_time=_LEASE_TIME,
        )
        async with plane.running():
            yield plane
    finally:
        await store.close()


@asynccontextmanager
async def _working(plane: "ControlPlane", folder: Path, slots: int) -> AsyncIterator[None]:
    from lineshaft.worker.assembly import WorkerPlan, open_agent

    # Whoever runs a file here may read every repository here anyway.
    plan = WorkerPlan(name="local", data=folder, slots=slots, git_roots=(Path("/"),))
    async with open_agent(plan, plane.desk) as agent:
        working = asyncio.create_task(agent.run())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait({working})


def _cancel_when_interrupted(plane: "ControlPlane", run: "Run") -> asyncio.Event:
    """Cancel the run at the first interrupt; the second ends this process as it would any."""
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    cancellations: set[asyncio.Task[Run]] = set()

    def cancel() -> None:
        interrupted.set()
        loop.remove_signal_handler(signal.SIGINT)
        print_note("Stopping the run; interrupt again to end at once.")
        cancellations.add(loop.create_task(plane.runs.cancel(run.id)))

    loop.add_signal_handler(signal.SIGINT, cancel)
    return interrupted


async def _print_log(plane: "ControlPlane", run: RunView, node: NodeView, output: Output) -> None:
    log = await plane.logs.find(run.id, node.path)
    size = log.state.size_bytes
    if output is Output.JSON:
        start = max(0, size - _JSON_LOG_BYTES)
        tail = b"".join([data async for data in plane.logs.read(log, start, size)])
        print_json_line({"path": node.path, "attempt": node.attempt, "log": tail.decode("utf-8", "replace")})
        return
    printer = LogPrinter(output, headings=True)
    if size:
        printer.begin(node.path, node.kind, node.attempt)
        async for data in plane.logs.read(log, 0, size):
            printer.write(data)
    elif node.reason is not None:
        printer.nothing(node)


def _view(run: "Run") -> RunView:
    return RunView.from_document(run_document(run))


def _with_source(definition: Definition, repository: Path) -> Definition:
    return read_rest(json.dumps(json.loads(definition.text) | {"git_repository": str(repository)}).encode())


def _repository_around(folder: Path) -> Path:
    """Find the repository that a folder is in, and say what of it a run does not see."""
    found = subprocess.run(
        ["git", "-C", folder, "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=False
    )
    if found.returncode:
        bare = (folder / "HEAD").exists() and (folder / "objects").exists()
        if not bare:
            raise InvalidInputError(
                f"'{folder}' is in no git repository.", advice="Name a folder that is, or leave --source out."
            )
        return folder.resolve()
    status = subprocess.run(
        ["git", "-C", folder, "status", "--porcelain"], capture_output=True, text=True, check=False
    )
    if status.stdout.strip():
        print_note("What is not committed is not part of the run.")
    return Path(found.stdout.rstrip("\n"))


def _quieten() -> None:
    # The display tells what runs do; what is left to log are faults of ours.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("pipeline").setLevel(logging.CRITICAL)
