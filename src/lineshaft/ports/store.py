"""The store: state in transactions.

`Store.write` runs a function against a `Transaction` and commits all that it did, or nothing. Functions that
arrive together are run and committed together (group commit), in their order of arrival. So such a function

- is plain synchronous code that touches the world only through the transaction,
- may be run more than once, when its first run had to be rolled back (a conflict, a neighbour's error),
- may raise: its own changes are undone, its neighbours' are kept.

Within one process the functions given to `write` run one after the other. Between processes, `runs.version`
is checked when a run is written; the loser is run again on what the winner left.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from lineshaft.engine.decision import Decision
from lineshaft.model.attempt import AttemptAddress, HeldAttempt, LeasedAttempt, LogState, QueuedAttempt
from lineshaft.model.definition import Definition
from lineshaft.model.event import RunEvent, TimerPurpose
from lineshaft.model.limits import NO_LIMITS, Limits
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.report import RunTrip, Trip
from lineshaft.model.run import Run
from lineshaft.model.user import User
from lineshaft.model.worker import Worker
from lineshaft.model.worker_key import WorkerKey
from lineshaft.ports.wakeups import WakeUps

T = TypeVar("T")

SEAL_LOG: Final = "seal_log"
"""The kind of outbox entry that says: this attempt has ended, move its log to the blob store."""

DELETE_BLOBS: Final = "delete_blobs"
"""The kind of outbox entry that says: these blobs are nobody's any more (payload: keys)."""

TIMER_NOTICE: Final = timedelta(minutes=1)
"""Timers that are due later than this wake nobody: who waits for timers looks as often by itself."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A time at which a run wants to hear of something.

    Attributes:
        run_id: the run.
        node: the node's index.
        purpose: what it is for.
        due_at: when.
    """

    run_id: UUID
    node: int
    purpose: TimerPurpose
    due_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Something that is to leave the transaction: done at least once after the commit.

    Attributes:
        id: UUIDv7, by which a receiver can drop a repeat.
        kind: what is to be done, such as `seal_log`.
        payload: what it is about, as JSON.
        tries: how often it has been tried in vain.
    """

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's call for attempts.

    Attributes:
        worker: its session, with what it offers.
        slots: how many it has room for, as it says itself.
        token: carried by the leases; it may have been used before.
        now: the time.
        expires_at: when the leases run out.
        limits: how many attempts may run at once over all workers.
    """

    worker: Worker
    slots: int
    token: str
    now: datetime
    expires_at: datetime
    limits: Limits = NO_LIMITS


class Pipelines(Protocol):
    """The pipelines that exist; deleted ones are not seen here."""

    def add(self, pipeline: Pipeline) -> None:
        """Add a new one, and its definition where that is new."""
        ...

    def get(self, pipeline_id: UUID) -> Pipeline | None:
        """Find one by its id."""
        ...

    def newest(self, name: str) -> Pipeline | None:
        """Find the one of that name that was added last."""
        ...

    def replace(self, pipeline: Pipeline) -> bool:
        """Replace name, definition and `updated_at`; False when it does not exist."""
        ...

    def remove(self, pipeline_id: UUID, at: datetime) -> bool:
        """Mark it deleted, which keeps its runs; False when it does not exist."""
        ...

    def page(self, *, name: str | None, after: tuple[str, UUID] | None, limit: int) -> Sequence[Pipeline]:
        """List by (name, id), ascending, from behind `after`; `name` keeps only pipelines of that name."""
        ...

    def next_run_number(self, pipeline_id: UUID) -> int:
        """Return the number of the pipeline's next run, from 1; it is taken when this transaction commits."""
        ...


class Runs(Protocol):
    """Runs, their nodes, events and attempts, written as the engine decides."""

    def create(self, run: Run) -> None:
        """Write a run in which nothing has begun; its definition is stored already.

        What it has from another run is written with it: nodes that do not wait, outputs, generated nodes.
        """
        ...

    def get(self, run_id: UUID) -> Run | None:
        """Find one by its id, as this transaction has last saved it."""
        ...

    def hold(self, run_id: UUID) -> None:
        """Keep other processes from writing or holding a run until this transaction has ended.

        Waits for one that does so already; what is read behind this shows what that one has committed.
        """
        ...

    def save(self, decision: Decision) -> None:
        """Write what the engine decided: run, changed nodes, events, attempts; check `version`.

        `AttemptQueued` adds an attempt to the queue, `AttemptStopping` marks it, `AttemptEnded` closes it and
        adds an outbox entry `seal_log` (payload: run_id, node, attempt) where it has a log. Wakes the topics
        concerned: the run's, the queue, the stopped attempts' workers, the ended attempts' logs, and that of
        timers for one that is due within `TIMER_NOTICE`.

        `TimerSet` puts a timer in the place of the one of its node and purpose; `RunEnded` drops all of the
        run's. `OutputsGiven` and `TreeGrown` are kept, so that the run is found with its outputs and with
        the nodes that it made. `ChildRunWanted` and `ChildRunStopping` concern other runs: the caller acts.

        A version that is not one more than the stored one makes the store run the function again.
        """
        ...

    def unended(self, pipeline_id: UUID) -> Sequence[Run]:
        """List the pipeline's runs that have not ended, oldest first.

        Until a writing transaction that asked has ended, no other process can ask, so that of two processes,
        one of which ends a run while the other creates the next, the later one sees what the earlier one did.
        """
        ...

    def unended_of_group(self, pipeline_id: UUID, group: str, *, limit: int | None = None) -> Sequence[Run]:
        """List the pipeline's runs of a `concurrency_group` that have not ended, oldest first.

        As `unended`, it keeps other processes from asking.
        """
        ...

    def child(self, parent: AttemptAddress) -> UUID | None:
        """Find the id of the run that stands for an attempt of another run; None where there is none."""
        ...

    def page(self, pipeline_id: UUID, *, before: int | None, limit: int) -> Sequence[Run]:
        """List the pipeline's runs, newest first, with numbers below `before`.

        Those that cannot be read are left out.
        """
        ...

    def events(self, run_id: UUID, *, after: int, limit: int) -> Sequence[RunEvent]:
        """List a run's events with numbers above `after`, ascending."""
        ...


class Attempts(Protocol):
    """The queue, and the leases on what was taken from it."""

    def claim(self, claim: Claim) -> Sequence[AttemptAddress]:
        """Take queued attempts for a worker; none is taken twice.

        Taken are only those that the worker's offer serves, and together no more than it has left beside what
        it holds (slots, processors, memory) and than the limits allow. Of these, those of the highest
        priority go first; within a priority pipelines take turns, and a pipeline's attempts go in the order
        in which they were queued. Attempts that ask for something else (kind, labels, processors, memory)
        wait in queues of their own, which take turns too. One that has waited long, and that the worker
        could take if it had less to do, holds back those that ask for what it lacks, so that large tasks do
        not wait for ever.

        The cost does not depend on how many attempts are queued, but where a limit keeps many back. A worker
        that is draining, as the store knows it, takes nothing. Where another process claims for the same
        worker at that moment, attempts that ask for processors or memory may be left to it; then the worker's
        topic is woken, and whoever waits for attempts should claim again.

        The token names one lease together with an attempt's address, since no attempt is leased twice.
        """
        ...

    def set_aside(self, address: AttemptAddress, until: datetime) -> None:
        """Keep a queued or a leased attempt out of claims for a time, since its run cannot be read.

        A lease on it is dead.
        """
        ...

    def bring_back(self, now: datetime, limit: int) -> int:
        """Queue what was set aside until now again, and attempts that a server of the version before queued.

        Returns:
            How many they were.
        """
        ...

    def held(self, worker_ids: Collection[UUID] | None = None) -> Sequence[HeldAttempt]:
        """List living leases with what they take up, of some workers or of all, by worker and address."""
        ...

    def queued(self, *, limit: int) -> Sequence[QueuedAttempt]:
        """List what waits for a worker, in about the order in which it will be taken."""
        ...

    def renew(
        self,
        worker_id: UUID,
        tokens: frozenset[str],
        *,
        expires_at: datetime,
        but: frozenset[AttemptAddress] = frozenset(),
    ) -> Sequence[LeasedAttempt]:
        """Prolong those of the worker's living leases that carry one of the tokens, and list them.

        Leases on the attempts in `but` are left as they are, and not listed.
        """
        ...

    def held_by(self, worker_id: UUID) -> Sequence[LeasedAttempt]:
        """List a worker's living leases."""
        ...

    def expired(self, now: datetime, limit: int) -> Sequence[LeasedAttempt]:
        """List living leases that have run out."""
        ...


class Logs(Protocol):
    """Logs: bytes with offsets, in chunks here while an attempt runs, in the blob store when it has ended."""

    def append(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append to the log of a leased attempt and wake its topic.

        Idempotent: bytes that the log has there already are taken as a repeat.

        Returns:
            The log's size in bytes afterwards.

        Raises:
            StaleLeaseError: the token is not that of the attempt's living lease.
            LogOffsetError: `offset` leaves a gap, or the data overlaps the end or differs from what is there.
        """
        ...

    def state(self, address: AttemptAddress) -> LogState | None:
        """Tell size and whereabouts; None when there is no such attempt."""
        ...

    def chunk(self, address: AttemptAddress, offset: int) -> bytes:
        """Read the rest of the chunk that holds the byte at `offset`; empty at the end or when sealed."""
        ...

    def seal(self, address: AttemptAddress, blob: str) -> bool:
        """Note that the whole log is in the blob store, and drop its chunks.

        Returns:
            False when there is no such log any more: `Retention` has removed it, and the blob is to go too.
        """
        ...


class Outbox(Protocol):
    """What was committed and is still to be done."""

    def add(self, entry: OutboxEntry, due_at: datetime) -> None:
        """Add an entry, and wake the outbox's topic."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[OutboxEntry]:
        """List entries that are due, oldest first."""
        ...

    def done(self, entry_ids: Sequence[UUID]) -> None:
        """Remove entries."""
        ...

    def put_off(self, entry_id: UUID, due_at: datetime) -> None:
        """Count a try in vain, and make the entry due later."""
        ...


class Timers(Protocol):
    """The times at which runs want to hear of something; runs set them by `Runs.save`."""

    def due(self, now: datetime, limit: int) -> Sequence[Timer]:
        """List timers that are due, the oldest first."""
        ...

    def next_due(self) -> datetime | None:
        """Tell when the next timer is due; None when there is none."""
        ...

    def done(self, timer: Timer) -> None:
        """Drop a timer that has fired; one that has meanwhile been set to another time stays."""
        ...


class Reports(Protocol):
    """What runs and their nodes have come to, without the rest of them."""

    def runs(self, pipeline_id: UUID, *, number: int | None, limit: int) -> Sequence[RunTrip]:
        """List a pipeline's last runs, newest first, or the one with a number."""
        ...

    def nodes(
        self, pipeline_id: UUID, definition_hash: str, numbers: tuple[int, int], indexes: Collection[int]
    ) -> Sequence[tuple[int, Trip]]:
        """List what nodes have come to, by index, in runs of one definition.

        Nodes that have only waited, and those that a run has kept from another, are left out.

        Args:
            pipeline_id: whose runs.
            definition_hash: of the definition.
            numbers: the first and the last run.
            indexes: of the nodes in the definition's tree.
        """
        ...


class Workers(Protocol):
    """The workers that have registered."""

    def register(self, worker: Worker) -> UUID | None:
        """Add a session; returns the id of the session of the same name that it takes the place of."""
        ...

    def get(self, worker_id: UUID) -> Worker | None:
        """Find a living session."""
        ...

    def named(self, name: str) -> Worker | None:
        """Find a living session by its worker's name."""
        ...

    def seen(self, worker_id: UUID, at: datetime, load: float | None = None) -> None:
        """Note that it was heard of, and how busy its host is."""
        ...

    def drain(self, worker_id: UUID) -> None:
        """Note that it is to take no more, and wake its topic."""
        ...

    def remove(self, worker_id: UUID) -> None:
        """Forget a session, which holds no lease any more."""
        ...

    def all(self) -> Sequence[Worker]:
        """List the sessions, by name."""
        ...


class WorkerKeys(Protocol):
    """The worker keys that were made by the API."""

    def add(self, key: WorkerKey) -> bool:
        """Add one; False when there is one of its name."""
        ...

    def of_hash(self, key_hash: str) -> WorkerKey | None:
        """Find one by the SHA-256 of the key, in hexadecimal."""
        ...

    def get(self, key_id: UUID) -> WorkerKey | None:
        """Find one by its id."""
        ...

    def used(self, key_id: UUID, at: datetime) -> None:
        """Note that a worker registered with it."""
        ...

    def remove(self, key_id: UUID) -> bool:
        """Remove one; False when there is none of that id."""
        ...

    def all(self) -> Sequence[WorkerKey]:
        """List them, by name."""
        ...


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that has ended, as `Retention` goes through them.

    Attributes:
        ended_at: when.
        run_id: which.
    """

    ended_at: datetime
    run_id: UUID


class Retention(Protocol):
    """Removing what is old, a part at a time, so that no other write waits for long.

    Call order: find runs by `ended`, `surplus` or `with_logs`, then call `remove_run` or `remove_logs` for
    each, in a transaction each time, until it says that it is done. All of it is idempotent; several
    processes may do it at once, and one may go on with what another has begun.

    A run may go when it has ended, and a newer one of its pipeline is there or the pipeline is deleted, and
    no run that has not ended was called by it or has called it.
    """

    def ended(self, before: datetime, *, after: EndedRun | None, limit: int) -> Sequence[EndedRun]:
        """List runs that may go and ended before a time, from behind `after`, by end and id."""
        ...

    def surplus(self, pipeline_id: UUID, keep: int, limit: int) -> Sequence[UUID]:
        """List runs of a pipeline that may go, but for its newest `keep` ended ones; the oldest first."""
        ...

    def with_logs(self, before: datetime, limit: int) -> Sequence[UUID]:
        """List runs that ended before a time and still have their logs, by end."""
        ...

    def remove_run(self, run_id: UUID, now: datetime, limit: int) -> bool:
        """Remove a part of a run if it may go: attempts, then logs and events, and all else with the last.

        For the blobs of its logs an outbox entry `delete_blobs` is added. At most `limit` rows are removed
        before the last part, which has no more than some rows for each node.

        Returns:
            Whether there is nothing more to do.
        """
        ...

    def remove_logs(self, run_id: UUID, now: datetime, limit: int) -> bool:
        """Remove a part of the logs of a run that has ended, as `remove_run` does; the run stays.

        Returns:
            Whether there is nothing more to do.
        """
        ...

    def pipelines(self, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """List all pipelines, deleted ones too, from behind `after`."""
        ...

    def remove_pipelines(self, limit: int) -> int:
        """Remove deleted pipelines that have no runs any more, and tell how many they were."""
        ...

    def remove_definitions(self, *, after: str, limit: int) -> str | None:
        """Look at the definitions from behind a hash, and remove those that nothing refers to.

        Returns:
            The last hash that was looked at; None when there are no more.
        """
        ...


class Users(Protocol):
    """Who may call the API."""

    def get(self, name: str) -> User | None:
        """Find one by name."""
        ...

    def put(self, user: User) -> None:
        """Add one, or replace the one of that name."""
        ...


class Transaction(Protocol):
    """All of the state, as one transaction sees it. Valid only within the function it was given to."""

    @property
    def pipelines(self) -> Pipelines:
        """The pipelines that exist."""
        ...

    @property
    def runs(self) -> Runs:
        """The runs and what they consist of."""
        ...

    @property
    def attempts(self) -> Attempts:
        """The queue and the leases."""
        ...

    @property
    def logs(self) -> Logs:
        """The logs of attempts."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What is to be done after the commit."""
        ...

    @property
    def timers(self) -> Timers:
        """The times at which runs want to hear of something."""
        ...

    @property
    def reports(self) -> Reports:
        """What runs have come to."""
        ...

    @property
    def workers(self) -> Workers:
        """The workers that have registered."""
        ...

    @property
    def worker_keys(self) -> WorkerKeys:
        """The worker keys that were made by the API."""
        ...

    @property
    def retention(self) -> Retention:
        """Removing what is old."""
        ...

    @property
    def users(self) -> Users:
        """Who may call the API."""
        ...

    def definition(self, definition_hash: str) -> Definition | None:
        """Find a definition by its content hash."""
        ...

    def keep_definition(self, definition: Definition) -> None:
        """Store a definition that is no pipeline's, unless its content is stored already."""
        ...

    def wake(self, topic: str) -> None:
        """Wake a topic once this transaction has committed."""
        ...


class Store(Protocol):
    """State that survives; see the module's docstring for what a function given to it may do."""

    @property
    def wakeups(self) -> WakeUps:
        """The wake-ups that this store's commits send."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a function in a transaction and return its result once that has committed.

        Raises:
            StoreUnavailableError: the database does not answer, or conflicts did not end.
            Exception: whatever the function raised; nothing that it did was kept.
        """
        ...

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function that only reads, on a consistent view of what was committed before the call.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        ...

    def recent(self, run_id: UUID) -> Run | None:
        """Return the run as last committed, at once and from memory; None where memory cannot know that.

        Only a store to which no other process writes can answer.
        """
        ...

    def recent_events(self, run_id: UUID, after: int) -> Sequence[RunEvent] | None:
        """Return a run's events with numbers above `after`, ascending, at once and from memory.

        None where memory cannot know them all, as for `recent`, or holds only later ones.
        """
        ...

    async def close(self) -> None:
        """Finish what was accepted and let go of the database. Called once, last."""
        ...
