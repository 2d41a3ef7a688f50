"""Keeping what a process knows from others of the same user, such as the tasks that it runs."""

import ctypes
import logging
import os
import sys
from pathlib import Path
from typing import Final

_PR_SET_DUMPABLE: Final = 4
_ENVIRONMENT_FIELDS: Final = slice(47, 49)
"""`env_start` and `env_end`, counted from the third field on, which follows the last parenthesis."""

_LOG = logging.getLogger(__name__)


def keep_private() -> bool:
    """Let nobody but root read this process's memory and environment, and write no core dump of it.

    It lasts as long as the process (prctl(2), PR_SET_DUMPABLE; proc(5)). The programs that it starts are as
    others are. It also keeps debuggers and profilers of the same user away; those of root work.

    Returns:
        Whether the system has such a thing; only Linux does.
    """
    if sys.platform != "linux":
        return False
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _LOG.warning("Others may read this process: %s.", os.strerror(ctypes.get_errno()))
        return False
    return True


def forget(variable: str) -> None:
    """Remove a variable from this process's environment, where the system shows it to others included.

    What was started with the variable has it still. To be called before there are other threads.

    Args:
        variable: its name.
    """
    os.environ.pop(variable, None)
    if sys.platform != "linux":
        return
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = map(int, fields[_ENVIRONMENT_FIELDS])
    except (OSError, ValueError):
        return
    if not 0 < start < end:
        return
    # The kernel shows these bytes as they are now, whatever the program has made of them.
    at = start
    for entry in ctypes.string_at(start, end - start).split(b"\0"):
        name = os.fsencode(variable) + b"="
        if entry.startswith(name):
            ctypes.memset(at + len(name), 0, len(entry) - len(name))
        at += len(entry) + 1
