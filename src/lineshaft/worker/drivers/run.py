"""The driver of `run` tasks: a program in a workspace, called directly, by a shell or as a builder."""

import os
from datetime import timedelta
from functools import partial
from pathlib import Path

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.executor import Broken, Command, Container, Executor, Exit, NotStarted
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.wire.work import BuilderWorkMessage, ExecWorkMessage, RunWorkMessage
from lineshaft.worker.drivers.run_outcome import run_outcome
from lineshaft.worker.environment import left_out, span_id, trace_id
from lineshaft.worker.files import with_files
from lineshaft.worker.files.keeping_service_logs import keep_service_logs
from lineshaft.worker.harvest import harvest
from lineshaft.worker.invocation import NoProgramError, script_invocation
from lineshaft.worker.otlp import NO_ENDPOINTS, Endpoints, telemetry_for
from lineshaft.worker.place import Place, Places
from lineshaft.worker.source import Source, Sources

_Result = Exit | NotStarted | Broken


class RunDriver:
    """Runs programs; a fresh checkout lies in the workspace where the pipeline has a repository."""

    def __init__(
        self,
        executor: Executor,
        sources: Sources,
        places: Places,
        *,
        grace: timedelta,
        endpoints: Endpoints = NO_ENDPOINTS,
    ) -> None:
        """Prepare to run programs.

        Args:
            executor: isolates them.
            sources: lends the workspaces in which they run.
            places: puts around them what they are to find.
            grace: how long a program may go on after it was asked to end.
            endpoints: where build entry points send what they tell; by default into their own logs.
        """
        self._executor = executor
        self._sources = sources
        self._places = places
        self._grace = grace
        self._endpoints = endpoints

    async def perform(self, assignment: Assignment) -> Outcome:
        """Run the program to its end; see `worker.driver.Driver`."""
        refusal = self._places.refusal(assignment.lease)
        if refusal is not None:
            return refusal
        async with self._sources.checked_out(assignment) as source:
            if isinstance(source, Outcome):
                return source
            outcome = await self._perform_at(assignment, source)
            await self._sources.keep_failed(assignment, source, outcome)
            return outcome

    async def _perform_at(self, assignment: Assignment, source: Source) -> Outcome:
        container = self._places.container(assignment.lease, source)
        if container is not None:
            # Of what is placed in the workspace, nothing may come into an image that is built from it.
            built = await self._executor.build(container, assignment.log, assignment.stop)
            if not isinstance(built, Container):
                return run_outcome(assignment, built)
            container = built
        work = partial(self._perform_with, assignment, source, container)
        return await with_files(assignment, source.folder, self._sources.branches_of, work)

    async def _perform_with(
        self, assignment: Assignment, source: Source, container: Container | None
    ) -> Outcome:
        async with self._places.place(assignment, source, container) as place:
            return place if isinstance(place, Outcome) else await self._perform_in(assignment, place)

    async def _perform_in(self, assignment: Assignment, place: Place) -> Outcome:
        if names := left_out(assignment.lease):
            await assignment.log.write_lines(f"Not set, for no task may set them: {', '.join(names)}\n")
        try:
            result = await self._call(assignment, place)
        except NoProgramError as error:
            return Outcome(State.FAILED, Reason(ReasonCode.COMMAND_NOT_STARTED, str(error)))
        await keep_service_logs(assignment, place.service_logs)
        outcome = run_outcome(assignment, result)
        if outcome.state is not State.SUCCEEDED:
            return outcome
        return await harvest(outcome, assignment, place.source.folder, place.handover)

    async def _call(self, assignment: Assignment, place: Place) -> _Result:
        work = assignment.lease.work
        match work:
            case RunWorkMessage(command=script, shell=shell):
                # What is on an image's path only its own container can tell.
                path = place.environment.get("PATH", os.defpath) if place.container is None else None
                argv = script_invocation(shell, script, place.handover, place.layout, path)
                return await self._execute(assignment, place, argv)
            case ExecWorkMessage(arguments=arguments):
                return await self._execute(assignment, place, arguments)
            case BuilderWorkMessage(arguments=arguments):
                return await self._call_builder(assignment, place, arguments)
            case _:
                raise TypeError(f"the run driver was given work of kind '{work.kind}'")

    async def _call_builder(
        self, assignment: Assignment, place: Place, arguments: tuple[str, ...]
    ) -> _Result:
        lease = assignment.lease
        async with telemetry_for(self._endpoints, assignment.log, assignment.masking) as telemetry:
            argv = (
                *arguments,
                *("-s", lease.pipeline_name),
                *("-i", trace_id(lease.address)),
                *("-d", span_id(lease.address)),
                *("-t", telemetry.traces),
                *("-l", telemetry.logs),
                *("-c", str(place.layout.changeset)),
            )
            return await self._execute(assignment, place, argv)

    async def _execute(self, assignment: Assignment, place: Place, argv: tuple[str, ...]) -> _Result:
        lease = assignment.lease
        command = Command(
            argv=argv,
            cwd=Path(place.layout.cwd),
            env=place.environment,
            timeout=None if lease.timeout_seconds is None else timedelta(seconds=lease.timeout_seconds),
            grace=self._grace,
            label=self._places.label(lease),
            writable=place.writable,
            readable=place.readable,
            container=place.container,
        )
        return await self._executor.execute(command, assignment.log, assignment.stop)
