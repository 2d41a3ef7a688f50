"""Why a command cannot be started, in a sentence."""

import errno
from collections.abc import Mapping
from typing import Final

from lineshaft.ports.executor import Command, NotStarted

_TOO_LARGE: Final = (
    "The command and its environment are larger than this system allows (Linux: 128 KiB for one argument or "
    "variable); put the script into a file of the repository."
)


def why_unpassable(command: Command, environment: Mapping[str, str]) -> NotStarted | None:
    """Tell why a command cannot be started by any system; None where it may be tried."""
    if not command.argv:
        return NotStarted("The command is empty.")
    if any(
        "\0" in text for text in (*command.argv, str(command.cwd), *environment.keys(), *environment.values())
    ):
        return NotStarted(
            "The command, its folder or its environment contains a NUL character, which cannot be passed on."
        )
    return None


def refusal(number: int, *, in_folder: bool, text: str, command: Command) -> NotStarted:
    """Say in a sentence why a command could not be started.

    Args:
        number: of the system's error; 0 where it was not asked.
        in_folder: whether the command's folder could not be entered.
        text: what the system, or Python, says of it.
        command: which.
    """
    program = command.argv[0]
    if in_folder:
        return NotStarted(f"The folder {command.cwd}, where it was to start, cannot be entered: {text}.")
    match number:
        case 0:
            said = f"The command or its environment cannot be passed to a program: {text}."
        case errno.ENOENT | errno.ENOTDIR:
            said = f"The program {program!r}, or the interpreter that its first line names, is not there."
        case errno.E2BIG:
            said = _TOO_LARGE
        case errno.EAGAIN | errno.ENOMEM | errno.EMFILE | errno.ENFILE:
            said = f"The worker's machine has no room for another process: {text}."
        case _:
            said = f"The program {program!r} could not be started: {text}."
    return NotStarted(said)
