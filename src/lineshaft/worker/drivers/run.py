"""The driver of `run` tasks: a program in a workspace, called directly, by a shell or as a builder."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from lineshaft.executors.label import attempt_label
from lineshaft.model.image import ImageBuild
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.executor import Command, Ending, Executor, Exit, NotStarted
from lineshaft.wire.work import BuilderWorkMessage, ExecWorkMessage, RunWorkMessage
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.confined import OutsideError, confined
from lineshaft.worker.driver import Assignment
from lineshaft.worker.drivers.limits import stopped_outcome, timed_out_outcome
from lineshaft.worker.environment import inheritable, left_out, span_id, task_environment, trace_id
from lineshaft.worker.files import with_files
from lineshaft.worker.handover import Handover
from lineshaft.worker.harvest import harvest
from lineshaft.worker.invocation import NoProgramError, script_invocation
from lineshaft.worker.otlp import NO_ENDPOINTS, Endpoints, telemetry_for
from lineshaft.worker.source import Source, Sources
from lineshaft.worker.workspace import Workspaces

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one attempt runs.

    Attributes:
        handover: its files.
        source: its workspace.
        cwd: where in the workspace it starts.
        environment: all of its environment.
    """

    handover: Handover
    source: Source
    cwd: Path
    environment: Mapping[str, str]


class RunDriver:
    """Runs programs; a fresh checkout lies in the workspace where the pipeline has a repository."""

    def __init__(
        self,
        executor: Executor,
        sources: Sources,
        handovers: Workspaces,
        *,
        label_prefix: str,
        grace: timedelta,
        environment: Mapping[str, str] | None = None,
        ignore_images: bool = False,
        endpoints: Endpoints = NO_ENDPOINTS,
    ) -> None:
        """Prepare to run programs.

        Args:
            executor: isolates them.
            sources: lends the workspaces in which they run.
            handovers: lends the folders by which they and the worker tell each other something.
            label_prefix: of the labels of this worker's processes.
            grace: how long a program may go on after it was asked to end.
            environment: what programs inherit, but for LINESHAFT_*; None takes that of this process.
            ignore_images: whether a task that asks for an image or for services runs here without them.
            endpoints: where build entry points send what they tell; by default into their own logs.
        """
        self._executor = executor
        self._sources = sources
        self._handovers = handovers
        self._label_prefix = label_prefix
        self._grace = grace
        self._environment = inheritable(os.environ if environment is None else environment)
        self._ignore_images = ignore_images
        self._endpoints = endpoints

    async def perform(self, assignment: Assignment) -> Outcome:
        """Run the program to its end; see `worker.driver.Driver`."""
        lease = assignment.lease
        if (lease.image is not None or lease.services) and not self._ignore_images:
            return _no_images(lease)
        async with self._sources.checked_out(assignment) as source:
            if isinstance(source, Outcome):
                return source
            work = partial(self._perform_with, assignment, source)
            return await with_files(assignment, source.folder, self._sources.branches_of, work)

    async def _perform_with(self, assignment: Assignment, source: Source) -> Outcome:
        handover = Handover(self._handovers.lend(), self._handovers.lend())
        try:
            handover.fill(assignment.lease.changeset)
            async with assignment.masking.reading(handover.mask):
                return await self._perform_in(assignment, source, handover)
        finally:
            handover.clear()
            await self._handovers.take_back(handover.folder)
            await self._handovers.take_back(handover.results)

    async def _perform_in(self, assignment: Assignment, source: Source, handover: Handover) -> Outcome:
        lease = assignment.lease
        try:
            cwd = confined(source.folder, lease.cwd)
        except OutsideError as error:
            return _folder_refused(lease.cwd, str(error))
        if not cwd.is_dir():
            return _folder_refused(lease.cwd, "is no folder")
        environment = task_environment(
            self._environment, lease, handover, workspace=source.folder, cwd=cwd, commit=source.commit
        )
        if names := left_out(lease):
            await assignment.log.write_lines(f"Not set, for no task may set them: {', '.join(names)}\n")
        place = _Place(handover, source, cwd, environment)
        try:
            result = await self._call(assignment, place)
        except NoProgramError as error:
            return Outcome(State.FAILED, Reason(ReasonCode.COMMAND_NOT_STARTED, str(error)))
        outcome = _outcome(assignment, result)
        if outcome.state is not State.SUCCEEDED:
            return outcome
        return await harvest(outcome, assignment, source.folder, handover)

    async def _call(self, assignment: Assignment, place: _Place) -> Exit | NotStarted:
        work = assignment.lease.work
        match work:
            case RunWorkMessage(command=script, shell=shell):
                argv = script_invocation(shell, script, place.handover, place.environment)
                return await self._execute(assignment, place, argv)
            case ExecWorkMessage(arguments=arguments):
                return await self._execute(assignment, place, arguments)
            case BuilderWorkMessage(arguments=arguments):
                return await self._call_builder(assignment, place, arguments)
            case _:
                raise TypeError(f"the run driver was given work of kind '{work.kind}'")

    async def _call_builder(
        self, assignment: Assignment, place: _Place, arguments: tuple[str, ...]
    ) -> Exit | NotStarted:
        lease = assignment.lease
        async with telemetry_for(self._endpoints, assignment.log, assignment.masking) as telemetry:
            argv = (
                *arguments,
                *("-s", lease.pipeline_name),
                *("-i", trace_id(lease.address)),
                *("-d", span_id(lease.address)),
                *("-t", telemetry.traces),
                *("-l", telemetry.logs),
                *("-c", str(place.handover.changeset)),
            )
            return await self._execute(assignment, place, argv)

    async def _execute(
        self, assignment: Assignment, place: _Place, argv: tuple[str, ...]
    ) -> Exit | NotStarted:
        lease = assignment.lease
        command = Command(
            argv=argv,
            cwd=place.cwd,
            env=place.environment,
            timeout=None if lease.timeout_seconds is None else timedelta(seconds=lease.timeout_seconds),
            grace=self._grace,
            label=attempt_label(self._label_prefix, lease.address),
            writable=(place.source.folder, place.handover.folder, place.handover.results),
            readable=place.source.objects,
        )
        return await self._executor.execute(command, assignment.log, assignment.stop)


def _no_images(lease: LeaseMessage) -> Outcome:
    match lease.image:
        case None:
            what = "services beside it"
        case ImageBuild(dockerfile=dockerfile):
            what = f"an image built from '{dockerfile}'"
        case name:
            what = f"the image '{name}'"
    text = (
        f"The task wants {what}, and this worker runs tasks as plain processes. Take that out of the "
        "definition, or start the worker with --ignore-images to run such tasks without."
    )
    return Outcome(State.FAILED, Reason(ReasonCode.IMAGE_NOT_SUPPORTED, text))


def _folder_refused(folder: str, cause: str) -> Outcome:
    text = f"The task cannot run in the folder {folder[:_SHOWN]!r}, which {cause}."
    return Outcome(State.FAILED, Reason(ReasonCode.FOLDER_REFUSED, text))


def _outcome(assignment: Assignment, result: Exit | NotStarted) -> Outcome:
    if isinstance(result, NotStarted):
        return Outcome(State.FAILED, Reason(ReasonCode.COMMAND_NOT_STARTED, result.text))
    code = result.shell_code
    match result.ending:
        case Ending.STOPPED:
            return replace(stopped_outcome(), exit_code=code)
        case Ending.TIMED_OUT:
            return replace(timed_out_outcome(assignment), exit_code=code)
        case Ending.ENDED if result.signal is not None:
            text = f"The command was ended by {_signal_name(result.signal)}."
            return Outcome(State.FAILED, Reason(ReasonCode.SIGNAL, text), code)
        case Ending.ENDED if code == 0:
            return Outcome(State.SUCCEEDED, exit_code=code)
        case Ending.ENDED:
            text = f"The command exited with code {code}."
            return Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, text), code)


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} (signal {number})"
    except ValueError:
        return f"signal {number}"
