"""A server that speaks Lineshaft's API over real HTTP, and does what a test tells it.

Its runs go through the real engine and its answers through `wire`, so that what a client sees is what a
server says; only the worker's part is played by the test.
"""

import asyncio
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

import uvicorn

from fake_api_routes import make_app
from lineshaft.engine.advance import advance
from lineshaft.model.errors import (
    NodeNotFoundError,
    NotWaitingError,
    PipelineNotFoundError,
    RunEndedError,
    RunNotEndedError,
    RunNotFoundError,
)
from lineshaft.model.event import (
    AttemptLeased,
    AttemptLost,
    AttemptReported,
    CancelRequested,
    Event,
    RunApproved,
    RunEvent,
    RunHeld,
    RunStarted,
)
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Lease, Run, Source, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import RunWork
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import CountingIds

USERNAME, PASSWORD = "admin", "sesame"


def group(name: str, *children: Task | Group | str, order: Order = Order.SEQUENCE) -> Group:
    """Make a group; a text stands for a task of that name."""
    nodes = (Task(child, RunWork("true")) if isinstance(child, str) else child for child in children)
    return Group(name, order, tuple(nodes))


@dataclass
class Log:
    """What a task's attempt has written, and whether that is all."""

    data: bytearray = field(default_factory=bytearray)
    complete: bool = False


@dataclass
class Record:
    """A run with all that belongs to it."""

    run: Run
    events: list[RunEvent] = field(default_factory=list)
    logs: dict[tuple[int, int], Log] = field(default_factory=dict)


class FakeApi:
    """The server's state, and what a test does to it; use it as a context manager.

    Attributes:
        url: where it answers.
        credentials: the user name and password that it takes.
        seen: each request as `METHOD /path?query`, then the id behind which a stream was resumed.
        stream_cuts: of the next streams, after how many events each breaks off.
        refusals: answers given to the next requests in place of their own: status and body.
    """

    def __init__(self) -> None:
        self.forget()
        self._listeners: set[asyncio.Event] = set()
        # It listens from now on: a client that comes too early waits in the socket's queue.
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_app(self), log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=1
            )
        )
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def forget(self) -> None:
        """Begin anew, with nothing there."""
        self.clock = ManualClock()
        self.credentials = (USERNAME, PASSWORD)
        self.seen: list[str] = []
        self.stream_cuts: list[int] = []
        self.refusals: list[tuple[int, bytes]] = []
        self._ids = CountingIds()
        self._pipelines: dict[UUID, dict[str, Any]] = {}
        self._groups: dict[UUID, Group] = {}
        self._runs: dict[UUID, Record] = {}

    def add_pipeline(self, name: str, *children: Task | Group | str, order: Order = Order.SEQUENCE) -> UUID:
        """Make a pipeline of these nodes."""
        document: dict[str, Any] = {
            "name": name,
            "git_repository": None,
            "parallel": order is Order.PARALLEL,
            "stages": [],
        }
        return self.put_pipeline(None, document, group(name, *children, order=order))

    def put_pipeline(
        self, pipeline_id: UUID | None, document: Mapping[str, Any], nodes: Group | None = None
    ) -> UUID:
        """Keep a pipeline's configuration, under a new id where none is given."""
        pipeline_id = pipeline_id or self._ids.new_id()
        stages = [stage["name"] for stage in document["stages"]]
        self._groups[pipeline_id] = nodes or group(document["name"], *stages)
        self._pipelines[pipeline_id] = {**document, "id": str(pipeline_id)}
        return pipeline_id

    def remove_pipeline(self, pipeline_id: UUID) -> None:
        """Forget a pipeline, but not its runs."""
        self.pipeline(pipeline_id)
        del self._pipelines[pipeline_id]

    def pipeline(self, pipeline_id: UUID) -> dict[str, Any]:
        """Read a pipeline."""
        if pipeline_id not in self._pipelines:
            raise PipelineNotFoundError(pipeline_id)
        return self._pipelines[pipeline_id]

    def pipelines(self, name: str | None) -> list[dict[str, Any]]:
        """List pipelines by name."""
        found = [each for each in self._pipelines.values() if name in {None, each["name"]}]
        return sorted(found, key=lambda each: (each["name"], each["id"]))

    def start_run(self, pipeline_id: UUID) -> UUID:
        """Begin a run: its first tasks are queued."""
        run_id = self.create_run(pipeline_id)
        self._advance(run_id, RunStarted())
        return run_id

    def create_run(self, pipeline_id: UUID, source: Source | None = None) -> UUID:
        """Make a run in which nothing has begun."""
        self.pipeline(pipeline_id)
        tree = Tree(self._groups[pipeline_id])
        run = Run(
            id=self._ids.new_id(),
            pipeline_id=pipeline_id,
            number=len(self.runs(pipeline_id)) + 1,
            definition_hash="",
            tree=tree,
            source=source,
            created_at=self.clock.now(),
            nodes=waiting_nodes(tree),
        )
        self._runs[run.id] = Record(run)
        return run.id

    def begin(self, run_id: UUID, path: str) -> None:
        """Have a worker take a queued task."""
        node, attempt = self._at(run_id, path)
        self._advance(run_id, AttemptLeased(node, attempt, Lease("token", UUID(int=1))))

    def write(self, run_id: UUID, path: str, data: bytes) -> None:
        """Have a task write to its log."""
        self._runs[run_id].logs.setdefault(self._at(run_id, path), Log()).data.extend(data)
        self._wake()

    def end(self, run_id: UUID, path: str, exit_code: int = 0) -> None:
        """Have a running task end."""
        outcome = Outcome(State.SUCCEEDED, exit_code=0)
        if exit_code:
            reason = Reason(ReasonCode.EXIT_CODE, f"The command ended with exit code {exit_code}.")
            outcome = Outcome(State.FAILED, reason, exit_code)
        node, attempt = self._at(run_id, path)
        self._advance(run_id, AttemptReported(node, attempt, "token", outcome))

    def play(self, run_id: UUID, path: str, log: bytes = b"", exit_code: int = 0) -> None:
        """Have a queued task begin, write and end."""
        self.begin(run_id, path)
        self.write(run_id, path, log)
        self.end(run_id, path, exit_code)

    def lose(self, run_id: UUID, path: str) -> None:
        """Have a running task's worker vanish."""
        node, attempt = self._at(run_id, path)
        self._advance(run_id, AttemptLost(node, attempt, "token"))

    def cancel(self, run_id: UUID) -> Run:
        """Ask a run to stop; workers obey at once."""
        run = self.record(run_id).run
        if run.state.ended:
            raise RunEndedError(f"Run {run.number} has ended.", advice="There is nothing left to cancel.")
        reason = Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run.")
        self._advance(run_id, CancelRequested(reason))
        run = self.record(run_id).run
        for place in run.tree.below_root():
            node = run.nodes[place.index]
            if node.lease is not None:
                outcome = Outcome(State.CANCELLED, reason)
                self._advance(run_id, AttemptReported(place.index, node.attempt, "token", outcome))
        return self.record(run_id).run

    def hold(self, pipeline_id: UUID, commit: str, changed: tuple[str, ...] | None = None) -> UUID:
        """Create a run that waits for approval of a commit."""
        run_id = self.create_run(pipeline_id, Source("https://git.example/shop", commit, changeset=changed))
        self._advance(run_id, RunHeld(Reason(ReasonCode.WAITING_FOR_APPROVAL, "It waits for approval.")))
        return run_id

    def approve(self, run_id: UUID, commit: str) -> Run:
        """Let a held run begin."""
        run = self.record(run_id).run
        if not run.held or commit != run.approvable_commit:
            raise NotWaitingError(f"Run {run.number} does not wait for that.")
        self._advance(run_id, RunApproved("ada"))
        self._advance(run_id, RunStarted())
        return self.record(run_id).run

    def retry(self, run_id: UUID) -> Run:
        """Begin a run like one that has ended."""
        run = self.record(run_id).run
        if not run.state.ended:
            raise RunNotEndedError(f"Run {run.number} is still {run.state}.", advice="Cancel it first.")
        return self.record(self.start_run(run.pipeline_id)).run

    def record(self, run_id: UUID) -> Record:
        """Read a run."""
        if run_id not in self._runs:
            raise RunNotFoundError(run_id)
        return self._runs[run_id]

    def runs(self, pipeline_id: UUID) -> list[Run]:
        """List a pipeline's runs, newest first."""
        found = [each.run for each in self._runs.values() if each.run.pipeline_id == pipeline_id]
        return sorted(found, key=lambda run: -run.number)

    def log(self, run_id: UUID, path: str, attempt: int | None) -> Log:
        """Read the log of a task's attempt."""
        record = self.record(run_id)
        place = record.run.tree.find(path)
        if place is None:
            raise NodeNotFoundError(f"Run {record.run.number} has no node '{path}'.")
        node = record.run.nodes[place.index]
        attempt = attempt or node.attempt
        if attempt > node.attempt:
            raise NodeNotFoundError(f"Node '{path}' has no attempt {attempt}.")
        log = record.logs.setdefault((place.index, attempt), Log())
        log.complete = node.state.ended or attempt < node.attempt
        return log

    def listen(self) -> asyncio.Event:
        """Make an event that is set whenever something changes; call it in the server's loop only."""
        listener = asyncio.Event()
        self._listeners.add(listener)
        return listener

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve(sockets=[self._socket]))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _at(self, run_id: UUID, path: str) -> tuple[int, int]:
        run = self.record(run_id).run
        place = run.tree.find(path)
        assert place is not None, path
        return place.index, run.nodes[place.index].attempt

    def _advance(self, run_id: UUID, event: Event) -> None:
        record = self._runs[run_id]
        decision = advance(record.run, event, self.clock.now())
        assert decision.run is not record.run, f"{event} has no consequence"
        record.events.extend(decision.events)
        record.run = decision.run
        self._wake()

    def _wake(self) -> None:
        def wake() -> None:
            for listener in self._listeners:
                listener.set()

        self._loop.call_soon_threadsafe(wake)
