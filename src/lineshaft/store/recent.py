"""What a process remembers of what it has read and written."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Final
from uuid import UUID

from lineshaft.model.definition import Definition
from lineshaft.model.event import RunEvent
from lineshaft.model.run import Run

MOST_RUNS: Final = 4_096
"""How many runs are remembered, so that those which a long queue holds are at hand when their turn comes."""
MOST_ENDED: Final = 512
"""How many of them may have ended: to these little happens any more."""
MOST_PARTS: Final = 200_000
"""How many nodes and events of runs are remembered."""
MOST_EVENTS: Final = 64
"""How many of a run's last events are remembered, for those who follow it as it goes."""
MOST_DEFINITIONS: Final = 1_024
MOST_DEFINED: Final = 100_000
"""How many nodes the definitions have in all that are remembered."""


class RecentRuns:
    """The runs that were used last, each as committed at some time. Safe from any thread.

    Every commit of this process is told of at once, so that an entry is older than the database only through
    the writes of other processes. Runs that were merely loaded are kept only when nothing was committed since
    their load began.
    """

    def __init__(
        self, most_runs: int = MOST_RUNS, most_parts: int = MOST_PARTS, most_ended: int = MOST_ENDED
    ) -> None:
        """Keep at most so many runs, with at most so many nodes and events in all, and so many that ended."""
        self._most_runs = most_runs
        self._most_parts = most_parts
        self._most_ended = most_ended
        self._runs: OrderedDict[UUID, Run] = OrderedDict()
        self._ended: OrderedDict[UUID, None] = OrderedDict()
        self._events: dict[UUID, deque[RunEvent]] = {}
        self._parts = 0
        self._commits = 0
        self._lock = Lock()

    def get(self, run_id: UUID) -> Run | None:
        """Find a run."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is not None:
                self._runs.move_to_end(run_id)
                if run_id in self._ended:
                    self._ended.move_to_end(run_id)
            return run

    def events(self, run_id: UUID, after: int) -> Sequence[RunEvent] | None:
        """List a run's events with numbers above `after`; None when not all of them are remembered."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is None:
                return None
            if run.event_count <= after:
                return ()
            last = self._events.get(run_id)
            if not last or last[0].number > after + 1:
                return None
            return [event for event in last if event.number > after]

    def commits(self) -> int:
        """Count the commits so far; to be asked before runs are loaded."""
        with self._lock:
            return self._commits

    def committed(self, runs: Iterable[Run], events: Mapping[UUID, Sequence[RunEvent]]) -> None:
        """Remember what a commit of this process has made of runs, and the events that it has added."""
        with self._lock:
            self._commits += 1
            for run in runs:
                last = self._events.get(run.id)
                self._drop(run.id)
                last = deque(maxlen=MOST_EVENTS) if last is None else last
                last.extend(events.get(run.id, ()))
                self._put(run, last)

    def loaded(self, runs: Iterable[Run], commits_before: int) -> None:
        """Remember runs that were loaded, unless what was loaded may be old by now."""
        with self._lock:
            if self._commits == commits_before:
                for run in runs:
                    self._put(run)

    def forget(self, run_ids: Iterable[UUID]) -> None:
        """Drop runs that another process has written."""
        with self._lock:
            for run_id in run_ids:
                self._drop(run_id)

    def removed(self, run_ids: Iterable[UUID]) -> None:
        """Drop runs that a commit of this process has removed."""
        with self._lock:
            self._commits += 1
            for run_id in run_ids:
                self._drop(run_id)

    def _put(self, run: Run, events: deque[RunEvent] | None = None) -> None:
        self._drop(run.id)
        self._runs[run.id] = run
        self._parts += len(run.nodes)
        if events:
            self._events[run.id] = events
            self._parts += len(events)
        if run.state.ended:
            self._ended[run.id] = None
        while len(self._ended) > self._most_ended:
            self._drop(next(iter(self._ended)))
        while len(self._runs) > self._most_runs or self._parts > self._most_parts:
            self._drop(next(iter(self._runs)))

    def _drop(self, run_id: UUID) -> None:
        run = self._runs.pop(run_id, None)
        if run is not None:
            self._ended.pop(run_id, None)
            self._parts -= len(run.nodes) + len(self._events.pop(run_id, ()))


class RecentDefinitions:
    """The definitions that were used last, by hash. They never change. Safe from any thread.

    One that is remembered may have been removed since, by this process or another; a row that refers to it
    is then refused by the database, and `forget_all` has what wrote it run again.
    """

    def __init__(self, most: int = MOST_DEFINITIONS, most_nodes: int = MOST_DEFINED) -> None:
        """Keep at most so many, with at most so many nodes in all, but always the one that was used last."""
        self._most = most
        self._most_nodes = most_nodes
        self._definitions: OrderedDict[str, Definition] = OrderedDict()
        self._nodes = 0
        self._lock = Lock()

    def get(self, definition_hash: str) -> Definition | None:
        """Find a definition."""
        with self._lock:
            definition = self._definitions.get(definition_hash)
            if definition is not None:
                self._definitions.move_to_end(definition_hash)
            return definition

    def forget(self, definition_hash: str) -> None:
        """Drop one."""
        with self._lock:
            self._drop(definition_hash)

    def forget_all(self) -> None:
        """Drop all of them."""
        with self._lock:
            self._definitions.clear()
            self._nodes = 0

    def put(self, definitions: Iterable[Definition]) -> None:
        """Remember definitions that are in the database."""
        with self._lock:
            for definition in definitions:
                self._drop(definition.hash)
                self._definitions[definition.hash] = definition
                self._nodes += len(definition.tree)
            while len(self._definitions) > self._most or (
                self._nodes > self._most_nodes and len(self._definitions) > 1
            ):
                self._drop(next(iter(self._definitions)))

    def _drop(self, definition_hash: str) -> None:
        definition = self._definitions.pop(definition_hash, None)
        if definition is not None:
            self._nodes -= len(definition.tree)
