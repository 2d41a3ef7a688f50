"""Starting a command's main process."""

import logging
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack

from lineshaft.executors.process.cgroup import Cgroup
from lineshaft.executors.process.launcher import LAUNCHER, LauncherError
from lineshaft.executors.refusal import refusal, why_unpassable
from lineshaft.ports.executor import Command, NotStarted

_LOG = logging.getLogger(__name__)


def start(
    command: Command,
    environment: Mapping[str, str],
    output: int,
    cgroup: Cgroup | None = None,
    *,
    standard_input: int | None = None,
) -> int | NotStarted:
    """Start the main process as the leader of a session of its own, and in the control group if there is one.

    No `preexec_fn` and nothing else that would keep CPython from vfork: a fork of a large worker takes
    milliseconds.

    Args:
        command: what to start.
        environment: all of the process's environment.
        output: the file descriptor for its standard output and standard error.
        cgroup: the group that it is born in, if the system allows it.
        standard_input: the file descriptor for its standard input, which is empty without one.

    Returns:
        Its pid, for the caller to wait for, or why it could not start.
    """
    if (unpassable := why_unpassable(command, environment)) is not None:
        return unpassable
    try:
        if cgroup is not None:
            try:
                return _start_within(command, environment, output, cgroup, standard_input)
            except LauncherError as error:
                _LOG.debug("A command is started outside of its control group: %s.", error)
        return _start(command, environment, output, standard_input)
    except OSError as error:
        in_folder = error.filename is not None and str(error.filename) == str(command.cwd)
        return refusal(
            error.errno or 0, in_folder=in_folder, text=error.strerror or str(error), command=command
        )
    except ValueError as error:
        return refusal(0, in_folder=False, text=str(error), command=command)


def _start_within(
    command: Command,
    environment: Mapping[str, str],
    output: int,
    cgroup: Cgroup,
    standard_input: int | None,
) -> int:
    if cgroup.unified:
        return LAUNCHER.start(
            command.argv, command.cwd, environment, output, cgroup, standard_input=standard_input
        )
    with ExitStack() as stack:
        try:
            stack.enter_context(cgroup.joined())
        except OSError as error:
            raise LauncherError(str(error)) from error
        return _start(command, environment, output, standard_input)


def _start(command: Command, environment: Mapping[str, str], output: int, standard_input: int | None) -> int:
    process = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=environment,
        stdin=subprocess.DEVNULL if standard_input is None else standard_input,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    process.returncode = 0  # Somebody else waits for it.
    return process.pid
