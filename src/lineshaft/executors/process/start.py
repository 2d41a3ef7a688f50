"""Starting a command's main process."""

import errno
import logging
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from lineshaft.executors.process.cgroup import Cgroup
from lineshaft.executors.process.launcher import LAUNCHER, LauncherError
from lineshaft.ports.executor import Command, NotStarted

_LOG = logging.getLogger(__name__)

_TOO_LARGE: Final = (
    "The command and its environment are larger than this system allows (Linux: 128 KiB for one argument or "
    "variable); put the script into a file of the repository."
)


def start(
    command: Command, environment: Mapping[str, str], output: int, cgroup: Cgroup | None = None
) -> int | NotStarted:
    """Start the main process as the leader of a session of its own, and in the control group if there is one.

    No `preexec_fn` and nothing else that would keep CPython from vfork: a fork of a large worker takes
    milliseconds.

    Args:
        command: what to start.
        environment: all of the process's environment.
        output: the file descriptor for its standard output and standard error.
        cgroup: the group that it is born in, if the system allows it.

    Returns:
        Its pid, for the caller to wait for, or why it could not start.
    """
    if not command.argv:
        return NotStarted("The command is empty.")
    if any(
        "\0" in text for text in (*command.argv, str(command.cwd), *environment.keys(), *environment.values())
    ):
        return NotStarted(
            "The command, its folder or its environment contains a NUL character, which cannot be passed on."
        )
    try:
        if cgroup is not None:
            try:
                return _start_within(command, environment, output, cgroup)
            except LauncherError as error:
                _LOG.debug("A command is started outside of its control group: %s.", error)
        return _start(command, environment, output)
    except OSError as error:
        return NotStarted(_why(error, command))
    except ValueError as error:
        return NotStarted(f"The command or its environment cannot be passed to a program: {error}.")


def _start_within(command: Command, environment: Mapping[str, str], output: int, cgroup: Cgroup) -> int:
    if cgroup.unified:
        return LAUNCHER.start(command.argv, command.cwd, environment, output, cgroup)
    with ExitStack() as stack:
        try:
            stack.enter_context(cgroup.joined())
        except OSError as error:
            raise LauncherError(str(error)) from error
        return _start(command, environment, output)


def _start(command: Command, environment: Mapping[str, str], output: int) -> int:
    process = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    process.returncode = 0  # Somebody else waits for it.
    return process.pid


def _why(error: OSError, command: Command) -> str:
    program = command.argv[0]
    if error.filename is not None and str(error.filename) == str(command.cwd):
        return f"The folder {command.cwd}, where it was to start, cannot be entered: {error.strerror}."
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return f"The program {program!r}, or the interpreter that its first line names, is not there."
        case errno.E2BIG:
            return _TOO_LARGE
        case errno.EAGAIN | errno.ENOMEM | errno.EMFILE | errno.ENFILE:
            return f"The worker's machine has no room for another process: {error.strerror}."
        case _:
            return f"The program {program!r} could not be started: {error.strerror}."
