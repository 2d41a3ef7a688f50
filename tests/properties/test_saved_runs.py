"""Whatever happens to a run, the database gives it back as it was in memory."""

import asyncio
import tempfile
from collections.abc import Callable
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from definitions import definition, read_definition
from lineshaft.model.definition import Definition
from lineshaft.model.event import (
    AttemptLost,
    AttemptReported,
    CancelRequested,
    Event,
    RunStarted,
    SourceResolved,
)
from lineshaft.model.node import Group
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from lineshaft.ports.ids import CountingIds
from lineshaft.ports.store import Transaction
from lineshaft.store import SqlStore, open_store
from scene import Held, Scene
from trees import trees

REASON = Reason(ReasonCode.CANCELLED_BY_USER, "Somebody changed their mind.")

steps = st.lists(
    # What happens, and to which of the attempts that are held.
    st.tuples(
        st.sampled_from(["claim", "succeed", "fail", "stop", "lose", "resolve", "cancel"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
)


@given(tree=trees(depth=4), history=st.lists(steps, min_size=3, max_size=12))
@settings(max_examples=100, deadline=None)
def test_a_run_is_loaded_as_it_was_saved(tree: Tree, history: list[list[tuple[str, int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(f"sqlite:///{folder}/lineshaft.db", tree, history))


async def check(url: str, tree: Tree, history: list[list[tuple[str, int]]]) -> None:
    store = await opened(url)
    scene = Scene(store, ids=CountingIds())
    pipeline = await scene.pipeline(definition_of(tree))
    run_id = (await scene.waiting_run(pipeline)).id
    await scene.apply(run_id, RunStarted())
    held: list[Held] = []
    for together in history:
        works = [work_of(scene, run_id, held, what, which) for what, which in together]
        for claimed in await asyncio.gather(*(store.write(work) for work in works)):
            held += claimed
    expected = store.recent(run_id)
    await store.close()

    store = await opened(url)
    found = await store.read(lambda transaction: transaction.runs.get(run_id))
    events = await store.read(lambda transaction: transaction.runs.events(run_id, after=0, limit=10_000))
    await store.close()
    assert expected is not None
    assert found is not None
    assert list(found.nodes) == list(expected.nodes)
    for name in Run.__dataclass_fields__:
        assert name == "tree" or getattr(found, name) == getattr(expected, name)
    assert [event.number for event in events] == list(range(1, expected.event_count + 1))
    assert {event.node: event.state for event in events} == {
        index: node.state for index, node in enumerate(expected.nodes) if node.state is not State.WAITING
    }


def work_of(
    scene: Scene, run_id: UUID, held: list[Held], what: str, which: int
) -> Callable[[Transaction], list[Held]]:
    """Make the function for one step; it returns what it has claimed."""
    if what == "claim":
        return scene.claiming(which + 1)
    event = event_of(held, what, which)

    def work(transaction: Transaction) -> list[Held]:
        if event is not None:
            scene.decide(transaction, run_id, event)
        return []

    return work


def event_of(held: list[Held], what: str, which: int) -> Event | None:
    if what == "resolve":
        return SourceResolved(f"commit {which}")
    if what == "cancel":
        return CancelRequested(REASON)
    if not held:
        return None
    of = held[which % len(held)]
    node, attempt = of.address.node, of.address.attempt
    if what == "lose":
        return AttemptLost(node, attempt, of.token)
    outcome = {
        "succeed": Outcome(State.SUCCEEDED, exit_code=0),
        "fail": Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "It ended with exit code 1."), 1),
        "stop": Outcome(State.CANCELLED, REASON),
    }[what]
    return AttemptReported(node, attempt, of.token, outcome)


def definition_of(tree: Tree) -> Definition:
    root = tree[ROOT].node
    assert isinstance(root, Group)
    return definition(root, repository="https://example.org/shop.git")


async def opened(url: str) -> SqlStore:
    return await open_store(url, ids=CountingIds(), read_definition=read_definition)
