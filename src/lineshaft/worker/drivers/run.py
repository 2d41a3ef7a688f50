"""The driver of `run` tasks: a command in a shell, in a workspace of its own."""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.definition.repository import without_credentials
from lineshaft.executors.label import attempt_label
from lineshaft.integrations.git.mirror import Mirrors
from lineshaft.model.errors import SourceError, SourceRefusedError
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.executor import Command, Ending, Executor, Exit, NotStarted
from lineshaft.wire.work import RunWorkMessage
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.driver import Assignment
from lineshaft.worker.drivers.limits import stopped_outcome, timed_out_outcome, within_limits
from lineshaft.worker.workspace import Workspaces

_SHELL: Final = ("/bin/sh", "-c")


class RunDriver:
    """Runs commands; a fresh checkout lies in the workspace where the pipeline has a repository."""

    def __init__(
        self,
        executor: Executor,
        workspaces: Workspaces,
        mirrors: Mirrors,
        *,
        label_prefix: str,
        grace: timedelta,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare to run commands.

        Args:
            executor: isolates them.
            workspaces: where they run.
            mirrors: where their sources come from.
            label_prefix: of the labels of this worker's processes.
            grace: how long a command may go on after it was asked to end.
            environment: what commands inherit, but for LINESHAFT_*; None takes that of this process.
        """
        self._executor = executor
        self._workspaces = workspaces
        self._mirrors = mirrors
        self._label_prefix = label_prefix
        self._grace = grace
        inherited = os.environ if environment is None else environment
        self._environment = {
            name: value for name, value in inherited.items() if not name.startswith("LINESHAFT_")
        }

    async def perform(self, assignment: Assignment) -> Outcome:
        """Run the command to its end; see `worker.driver.Driver`."""
        work = assignment.lease.work
        if not isinstance(work, RunWorkMessage):
            raise TypeError(f"the run driver was given work of kind '{work.kind}'")
        folder = self._workspaces.lend()
        try:
            commit: str | None = None
            if assignment.lease.repository is not None:
                checked_out = await within_limits(assignment, self._checkout(assignment, folder))
                if isinstance(checked_out, Outcome):
                    return checked_out
                commit = checked_out
            result = await self._executor.execute(
                self._command(assignment.lease, work.command, folder, commit),
                assignment.log,
                assignment.stop,
            )
            return _outcome(assignment, result)
        except SourceError as error:
            return _source_outcome(assignment.lease, error)
        finally:
            await self._workspaces.take_back(folder)

    async def _checkout(self, assignment: Assignment, folder: Path) -> str:
        lease = assignment.lease
        mirror = self._mirrors.of(lease.repository or "")
        commit = lease.commit
        if commit is None:
            commit = await assignment.resolve_source(await mirror.resolve(lease.address.run_id))
        await mirror.ensure(commit)
        await mirror.checkout(commit, folder)
        return commit

    def _command(self, lease: LeaseMessage, script: str, folder: Path, commit: str | None) -> Command:
        address = lease.address
        environment = self._environment | {
            "CI": "true",
            "LINESHAFT_RUN_ID": str(address.run_id),
            "LINESHAFT_RUN_NUMBER": str(lease.run_number),
            "LINESHAFT_PIPELINE_ID": str(lease.pipeline_id),
            "LINESHAFT_PIPELINE_NAME": lease.pipeline_name,
            "LINESHAFT_NODE": lease.path,
            "LINESHAFT_ATTEMPT": str(address.attempt),
            "LINESHAFT_WORKSPACE": str(folder),
            "PWD": str(folder),
        }
        if commit is not None:
            environment["LINESHAFT_COMMIT"] = commit
        return Command(
            argv=(*_SHELL, script),
            cwd=folder,
            env=environment,
            timeout=None if lease.timeout_seconds is None else timedelta(seconds=lease.timeout_seconds),
            grace=self._grace,
            label=attempt_label(self._label_prefix, address),
        )


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


def _source_outcome(lease: LeaseMessage, error: SourceError) -> Outcome:
    address = without_credentials(lease.repository or "")
    if isinstance(error, SourceRefusedError):
        text = f"The source {address} cannot be used: {error.message}"
        return Outcome(State.FAILED, Reason(ReasonCode.SOURCE_REFUSED, text))
    text = f"The source {address} cannot be fetched: {error.message}"
    return Outcome(State.FAILED, Reason(ReasonCode.SOURCE_UNREACHABLE, text))
