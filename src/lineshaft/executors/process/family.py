"""All the processes that descend from one beginning, and their end."""

import asyncio
import logging
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from lineshaft.executors.process.children import CHILDREN, bury
from lineshaft.executors.process.death import wait_for_deaths
from lineshaft.executors.process.table import ProcessRow, ProcessTable

_PATIENCE_SECONDS: Final = 10.0
_LOOKS_AT_ONCE: Final = 100
_WAITED_FOR_AT_ONCE: Final = 64

_LOG = logging.getLogger(__name__)


class Family:
    """Finds and kills the processes that descend from those which `is_root` recognises.

    A session other than this process's own was begun by a descendant, and only descendants of that one are in
    it; so whatever shares a session with a member is a member. Members once seen are known by pid and start
    after they have lost their parents.
    """

    def __init__(
        self,
        table: ProcessTable,
        look: Callable[[], Iterable[ProcessRow]],
        is_root: Callable[[ProcessRow], bool],
    ) -> None:
        """Begin with nobody known.

        Args:
            table: the machine's processes.
            look: shows those among which the members are.
            is_root: tells that a process belongs here whoever its parent is.
        """
        self._table: Final = table
        self._look: Final = look
        self._is_root: Final = is_root
        self._outside: Final = {0, os.getsid(0)}
        self._known: Final[set[tuple[int, int]]] = set()
        self._sessions: Final[set[int]] = set()
        self._dead: Final[set[tuple[int, int]]] = set()
        self._settled = False
        self._spared: Final[set[tuple[int, int]]] = set()

    def living(self) -> list[ProcessRow]:
        """Look for all members that are alive, and bury the dead that this process has adopted."""
        rows = list(self._look())
        members = self._members(rows)
        orphans = [
            row for row in rows if row.ended and row.parent == os.getpid() and CHILDREN.may_be_adopted(row)
        ]
        for row in orphans:
            if row.pid in members:
                bury(row.pid)
        # One who died while we looked may have had a child that was at no place when we looked there.
        dead = {row.identity for row in (*members.values(), *orphans) if row.ended}
        self._settled = dead <= self._dead
        self._dead.update(dead)
        return [row for row in members.values() if not row.ended and row.identity not in self._spared]

    async def kill(self) -> int:
        """Kill all members, and return when none is alive.

        A member that the system does not let this process kill is left alone, and one that has not died after
        ten seconds (it waits for a device) is given up; both are logged.

        Returns:
            How many were killed.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_SECONDS
        killed: set[tuple[int, int]] = set()
        while (struck := self._strike()) or not self._settled:
            killed.update(row.identity for row in struck)
            await wait_for_deaths(self._table, struck[:_WAITED_FOR_AT_ONCE], until - loop.time())
            if loop.time() >= until:
                _LOG.warning("Processes that were killed are still there: %s.", [row.pid for row in struck])
                break
        return len(killed)

    def _strike(self) -> list[ProcessRow]:
        # Who is frozen forks no more; so freezing until nobody new turns up leaves nobody who could get away
        # while the others are being killed.
        frozen: dict[tuple[int, int], ProcessRow] = {}
        for _ in range(_LOOKS_AT_ONCE):
            fresh = [row for row in self.living() if row.identity not in frozen]
            frozen.update((row.identity, row) for row in fresh if self._send(row, signal.SIGSTOP))
            if not fresh and self._settled:
                break
        return [row for row in frozen.values() if self._send(row, signal.SIGKILL)]

    def _send(self, row: ProcessRow, number: signal.Signals) -> bool:
        # The pid may have been given to another process since it was looked up.
        now = self._table.row(row.pid)
        if now is None or now.identity != row.identity:
            return True
        try:
            os.kill(row.pid, number)
        except ProcessLookupError:
            return True
        except PermissionError:
            self._spared.add(row.identity)
            _LOG.warning("Process %d may not be killed.", row.pid)
            return False
        return True

    def _members(self, rows: list[ProcessRow]) -> dict[int, ProcessRow]:
        children = defaultdict(list)
        sessions = defaultdict(list)
        for row in rows:
            children[row.parent].append(row)
            sessions[row.session].append(row)
        members: dict[int, ProcessRow] = {}
        queue = [row for row in rows if self._belongs(row)]
        while queue:
            row = queue.pop()
            if row.pid in members or row.pid == os.getpid():
                continue
            members[row.pid] = row
            self._known.add(row.identity)
            queue += children[row.pid]
            if row.session not in self._outside:
                self._sessions.add(row.session)
                queue += sessions[row.session]
        return members

    def _belongs(self, row: ProcessRow) -> bool:
        return row.session in self._sessions or row.identity in self._known or self._is_root(row)
