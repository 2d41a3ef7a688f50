"""Adoption: orphaned descendants become children of this process, so that none gets out of sight."""

import ctypes
import functools
import logging
import os
import signal
import sys
import threading
from typing import Final

_PR_SET_CHILD_SUBREAPER: Final = 36

_LOG = logging.getLogger(__name__)


@functools.cache
def become_subreaper() -> bool:
    """Make this process the one that adopts its orphaned descendants (prctl(2), PR_SET_CHILD_SUBREAPER).

    It lasts as long as the process, and is done once however often it is asked for.

    Returns:
        Whether this process adopts; false where the system has no such thing.
    """
    _keep_exit_codes()
    if sys.platform != "linux":
        return False
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        _LOG.warning("Orphaned processes cannot be adopted: %s.", os.strerror(ctypes.get_errno()))
        return False
    return True


def _keep_exit_codes() -> None:
    # A process that inherits an ignored SIGCHLD never learns how its children ended.
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    ):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
