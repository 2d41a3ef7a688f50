"""The first process of a sandbox; bwrap starts it there, and it starts the command.

It tells the worker truly how that ends, which bwrap does not; passes on that it is to end; and buries
orphans. When it ends, the system ends all that is in the sandbox. It talks by its standard input, which is a
socket: first comes the length of the command and the command itself, then a byte each time that the command
is asked to end. It answers in lines.

It is run by its path for every command, so it imports nothing that takes time: `signal`, `typing` and
`contextlib` would double what a command costs.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _thread
import errno
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

LENGTH_BYTES = 4

_CONTROL = 0
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)
_REPORT_BYTES = 65536


def main() -> None:
    """Start the command, and stay until the worker has gone."""
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    _tell("here")
    length = int.from_bytes(_read(LENGTH_BYTES), sys.byteorder)
    programs, argv, cwd, environment = marshal.loads(_read(length))  # noqa: S302 - the worker wrote it
    reading, writing = os.pipe()
    main_process = os.fork()
    if main_process == 0:
        _become(programs, argv, cwd, environment, writing)
    os.close(writing)
    report = os.read(reading, _REPORT_BYTES)
    os.close(reading)
    if report:
        os.write(_CONTROL, b"refused " + report + b"\n")
    else:
        _Keeper(main_process).keep()


class _Keeper:
    """Looks after the command, whose process group has the number of its main process."""

    def __init__(self, main_process: int) -> None:
        self._main = main_process
        self._stopping = False

    def keep(self) -> None:
        # A thread, for a signal that comes between a look at the dead and a wait would be noticed too late.
        _thread.start_new_thread(self._bury, ())
        while os.read(_CONTROL, 1):
            self._stopping = True
            for number in (_signal.SIGTERM, _signal.SIGCONT):
                try:  # noqa: SIM105 - see the module's description
                    os.killpg(self._main, number)
                except OSError:  # Nobody is left in it, or none whom this user may signal.
                    pass
            self._tell_if_empty()

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                return  # All in here descend from this process, so nobody is left.
            if pid == self._main:
                _tell(f"ended {os.waitstatus_to_exitcode(status)}")
            self._tell_if_empty()

    def _tell_if_empty(self) -> None:
        if not self._stopping:
            return
        try:
            os.killpg(self._main, 0)
        except ProcessLookupError:
            _tell("empty")
        except PermissionError:
            return


def _tell(what: str) -> None:
    try:  # noqa: SIM105 - as above
        os.write(_CONTROL, what.encode() + b"\n")
    except OSError:  # The worker has gone, as the next read tells.
        pass


def _read(size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = os.read(_CONTROL, size - len(content))
        if not part:
            sys.exit()
        content += part
    return content


def _become(
    programs: list[bytes], argv: list[bytes], cwd: bytes, environment: dict[bytes, bytes], report: int
) -> NoReturn:
    place = "program"
    try:
        for ignored in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python does so.
            _signal.signal(ignored, _signal.SIG_DFL)
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, _CONTROL)
        place = "folder"
        os.chdir(cwd)
        place = "program"
        _exec(programs, argv, environment)
    except BaseException as error:  # noqa: BLE001 - the worker is told of anything, and nothing may go on here
        number = error.errno if isinstance(error, OSError) and error.errno else 0
        os.write(report, f"{number} {place} {' '.join(str(error).split())}".encode(errors="replace"))
    finally:
        os._exit(255)


def _exec(programs: list[bytes], argv: list[bytes], environment: dict[bytes, bytes]) -> NoReturn:
    failed = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    for program in programs:
        try:
            os.execve(program, argv, environment)  # noqa: S606 - that is what this is for
        except OSError as error:
            # That one of them may not be executed says more than that others are not there.
            if failed.errno in _NOT_THERE:
                failed = error
    raise failed


if __name__ == "__main__":
    main()
