"""What the parts of one transaction share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.definition import Definition, Format
from lineshaft.model.event import RunEvent
from lineshaft.model.node import Group
from lineshaft.model.run import Run
from lineshaft.model.tree import Tree
from lineshaft.model.worker import Worker
from lineshaft.ports.ids import Ids
from lineshaft.ports.wakeups import OUTBOX, QUEUE
from lineshaft.store.advisory import AdvisoryLocks
from lineshaft.store.pending import PendingRuns
from lineshaft.store.queue.heads import Look
from lineshaft.store.recent import RecentDefinitions, RecentRuns

ReadDefinition = Callable[[Format, str], Definition]
"""Reads a definition's canonical text."""


ReadGenerated = Callable[[str, Definition, Tree, int], Group]
"""Reads nodes that a task made: from their text, the run's definition and tree, their group's index."""


def no_generated(text: str, definition: Definition, tree: Tree, index: int) -> Group:  # noqa: ARG001 - as called.
    """Stand in for a reader where no definition generates nodes; raises LookupError."""
    raise LookupError(f"nobody can read the nodes of the group {index}")


@dataclass(frozen=True, slots=True)
class Memory:
    """What a store keeps in memory from one transaction to the next.

    Attributes:
        read_definition: how the text of a definition is read.
        ids: where the ids of outbox entries come from.
        sole_writer: whether no other process writes to the database, so that what is remembered is true.
        read_generated: how nodes are read that tasks have made.
        runs: the runs that were used last.
        definitions: the definitions that were used last.
    """

    read_definition: ReadDefinition
    ids: Ids
    sole_writer: bool
    read_generated: ReadGenerated = no_generated
    runs: RecentRuns = field(default_factory=RecentRuns)
    definitions: RecentDefinitions = field(default_factory=RecentDefinitions)


class Session:
    """One transaction: its connection, what it knows, and what it has yet to write.

    Attributes:
        connection: the database connection, in a transaction.
        memory: what the store remembers.
        writable: whether changes are allowed.
        locking: whether to keep other processes from writing the runs that are read here.
        pending: decisions about runs that are not written yet.
        runs: the runs that this transaction has read or written, as it sees them.
        saved: those of them that it has written.
        recorded: the events that it has added to them.
        removed: the runs that it has removed.
        versions: at which versions runs are in the database, of those whose versions were asked for ahead.
        workers: the sessions of workers that were read ahead.
        definitions: the definitions that it has read or written.
        topics: what is to be woken after the commit, besides queue and outbox.
        look: the last look at the queues, as long as it may serve further claims.
        unclaimed: the attempts that this transaction has queued and not claimed.
        locks: its locks on what is no row.
        changes: how many changes have been asked for.
    """

    def __init__(self, connection: Connection, memory: Memory, *, writable: bool, locking: bool) -> None:
        """Begin with nothing known and nothing to write."""
        self.connection = connection
        self.memory = memory
        self.writable = writable
        self.locking = locking
        self.pending = PendingRuns(connection, memory.ids)
        self.runs: dict[UUID, Run] = {}
        self.saved: set[UUID] = set()
        self.recorded: dict[UUID, list[RunEvent]] = {}
        self.removed: set[UUID] = set()
        self.versions: dict[UUID, int] = {}
        self.workers: dict[UUID, Worker] = {}
        self.definitions: dict[str, Definition] = {}
        self.topics: set[str] = set()
        self.look: Look | None = None
        self.unclaimed: set[AttemptAddress] = set()
        self.locks = AdvisoryLocks(connection, sole_writer=memory.sole_writer)
        self.changes = 0
        self._commits_before = memory.runs.commits()

    @property
    def trusts_memory(self) -> bool:
        """Whether a remembered run is known to be what this transaction would read."""
        return self.writable and self.memory.sole_writer

    def topics_to_wake(self) -> frozenset[str]:
        """Tell whom the commit wakes: queue and outbox only if something waits in them because of it."""
        queue = {QUEUE} if self.unclaimed else set()
        outbox = {OUTBOX} if self.pending.added_seals else set()
        return frozenset(self.topics | queue | outbox)

    def change(self) -> None:
        """Note that the function at work changes something.

        Raises:
            TypeError: it was given to `read`.
        """
        if not self.writable:
            raise TypeError("a function given to Store.read must not change anything; give it to Store.write")
        self.changes += 1

    def remove(self, run_id: UUID) -> None:
        """Note that a run is no more."""
        self.runs.pop(run_id, None)
        self.saved.discard(run_id)
        self.recorded.pop(run_id, None)
        self.removed.add(run_id)
        self.memory.runs.forget((run_id,))

    def forget_definition(self, definition_hash: str) -> None:
        """Note that a definition is no more."""
        self.definitions.pop(definition_hash, None)
        self.memory.definitions.forget(definition_hash)

    def remember(self) -> None:
        """Let the store remember what this transaction has seen and done, once that is committed."""
        self.memory.definitions.put(self.definitions.values())
        if self.removed:
            self.memory.runs.removed(self.removed)
        if self.saved:
            self.memory.runs.committed((self.runs[run_id] for run_id in self.saved), self.recorded)
        read = [run for run_id, run in self.runs.items() if run_id not in self.saved]
        if read:
            self.memory.runs.loaded(read, self._commits_before + bool(self.saved) + bool(self.removed))
