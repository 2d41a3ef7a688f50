"""Has loaded Lineshaft, and starts it as often as it is asked to: by a fork, which has nothing to load.

Each program has a keeper, its parent, which tells who asked for it of its number and of its end. It has what
it would have if it were executed: streams, environment and folder of its own, and no other descriptor.
"""

import gc
import importlib
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from struct import Struct
from typing import Final

from lineshaft.cli.app import run_command_line

LOADED: Final = (
    "httpcore2",
    "lineshaft.cli.local",
    "lineshaft.server.composition",
    "lineshaft.server.serve",
    "lineshaft.worker.assembly",
    "lineshaft.worker.serve",
    "lineshaft.worker.settings",
    "uvloop",
)
NUMBER: Final = Struct("!i")
STREAMS: Final = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Job:
    """What a program is to do.

    Attributes:
        arguments: its command line, without the program's name.
        environment: all its variables.
        folder: where it works.
    """

    arguments: list[str]
    environment: dict[str, str]
    folder: str


def serve(control: socket.socket) -> Job | None:
    """Start programs, in each of which this returns; nothing is returned once nobody can ask for more."""
    while True:
        asked, descriptors, _, _ = socket.recv_fds(control, 1, len(STREAMS) + 1)
        if not asked:
            return None
        if os.fork() == 0:
            control.close()
            *streams, told = descriptors
            return _keep(socket.socket(fileno=told), streams)
        for descriptor in descriptors:
            os.close(descriptor)
        _bury_keepers()


def _keep(asker: socket.socket, streams: list[int]) -> Job:
    """Start a program, in which this returns, and tell of it."""
    job = _read(asker)
    program = os.fork()
    if program == 0:
        asker.close()
        _settle(job, streams)
        return job
    for stream in streams:
        os.close(stream)
    _tell(asker, program)
    os._exit(0)


def _read(asker: socket.socket) -> Job:
    with asker.makefile("rb") as told:
        (size,) = NUMBER.unpack(told.read(NUMBER.size))
        return Job(**json.loads(told.read(size)))


def _settle(job: Job, streams: list[int]) -> None:
    """Take over what is this program's own."""
    for stream, number in zip(streams, STREAMS, strict=True):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(job.environment)
    time.tzset()
    os.chdir(job.folder)
    sys.argv[1:] = job.arguments


def _tell(asker: socket.socket, program: int) -> None:
    """Tell of a program's number and of its end; until that was heard, nothing else gets the number."""
    try:
        asker.sendall(NUMBER.pack(program))
        ended = os.waitid(os.P_PID, program, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        exited = ended.si_code == os.CLD_EXITED
        asker.sendall(NUMBER.pack(ended.si_status if exited else -ended.si_status))
        asker.recv(1)
    except OSError:
        return  # Who asked is gone.
    os.waitpid(program, 0)


def _bury_keepers() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return


def main() -> int:
    """Load, start programs, and be one of them in the end."""
    gc.disable()
    for module in LOADED:
        importlib.import_module(module)
    gc.enable()
    gc.freeze()
    job = serve(socket.socket(fileno=int(sys.argv[1])))
    return 0 if job is None else run_command_line(job.arguments)


if __name__ == "__main__":
    sys.exit(main())
