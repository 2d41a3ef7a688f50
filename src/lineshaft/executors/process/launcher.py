"""Starting commands right in a control group of version 2, by a small program of its own."""

import atexit
import errno
import marshal
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lineshaft.executors.label import LABEL_VARIABLE
from lineshaft.executors.process import launched
from lineshaft.executors.process.cgroup import Cgroup
from lineshaft.model.variable import OWN_PREFIX

_FAILURE_BYTES: Final = 65536


class LauncherError(Exception):
    """The launcher cannot start anything; the command has not begun, and may be started in another way."""


class Launcher:
    """Runs the program `launched`, and starts it anew when it has gone.

    There is one of it, `LAUNCHER`, since the children of a process are the same for all of its parts. It ends
    with this process.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self._program: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._owner = 0

    def start(
        self,
        argv: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        output: int,
        cgroup: Cgroup,
        *,
        standard_input: int | None = None,
    ) -> int:
        """Start a child of this process, as the leader of a session of its own, in the group.

        Returns:
            Its pid.

        Raises:
            OSError: the command cannot be started; `filename` is its folder if that cannot be entered. With
                EIO it may have begun nevertheless, and the group is to be killed.
            ValueError: the command cannot be passed to a program.
            LauncherError: nothing can be started in this way.
        """
        encoded = marshal.dumps(
            (
                candidates(os.fsencode(argv[0]), environment),
                [os.fsencode(argument) for argument in argv],
                os.fsencode(cwd),
                {os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
            )
        )
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as failure:
            try:
                pid = self._ask(encoded, [output, writing], standard_input, cgroup)
            finally:
                os.close(writing)
            content = failure.read(_FAILURE_BYTES)
        if content:
            os.waitpid(pid, 0)
            _fail(content)
        return pid

    def close(self) -> None:
        """End the program."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._program is not None and self._owner == os.getpid():
            self._program.kill()
            self._program.wait()
            self._program = None

    def _ask(self, encoded: bytes, answers: list[int], standard_input: int | None, cgroup: Cgroup) -> int:
        try:
            worker = self._connection()
            folder = os.open(cgroup.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                files = [*answers, folder, *(() if standard_input is None else (standard_input,))]
                socket.send_fds(worker, [launched.HEADER.pack(len(encoded))], files)
            finally:
                os.close(folder)
            worker.sendall(encoded)
        except OSError as error:
            self.close()
            raise LauncherError(str(error)) from error
        answer = worker.recv(launched.ANSWER.size, socket.MSG_WAITALL)
        if len(answer) < launched.ANSWER.size:
            self.close()
            raise OSError(errno.EIO, "the program that starts commands has been killed")
        pid, number = launched.ANSWER.unpack(answer)
        if pid < 0:
            raise LauncherError(os.strerror(number))
        return int(pid)

    def _connection(self) -> socket.socket:
        alive = self._program is not None and self._owner == os.getpid() and self._program.poll() is None
        if self._socket is None or not alive:
            self.close()
            mine, its = socket.socketpair()
            with its:
                # A group of its own keeps it from signals that a terminal sends to the worker.
                self._program = subprocess.Popen(
                    [sys.executable, "-I", "-S", launched.__file__, str(its.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    pass_fds=[its.fileno()],
                    process_group=0,
                )
            self._socket, self._owner = mine, os.getpid()
            atexit.register(self.close)
        return self._socket


def _environment() -> dict[str, str]:
    """Leave out what is the worker's alone: commands may see what this program is given."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == LABEL_VARIABLE or not name.startswith(OWN_PREFIX)
    }


def candidates(program: bytes, environment: Mapping[str, str]) -> list[bytes]:
    """Name the files that a program may be, in the order in which they are tried (execvp(3))."""
    if b"/" in program:
        return [program]
    return [os.fsencode(folder or ".") + b"/" + program for folder in os.get_exec_path(environment)]


def _fail(content: bytes) -> None:
    number, place, text = marshal.loads(content)  # noqa: S302 - our own program wrote it
    if number:
        raise OSError(number, os.strerror(number), os.fsdecode(place) or None)
    raise ValueError(text)


LAUNCHER: Final = Launcher()
