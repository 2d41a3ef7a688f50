"""Starting a command's main process."""

import errno
import subprocess
from collections.abc import Mapping
from typing import Final

from lineshaft.ports.executor import Command, NotStarted

_TOO_LARGE: Final = (
    "The command and its environment are larger than this system allows (Linux: 128 KiB for one argument or "
    "variable); put the script into a file of the repository."
)


def start(
    command: Command, environment: Mapping[str, str], output: int
) -> subprocess.Popen[bytes] | NotStarted:
    """Start the main process as the leader of a session of its own.

    No `preexec_fn` and nothing else that would keep CPython from vfork: a fork of a large worker takes
    milliseconds.

    Args:
        command: what to start.
        environment: all of the process's environment.
        output: the file descriptor for its standard output and standard error.
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
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        return NotStarted(_why(error, command))
    except ValueError as error:
        return NotStarted(f"The command or its environment cannot be passed to a program: {error}.")


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
