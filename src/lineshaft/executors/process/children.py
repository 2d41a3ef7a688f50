"""The children of this process: which were started by whom, and which were adopted."""

import contextlib
import os
from typing import Final

from lineshaft.executors.process.table import ProcessRow, ProcessTable

_FORGOTTEN_AFTER_SECONDS: Final = 5.0
_CROWD: Final = 64


class ChildRegister:
    """Tells commands' main processes, others' children and adopted orphans apart, and buries the last.

    There is one of it, `CHILDREN`, because the children of a process are the same for all of its threads and
    modules. A child in this process's own session was started by other code here, which waits for it itself:
    a command and whatever descends from it is never in that session again.
    """

    def __init__(self) -> None:
        """Know of no child yet."""
        self._commands: Final[set[int]] = set()
        self._unclaimed: dict[tuple[int, int], float] = {}

    def add(self, pid: int) -> None:
        """Take note of a command's main process, in the same breath as it is started."""
        self._commands.add(pid)

    def remove(self, pid: int) -> None:
        """Forget a main process, in the same breath as its status is collected."""
        self._commands.discard(pid)

    def may_be_adopted(self, row: ProcessRow) -> bool:
        """Whether a child of this process can be an orphan that a command has left."""
        return row.pid not in self._commands and row.session != os.getsid(0)

    def strangers(self, table: ProcessTable, now: float) -> list[ProcessRow]:
        """List the children that may be adopted: the living, and the dead that earlier looks did not see.

        The dead are buried. Where there are new ones, a living one may have been missed: one who dies while
        we look may leave us a child after we have looked for children.

        Args:
            table: the machine's processes.
            now: in seconds, from any steady clock.
        """
        pids = [pid for pid in table.own_children() if pid not in self._commands]
        rows = [row for pid in pids if (row := table.row(pid)) is not None and self.may_be_adopted(row)]
        news = [row for row in rows if row.identity not in self._unclaimed]
        self._bury([row for row in rows if row.ended], now)
        return news

    def _bury(self, dead: list[ProcessRow], now: float) -> None:
        # Other code may have started a child as the leader of a new session and be about to ask for its
        # status. One that has been left lying for some seconds, or one of a crowd, has nobody who would ask.
        leaders = [row for row in dead if row.pid == row.session]
        unclaimed = {row.identity: self._unclaimed.get(row.identity, now) for row in leaders}
        if len(unclaimed) >= _CROWD:
            unclaimed = {}
        self._unclaimed = {
            identity: seen for identity, seen in unclaimed.items() if now - seen < _FORGOTTEN_AFTER_SECONDS
        }
        for row in dead:
            if row.identity not in self._unclaimed:
                bury(row.pid)


def bury(pid: int) -> None:
    """Collect the status of a dead child, so that its entry in the process table becomes free."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


CHILDREN: Final = ChildRegister()
