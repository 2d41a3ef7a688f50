"""Pipelines on this machine, without a server, through the services, store and worker of one."""

import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lineshaft.cli.checkout import Checkout
from lineshaft.cli.display import display_of
from lineshaft.cli.engine_news import PrintedNews
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.local_drivers import places_to_run, refuse_drivers
from lineshaft.cli.local_tools import LocalTools
from lineshaft.cli.logs import LogPrinter
from lineshaft.cli.output import Output, print_json_line
from lineshaft.cli.snapshot import snapshot_checkout, snapshot_folder
from lineshaft.cli.start import Start
from lineshaft.definition.dialect import Dialect
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.artifact import ArtifactKind
from lineshaft.model.callers import ANY_CALLER
from lineshaft.model.cause import Cause
from lineshaft.model.definition import Definition, Format
from lineshaft.model.errors import SecretMissingError
from lineshaft.model.run import Source
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.secret_store import GivenSecrets
from lineshaft.sdk.kept import KeptView
from lineshaft.sdk.run import NodeView, RunView, StateChange
from lineshaft.sdk.test_report import TestView
from lineshaft.wire.kept import result_document
from lineshaft.wire.run import event_document, run_document
from lineshaft.wire.tests import run_test_document

if TYPE_CHECKING:
    from lineshaft.model.run import Run
    from lineshaft.services.control_plane import ControlPlane
    from lineshaft.services.run_request import RunRequest

_LEASE_TIME: Final = timedelta(seconds=30)

_JSON_LOG_BYTES: Final = 64 * 1024
"""How much of the end of a failed task's log stands in its JSON object."""


@dataclass(frozen=True, slots=True)
class LocalPipeline:
    """A pipeline to run.

    Attributes:
        definition: what it does.
        folder: where its source is when the definition does not say.
        dialect: the language in which it is written.
        source_given: whether the folder counts even where the definition names a repository.
    """

    definition: Definition
    folder: Path
    dialect: Dialect
    source_given: bool = False

    @property
    def works_on_folder(self) -> bool:
        """Whether its source is the folder. A freestyle pipeline of the REST format has no source at all."""
        if self.source_given:
            return True
        return self.definition.repository is None and self.dialect is not Dialect.REST


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How to run.

    Attributes:
        slots: how many tasks at once; None takes the machine's default.
        output: who reads.
        start: what runs are started with; overrides have been applied.
        cause: what counts as having started them.
        tools: with what tasks run.
        all_logs: whether to print the logs of what succeeded as well.
        secrets: what tasks may name, by name.
        untrusted: whether what is run counts as a change that is not trusted.
    """

    slots: int | None
    output: Output
    start: Start
    cause: Cause
    tools: LocalTools
    all_logs: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    untrusted: bool = False


def run_locally(
    pipelines: Sequence[LocalPipeline], called: Sequence[LocalPipeline], options: LocalOptions
) -> ExitCode:
    """Run pipelines to their ends, one after the other, with the logs of what failed behind each.

    Args:
        pipelines: what to run.
        called: further pipelines, which those may call.
        options: how to run.

    Returns:
        That of the first run that did not succeed, if one did not.

    Raises:
        InvalidInputError: the inputs are not what a pipeline asks for, there is no such source, or a task is
            for a driver, which only a server has.
        NodeNotFoundError: there is no such node to run, or to begin from.
        SecretMissingError: tasks name secrets that were not given.
    """
    _quieten()
    refuse_drivers(
        [each.definition for each in pipelines], [each.definition for each in called], options.start
    )
    if not options.untrusted:
        _check_secrets(pipelines, options)
    with tempfile.TemporaryDirectory(prefix="lineshaft-") as folder:
        return asyncio.run(_run_all(pipelines, called, options, Path(folder)))


async def _run_all(
    pipelines: Sequence[LocalPipeline], called: Sequence[LocalPipeline], options: LocalOptions, folder: Path
) -> ExitCode:
    sources = _Sources(folder / "sources", options.start)
    worst = ExitCode.OK
    async with (
        _control_plane(folder, options) as plane,
        _working(plane, folder, options, _caches_of(pipelines)),
    ):
        for pipeline in called:
            source = sources.find(pipeline)
            await plane.pipelines.create(_definition_at(pipeline.definition, source))
        for pipeline in pipelines:
            if options.output is Output.JSON and len(pipelines) > 1:
                print_json_line({"pipeline": pipeline.definition.name})
            run, interrupted = await _run(plane, pipeline, options, sources.find(pipeline))
            if interrupted:
                return ExitCode.INTERRUPTED
            worst = worst or ExitCode.of_run(run.state)
    return worst


async def _run(
    plane: "ControlPlane", pipeline: LocalPipeline, options: LocalOptions, source: Source | None
) -> tuple[RunView, bool]:
    created = await plane.pipelines.create(pipeline.definition)
    run = await plane.runs.trigger(created.id, _request(options, source))
    interrupted = _cancel_when_interrupted(plane, run)
    with display_of(_view(run), pipeline.definition.name, options.output, SystemClock()) as display:
        async for event in plane.runs.follow(run.id):
            if event is None:
                continue
            if event.node >= len(run.tree):
                run = await plane.runs.get(run.id, events=event.number)
                display.grown(_view(run))
            display.change(StateChange.from_document(event_document(run.tree, event)))
        run = await plane.runs.get(run.id)
        ended = _view(run)
        display.ended(ended)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
    for node in ended.tasks:
        if node.attempt and (options.all_logs or node.state.unsuccessful):
            await _print_log(plane, ended, node, options.output)
    if options.output is Output.JSON:
        print_json_line({"run": run_document(run)})
    else:
        await _tell_of_tests(plane, run)
    return ended, interrupted.is_set()


def _check_secrets(pipelines: Sequence[LocalPipeline], options: LocalOptions) -> None:
    from lineshaft.services.secrets.wanted import names_in

    missing: set[str] = set()
    for pipeline in pipelines:
        places = places_to_run(pipeline.definition, options.start)
        missing |= names_in(places) - options.secrets.keys()
    if missing:
        raise SecretMissingError(
            missing,
            advice="Give each by --secret NAME, out of the environment, or all by --secrets-file FILE.",
        )


def _definition_at(definition: Definition, source: Source | None) -> Definition:
    """Have a pipeline name the repository that it works on; who calls it says no more than its name.

    Nobody has the id here that it has on a server. So a pipeline that lists ids lets any of these call it.
    """
    from lineshaft.definition import read_definition

    if definition.format is not Format.NATIVE:
        return definition
    named = json.loads(definition.text)
    if source is not None:
        named["repository"] = source.repository
    if definition.callable_by.ids:
        named["callable_by"] = ANY_CALLER
    return read_definition(definition.format, json.dumps(named, ensure_ascii=False, separators=(",", ":")))


def _request(options: LocalOptions, source: Source | None) -> "RunRequest":
    from lineshaft.services.run_request import RunRequest

    start = options.start
    return RunRequest(
        inputs=start.inputs,
        ref=start.ref,
        changed=start.changed,
        only=start.only,
        from_=start.from_,
        cause=options.cause,
        revision=source,
        untrusted=options.untrusted,
    )


class _Sources:
    """Finds what pipelines work on that say nothing of it, each folder once."""

    def __init__(self, folder: Path, start: Start) -> None:
        self._folder = folder
        self._start = start
        self._found: dict[Path, Source] = {}

    def find(self, pipeline: LocalPipeline) -> Source | None:
        """Find the source of a pipeline; None where its definition tells it, or it has none."""
        if not pipeline.works_on_folder:
            return None
        folder = pipeline.folder.resolve()
        if folder not in self._found:
            checkout = self._checkout(folder)
            self._found[folder] = checkout.source(self._start.changed)
        return self._found[folder]

    def _checkout(self, folder: Path) -> Checkout:
        if self._start.ref is not None:
            return Checkout.at(folder, self._start.ref)
        target = self._folder / str(len(self._found))
        checkout = Checkout.around(folder)
        if checkout is None:
            return snapshot_folder(folder, target)
        return snapshot_checkout(checkout, target) if checkout.uncommitted else checkout


@asynccontextmanager
async def _control_plane(folder: Path, options: LocalOptions) -> AsyncIterator["ControlPlane"]:
    from lineshaft.definition import read_definition, read_generated
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
            # This machine is the only worker, whatever tasks ask of theirs.
            places=False,
            other_secrets=(GivenSecrets(options.secrets),),
        )
        async with plane.running():
            yield plane
    finally:
        await store.close()


@asynccontextmanager
async def _working(
    plane: "ControlPlane", folder: Path, options: LocalOptions, caches: Path
) -> AsyncIterator[None]:
    from lineshaft.cli.local_caches import LocalCaches
    from lineshaft.executors.settings import KNOWN_HOSTS, ExecutorChoice, default_slots
    from lineshaft.worker.assembly import open_agent
    from lineshaft.worker.engine import EngineWatch
    from lineshaft.worker.plan import WorkerPlan

    plan = WorkerPlan(
        name="local",
        data=folder,
        slots=options.slots or default_slots(),
        # Whoever runs a file here may read every repository here anyway.
        git_roots=(Path("/"),),
        executor=ExecutorChoice(options.tools.executor),
        default_image=options.tools.default_image,
        docker_host=options.tools.docker_host,
        ssh_agent=options.tools.ssh_agent,
        known_hosts=options.tools.known_hosts or KNOWN_HOSTS,
        ignore_images=options.tools.ignore_images,
    )
    files = LocalCaches(plane.files.desk, caches, keeps=not options.untrusted)
    patience = options.tools.engine_patience
    watch = EngineWatch(PrintedNews(patience), patience)
    async with open_agent(plan, plane.fleet.desk, files=files, watch=watch) as agent:
        working = asyncio.create_task(agent.run())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait({working})
            files.close()


def _caches_of(pipelines: Sequence[LocalPipeline]) -> Path:
    from lineshaft.cli.local_caches import cache_folder

    return cache_folder(os.environ, frozenset(pipeline.folder.resolve() for pipeline in pipelines))


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


async def _tell_of_tests(plane: "ControlPlane", run: "Run") -> None:
    from lineshaft.cli.test_summary import FAILURES, MOST_FAILURES, MOST_RESULTS, print_tests
    from lineshaft.services.tests import TestFilter

    shown = await plane.files.shown.list(
        run.id, ArtifactKind.RESULT, attempt=None, offset=0, limit=MOST_RESULTS
    )
    results = [KeptView.from_document(result_document(run.id, each.artifact, each.tests)) for each in shown]
    failed = TestFilter(states=frozenset(FAILURES))
    found = await plane.tests.of_run(run.id, failed, offset=0, limit=MOST_FAILURES)
    print_tests(results, [TestView.from_document(run_test_document(each)) for each in found.shown])


def _view(run: "Run") -> RunView:
    return RunView.from_document(run_document(run))


def _quieten() -> None:
    # The display tells what runs do; what is left to log are faults of ours.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("pipeline").setLevel(logging.CRITICAL)
