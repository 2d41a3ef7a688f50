"""The machine's processes, as far as killing them needs to know them."""

import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from lineshaft.executors.label import LABEL_VARIABLE

_LABEL_START: Final = LABEL_VARIABLE.encode() + b"="
_READ_SIZE: Final = 65536
_BECOMING_SECONDS: Final = 1.0
"""How long a process may take to become another program before its environment is believed to be empty."""


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process at one moment.

    Attributes:
        pid: its id, which may be given again after its end.
        parent: its parent's id.
        group: its process group.
        session: its session; 0 where its leader is outside of what this process can see.
        started: when it began, in ticks of the table's own.
        ended: whether it is a zombie: it does nothing any more and waits for its parent to ask for its
            status.
    """

    pid: int
    parent: int
    group: int
    session: int
    started: int
    ended: bool

    @property
    def identity(self) -> tuple[int, int]:
        """What names this process and never another one."""
        return self.pid, self.started


class ProcessTable(Protocol):
    """Tells of processes. What has gone, or may not be looked at, is left out; nothing raises."""

    def row(self, pid: int) -> ProcessRow | None:
        """Look at one process."""
        ...

    def rows(self) -> list[ProcessRow]:
        """Look at all processes, one after the other; some may have come or gone meanwhile."""
        ...

    def own_children(self) -> list[int]:
        """Name the children of this process, those that it has adopted included, at little cost.

        Children that another thread has started may be missing, adopted ones never.
        """
        ...

    def trees(self, roots: Iterable[int]) -> list[ProcessRow]:
        """Look at these processes and all below them, and perhaps at others.

        A process whose parent ends meanwhile may be missed, being at no place when its places are looked at.
        """
        ...

    def labels(self, pid: int) -> list[str]:
        """Name the labels that a process carries in its environment, the outermost first."""
        ...

    def holds_pipe(self, pid: int, inode: int) -> bool:
        """Whether a process has the pipe open."""
        ...


class ProcFolder:
    """The table that Linux shows under /proc (proc(5))."""

    def __init__(self) -> None:
        """Find out what this kernel shows."""
        me = os.getpid()
        # A kernel may be built without CONFIG_PROC_CHILDREN.
        self._lists_children: Final = Path(f"/proc/{me}/task/{me}/children").exists()

    def row(self, pid: int) -> ProcessRow | None:
        """Look at one process."""
        # pid (name) state ppid pgrp session ...; the name may hold anything, `)` and blanks included.
        _, _, tail = _content(f"/proc/{pid}/stat").rpartition(b")")
        fields = tail.split()
        if not fields:
            return None
        return ProcessRow(
            pid=pid,
            parent=int(fields[1]),
            group=int(fields[2]),
            session=int(fields[3]),
            started=int(fields[19]),
            ended=fields[0] in b"ZXx",
        )

    def rows(self) -> list[ProcessRow]:
        """Look at all processes."""
        with os.scandir("/proc") as entries:
            pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
        return [row for pid in pids if (row := self.row(pid)) is not None]

    def own_children(self) -> list[int]:
        """Name the children of this process's main thread, which is the one that adopts."""
        me = os.getpid()
        if not self._lists_children:
            return [row.pid for row in self.rows() if row.parent == me]
        return [int(pid) for pid in _content(f"/proc/{me}/task/{me}/children").split()]

    def trees(self, roots: Iterable[int]) -> list[ProcessRow]:
        """Look at these processes and all below them."""
        if not self._lists_children:
            return self.rows()
        found: dict[int, ProcessRow] = {}
        queue = list(roots)
        while queue:
            pid = queue.pop()
            if pid not in found and (row := self.row(pid)) is not None:
                found[pid] = row
                queue += _children(pid)
        return list(found.values())

    def labels(self, pid: int) -> list[str]:
        """Name the labels that a process carries in its environment."""
        for variable in _environment(pid).split(b"\0"):
            if variable.startswith(_LABEL_START):
                return variable[len(_LABEL_START) :].decode(errors="replace").split()
        return []

    def holds_pipe(self, pid: int, inode: int) -> bool:
        """Whether a process has the pipe open."""
        try:
            with os.scandir(f"/proc/{pid}/fd") as entries:
                return any(
                    entry.stat().st_ino == inode and stat.S_ISFIFO(entry.stat().st_mode) for entry in entries
                )
        except OSError:
            return False


def _environment(pid: int) -> bytes:
    """Read the environment of a process, which shows none for a moment while it becomes another program.

    That it has none is believed only when its memory was laid out, and in the same way, before and after.
    """
    until = time.monotonic() + _BECOMING_SECONDS
    before = _layout(pid)
    while True:
        content = _content(f"/proc/{pid}/environ")
        after = _layout(pid)
        if content or after is None or (after == before and after[0] != b"0") or time.monotonic() >= until:
            return content
        before = after
        os.sched_yield()


def _layout(pid: int) -> tuple[bytes, ...] | None:
    """Tell where a process has its program, stack, arguments and environment (proc(5), stat, fields 26 on).

    The program's place is 0 until execve(2) has laid out all of it. None: the process has no memory, being a
    zombie or the kernel's own.
    """
    _, _, tail = _content(f"/proc/{pid}/stat").rpartition(b")")
    fields = tail.split()
    if not fields or fields[20] == b"0":
        return None
    return fields[23], fields[25], *fields[45:49]


def _children(pid: int) -> list[int]:
    try:
        with os.scandir(f"/proc/{pid}/task") as threads:
            return [int(child) for thread in threads for child in _content(f"{thread.path}/children").split()]
    except OSError:
        return []


def _content(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    parts = []
    try:
        while part := os.read(file, _READ_SIZE):
            parts.append(part)
    except OSError:
        return b""
    finally:
        os.close(file)
    return b"".join(parts)
