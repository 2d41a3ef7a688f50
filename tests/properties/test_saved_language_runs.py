"""Whatever a run of the pipeline language gathers, the database gives it back as it was in memory."""

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.engine.starting import kept_nodes
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.cause import Cause
from lineshaft.model.definition import Definition, Format
from lineshaft.model.event import (
    AttemptLost,
    AttemptReported,
    CancelRequested,
    ChildRunEnded,
    Event,
    RunStarted,
    TimerFired,
)
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.run import Run, Source
from lineshaft.model.state import State
from lineshaft.model.surroundings import Surroundings
from lineshaft.model.tree import Tree
from lineshaft.model.value import Value
from lineshaft.model.work import PipelineWork
from lineshaft.ports.ids import CountingIds
from lineshaft.ports.store import Store, Transaction
from lineshaft.store import SqlStore, open_store
from scene import Held, Scene
from trees import any_trees, parallel, task
from watched_run import BY_USER, OUTCOMES, SUCCEEDED

SOURCE: Final = Source(
    "https://example.org/shop.git",
    ref="refs/tags/v1",
    tag="v1",
    message="Ünïcode \U0001f600",
    author="me",
    changeset=("a b", "c\nd", ""),
)
INPUTS: Final[dict[str, Value]] = {"text": "ä", "yes": True, "one": 1, "half": 0.5}
SLOW_TO_DRAW: Final = (HealthCheck.too_slow, HealthCheck.data_too_large)
SOON: Final = timedelta(minutes=2)

moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["claim", "claim", "succeed", "succeed", "succeed", "fail", "lose", "call", "fire", "cancel"]
        ),
        st.integers(0, 3),
    ),
    min_size=4,
    max_size=30,
)


@given(first=any_trees(depth=3), body=any_trees(depth=3), histories=st.tuples(moves, moves))
@settings(max_examples=60, suppress_health_check=SLOW_TO_DRAW)
def test_a_run_of_the_language_is_loaded_as_it_was_saved(
    first: Tree, body: Tree, histories: tuple[list[tuple[str, int]], ...]
) -> None:
    maker = Group("gen", Order.SEQUENCE, (), setup=task("run"), generates="nodes", carries_outputs=True)
    telling = task("tell", surroundings=Surroundings(outputs=("x",)))
    root = parallel(telling, maker, replace(first.root, name="any"), name="root")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Database(f"sqlite:///{folder}/lineshaft.db", root, body.root), histories))


class Database:
    """A database, and the texts that stand in it for one definition and for what its task makes."""

    def __init__(self, url: str, root: Group, body: Group) -> None:
        self._url = url
        self._body = body
        self.definition = Definition("0" * 64, Format.NATIVE, "text", root.name, None, Tree(root))

    async def open(self) -> SqlStore:
        return await open_store(
            self._url,
            ids=CountingIds(),
            read_definition=lambda *_: self.definition,
            read_generated=lambda *_: self._body,
        )

    def event(self, run: Run, held: list[Held], what: str, which: int) -> Event | None:
        """Make an event that a run may hear of next; None where there is none of the kind."""
        if what == "cancel":
            return CancelRequested(BY_USER)
        if what == "call":
            return _end_of_call(run)
        if not held:
            return None
        of = held.pop(which % len(held))
        node, attempt = of.address.node, of.address.attempt
        if what == "lose":
            return AttemptLost(node, attempt, of.token)
        if what == "fail":
            return AttemptReported(node, attempt, of.token, OUTCOMES[1 + which % 3])
        makes = run.tree[node].path == "gen/run"
        outcome = replace(SUCCEEDED, outputs={"x": "ä\n"}, generated="nodes" if makes else None)
        return AttemptReported(node, attempt, of.token, outcome, self._body if makes else None)


def _end_of_call(run: Run) -> Event | None:
    for place in run.tree.places:
        called = isinstance(place.node, Task) and isinstance(place.node.work, PipelineWork)
        if called and run.nodes[place.index].state is State.RUNNING:
            outcome = Outcome(State.SUCCEEDED, outputs={"said": "yes"})
            return ChildRunEnded(place.index, run.nodes[place.index].attempt, outcome)
    return None


async def check(database: Database, histories: tuple[list[tuple[str, int]], ...]) -> None:
    store = await database.open()
    scene = Scene(store, ids=CountingIds())
    pipeline = await scene.pipeline(database.definition)
    runs: list[UUID] = []
    for history in histories:
        earlier = None if not runs else store.recent(runs[-1])

        def create(transaction: Transaction, earlier: Run | None = earlier) -> Run:
            run = as_asked(scene.new_run(transaction, pipeline), earlier)
            transaction.runs.create(run)
            return run

        run = await store.write(create)
        runs.append(run.id)
        await scene.apply(run.id, RunStarted())
        await live(scene, database, run.id, history)
    expected = [store.recent(run_id) for run_id in runs]
    await store.close()

    store = await database.open()
    for run_id, before in zip(runs, expected, strict=True):
        assert before is not None
        await compare(store, run_id, before)
    await store.close()


def as_asked(run: Run, earlier: Run | None) -> Run:
    """Give a run all that it may be started with."""
    run = replace(run, source=SOURCE, inputs=INPUTS, cause=Cause.RETRY, concurrency_group="g ä")
    if earlier is None:
        return run
    run = replace(run, retry_of=earlier.id, parent=AttemptAddress(earlier.id, 1, 2))
    if not earlier.state.ended:
        return run
    start = kept_nodes(earlier)
    return replace(run, tree=start.tree, nodes=start.nodes, generated=start.generated, outputs=start.outputs)


async def live(scene: Scene, database: Database, run_id: UUID, history: list[tuple[str, int]]) -> None:
    held: list[Held] = []
    for what, which in history:
        run = await scene.look(lambda transaction: transaction.runs.get(run_id))
        assert run is not None
        if what == "claim":
            held += [each for each in await scene.claim(which + 1) if each.address.run_id == run_id]
        elif what == "fire":
            scene.clock.advance(SOON)
            await scene.store.write(lambda transaction: fire(scene, transaction))
        elif (event := database.event(run, held, what, which)) is not None:
            await scene.apply(run_id, event)


def fire(scene: Scene, transaction: Transaction) -> None:
    for timer in transaction.timers.due(scene.clock.now(), 100):
        transaction.timers.done(timer)
        scene.decide(transaction, timer.run_id, TimerFired(timer.node, timer.purpose))


async def compare(store: Store, run_id: UUID, expected: Run) -> None:
    found = await store.read(lambda transaction: transaction.runs.get(run_id))
    events = await store.read(lambda transaction: transaction.runs.events(run_id, after=0, limit=10_000))
    assert found is not None
    assert list(found.nodes) == list(expected.nodes)
    assert found.tree.places == expected.tree.places
    for name in Run.__dataclass_fields__:
        assert name == "tree" or getattr(found, name) == getattr(expected, name), name
    assert [event.number for event in events] == list(range(1, expected.event_count + 1))
