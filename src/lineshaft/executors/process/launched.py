"""A program that starts commands right in their control groups; `launcher` runs it, once a worker.

Only clone3(2) brings a process to life right in a group of version 2, and it cannot be called within a
program of many threads. So this small one calls it, and what it starts becomes the worker's child. It is run
by its path, and imports nothing but what Python always has.
"""

import ctypes
import errno
import marshal
import os
import signal
import socket
import struct
import sys
from typing import Any, Final, NoReturn

HEADER: Final = struct.Struct("=I")
ANSWER: Final = struct.Struct("=ii")

_Program = tuple[list[bytes], list[bytes], dict[bytes, bytes]]

_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR)
_FILES: Final = 4
_CLONE3: Final = 435
_CLONE_PARENT: Final = 0x8000
_CLONE_INTO_CGROUP: Final = 0x2_0000_0000
_CGROUP_FIELD: Final = 10
_CLONE_ARGUMENTS: Final = struct.Struct("=11Q")


def main() -> None:
    """Serve until the worker has gone."""
    worker = socket.socket(fileno=int(sys.argv[1]))
    worker.set_inheritable(False)
    os.chdir("/")
    libc = ctypes.PyDLL(None, use_errno=True)
    while True:
        header, files, _, _ = socket.recv_fds(worker, HEADER.size, _FILES)
        if not header:
            return
        content = _read(worker, HEADER.unpack(header)[0])
        programs, argv, cwd, environment = marshal.loads(content)  # noqa: S302 - the worker wrote it
        for file in files:
            os.set_inheritable(file, False)  # noqa: FBT003 - it takes no keyword
        output, failure, cgroup, *standard_input = files
        pid = _clone(libc, cgroup)
        if pid == 0:
            _become((programs, argv, environment), cwd, (*standard_input, output), failure)
        error = ctypes.get_errno() if pid < 0 else 0
        for file in files:
            os.close(file)
        worker.sendall(ANSWER.pack(pid, error))


def _read(worker: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = worker.recv(size - len(content))
        if not part:
            sys.exit()
        content += part
    return content


def _clone(libc: ctypes.PyDLL, cgroup: int) -> int:
    fields = [0] * (_CGROUP_FIELD + 1)
    fields[0] = _CLONE_PARENT | _CLONE_INTO_CGROUP
    fields[_CGROUP_FIELD] = cgroup
    arguments = _CLONE_ARGUMENTS.pack(*fields)
    return int(libc.syscall(_CLONE3, arguments, len(arguments)))


def _become(program: _Program, cwd: bytes, streams: tuple[int, ...], failure: int) -> NoReturn:
    place: Any = b""
    try:
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python does so.
            signal.signal(ignored, signal.SIG_DFL)
        os.setsid()
        if len(streams) > 1:
            os.dup2(streams[0], 0)
        os.dup2(streams[-1], 1)
        os.dup2(streams[-1], 2)
        place = cwd
        os.chdir(cwd)
        place = b""
        _exec(*program)
    except BaseException as error:  # noqa: BLE001 - the worker is told of anything, and nothing may go on here
        number = error.errno if isinstance(error, OSError) and error.errno else 0
        os.write(failure, marshal.dumps((number, place, str(error))))
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
