"""How the program of a task is called."""

import shlex
import shutil
from pathlib import PurePath
from typing import Final

from lineshaft.worker.handover import Handover
from lineshaft.worker.layout import Layout

_PLAIN_SHELL: Final = "sh"
_POWER_SHELLS: Final = ("pwsh", "powershell")


class NoProgramError(Exception):
    """A task's program cannot be called; the message is a sentence."""


def script_invocation(
    shell: str, script: str, handover: Handover, layout: Layout, path: str | None
) -> tuple[str, ...]:
    """Make the call of a shell that runs a script.

    The plain shell has it as an argument; every other program as a file that lies outside of the workspace.

    Args:
        shell: a program, perhaps with arguments, quoted as in a shell.
        script: what it is to run.
        handover: where the file goes.
        layout: where the task finds it.
        path: the task's PATH, which is searched; None where only the program that starts it can do that.

    Raises:
        NoProgramError: the shell cannot be read, or is not there.
    """
    try:
        words = shlex.split(shell)
    except ValueError as error:
        raise NoProgramError(f"The shell {shell!r} cannot be read: {error}.") from error
    if not words:
        raise NoProgramError("The shell has no name; name a program such as `bash`, or leave `shell` out.")
    program = words[0]
    if program == _PLAIN_SHELL:
        return ("/bin/sh", *words[1:], "-c", script)
    if path is not None and "/" not in program and shutil.which(program, path=path) is None:
        raise NoProgramError(
            f"The shell {program!r} is not on this worker's PATH; install it there, or name another one."
        )
    suffix = ".ps1" if PurePath(program).stem in _POWER_SHELLS else ""
    return (*words, str(layout.handover / handover.script(script, suffix).name))
