"""What a run is made with and gathers on its way: source, inputs, parent, outputs, generated nodes, stops."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from definitions import definition, read_definition
from lineshaft.engine.decision import (
    AttemptEnded,
    AttemptQueued,
    ChildRunWanted,
    Decision,
    Effect,
    OutputsGiven,
    TreeGrown,
)
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.cause import Cause
from lineshaft.model.definition import Definition
from lineshaft.model.event import CancelRequested, RunApproved, RunEvent, RunHeld, RunStarted
from lineshaft.model.merge import Merge
from lineshaft.model.node import Group
from lineshaft.model.origin import Origin
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.placement import Demand
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.resource import Broadcast, Resource, ResourceChange, ResourceEvent, Subject
from lineshaft.model.run import Generated, NodeRun, Run, Source, Stop, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.model.work import PipelineWork
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store import SqlStore, open_store
from scene import Scene
from trees import parallel, sequence, task

LINE = definition(
    sequence(task("a"), task("b"), sequence(name="made"), name="line"), "https://example.org/s.git"
)
STOP = Stop(State.TIMED_OUT, Reason(ReasonCode.GROUP_TIME_LIMIT, "It took longer than 10 minutes."))
WAITS = Reason(ReasonCode.WAITING_FOR_APPROVAL, "Its change comes from a fork.")
MADE = Generated(3, "x y")


def read_generated(text: str, _: Definition, __: Tree, ___: int) -> Group:
    """Read the names of tasks."""
    return parallel(*text.split(), name="body")


async def opened(url: str) -> SqlStore:
    return await open_store(
        url, ids=RandomIds(), read_definition=read_definition, read_generated=read_generated
    )


def decision(run: Run, *effects: Effect, changed: Sequence[int] = (), **fields: object) -> Decision:
    """Make a decision by hand."""
    after = replace(run, version=run.version + 1, **fields)  # type: ignore[arg-type]
    return Decision(after, changed=tuple(changed), effects=effects)


async def made(scene: Scene, **fields: object) -> Run:
    """Create a run with fields of its own."""
    pipeline = await scene.pipeline(LINE)

    def work(transaction: Transaction) -> Run:
        run = Run(
            id=scene.ids.new_id(),
            pipeline_id=pipeline.id,
            number=transaction.pipelines.next_run_number(pipeline.id),
            definition_hash=LINE.hash,
            tree=LINE.tree,
            source=Source("https://example.org/s.git"),
            created_at=scene.clock.now(),
            nodes=waiting_nodes(LINE.tree),
        )
        run = replace(run, **fields)  # type: ignore[arg-type]
        transaction.runs.create(run)
        return run

    return await scene.store.write(work)


async def found_anew(url: str, run: Run) -> Run:
    """Find a run by a store that remembers nothing."""
    store = await opened(url)
    found = await store.read(lambda transaction: transaction.runs.get(run.id))
    await store.close()
    assert found is not None
    return found


def assert_same(found: Run, expected: Run) -> None:
    for name in Run.__dataclass_fields__:
        if name not in {"tree", "nodes"}:
            assert getattr(found, name) == getattr(expected, name), name
    assert list(found.nodes) == list(expected.nodes)
    assert found.tree.places == expected.tree.places


async def test_what_a_run_was_started_with_survives_a_restart(database_url: str) -> None:
    store = await opened(database_url)
    run = await made(
        Scene(store),
        source=Source(
            "https://example.org/s.git", "c0ffee", ref="v1", branch="main", tag="v1", message="Say hi\n",
            author="Ada <ada@example.org>", changeset=("src/a b.py", "ü\n.txt"),
            merge=Merge("base", "head", "refs/pull/1/head", "https://example.org/fork.git"),
        ),
        inputs={"level": "fast", "count": 3, "share": 0.5, "really": True},
        cause=Cause.PIPELINE,
        parent=AttemptAddress(RandomIds().new_id(), 4, 2),
        concurrency_group="main",
        priority=-7,
    )  # fmt: skip
    await store.close()

    assert_same(await found_anew(database_url, run), run)


async def test_no_known_changes_are_not_the_same_as_no_changes(database_url: str) -> None:
    store = await opened(database_url)
    unknown = await made(Scene(store), concurrency_group=None)
    none = await made(Scene(store), source=Source("https://example.org/s.git", changeset=()))
    await store.close()

    assert_same(await found_anew(database_url, unknown), unknown)
    assert_same(await found_anew(database_url, none), none)


async def test_outputs_survive_a_restart_and_the_last_ones_count(database_url: str) -> None:
    store = await opened(database_url)
    scene = Scene(store)
    run = await made(scene)

    def work(transaction: Transaction) -> Run:
        first = decision(run, OutputsGiven(1, {"a": "1"}), outputs={1: {"a": "1"}})
        transaction.runs.save(first)
        outputs = {1: {"a": "2", "b": "ü\n"}, 2: {}}
        second = decision(
            first.run, OutputsGiven(1, outputs[1]), OutputsGiven(2, outputs[2]), outputs=outputs
        )
        transaction.runs.save(second)
        return second.run

    after = await store.write(work)
    await store.close()

    assert_same(await found_anew(database_url, after), after)


async def test_generated_nodes_are_part_of_the_run_after_a_restart(database_url: str) -> None:
    store = await opened(database_url)
    scene = Scene(store)
    run = await made(scene)
    tree = run.tree.grown(3, read_generated(MADE.text, LINE, run.tree, 3))
    grown = run.nodes.extended(waiting_nodes(tree, len(run.tree)))
    nodes = grown.replaced(3, replace(run.nodes[3], open_children=2))
    decided = decision(run, TreeGrown(1, MADE), tree=tree, nodes=nodes, generated=(MADE,))

    await store.write(lambda transaction: transaction.runs.save(decided))
    await store.close()

    found = await found_anew(database_url, decided.run)
    assert_same(found, decided.run)
    assert [place.path for place in found.tree.places][-2:] == ["made/x", "made/y"]


async def test_a_generated_node_may_be_stopped_by_the_decision_that_it_joins_by(database_url: str) -> None:
    store = await opened(database_url)
    scene = Scene(store)
    run = await made(scene)
    tree = run.tree.grown(3, read_generated(MADE.text, LINE, run.tree, 3))
    first = len(run.tree)
    grown = run.nodes.extended(waiting_nodes(tree, first))
    grown = grown.replaced(first, NodeRun(State.CANCELLED, attempt=1))
    nodes = grown.replaced(3, NodeRun(open_children=1, unsuccessful_children=1))
    effects = (
        TreeGrown(1, MADE),
        AttemptQueued(first, 1, Demand("run")),
        AttemptEnded(first, 1, State.CANCELLED),
    )
    decided = decision(run, *effects, changed=(first,), tree=tree, nodes=nodes, generated=(MADE,))
    stopped = RunEvent(1, scene.clock.now(), first, State.CANCELLED, None, 1, None)
    decided = replace(decided, events=(stopped,))

    await store.write(lambda transaction: transaction.runs.save(decided))
    await store.close()

    assert_same(await found_anew(database_url, decided.run), decided.run)


async def test_why_nodes_and_the_run_are_being_stopped_survives_a_restart(database_url: str) -> None:
    store = await opened(database_url)
    scene = Scene(store)
    run = await scene.apply((await made(scene)).id, RunStarted())
    root = replace(run.root, stop=STOP)
    task_node = replace(run.nodes[1], stop=STOP, losses=1)
    nodes = run.nodes.replaced(0, root).replaced(1, task_node)
    decided = decision(run, changed=(0, 1), nodes=nodes)

    await store.write(lambda transaction: transaction.runs.save(decided))
    await store.close()

    assert_same(await found_anew(database_url, decided.run), decided.run)


async def test_what_a_run_takes_over_from_another_is_written_with_it(database_url: str) -> None:
    store = await opened(database_url)
    tree = LINE.tree.grown(3, read_generated(MADE.text, LINE, LINE.tree, 3))
    kept = NodeRun(State.SUCCEEDED, Reason(ReasonCode.KEPT, "It was kept."), attempt=0)
    nodes = waiting_nodes(tree).replaced(1, kept)
    nodes = nodes.replaced(0, replace(nodes[0], open_children=2))
    run = await made(Scene(store), tree=tree, nodes=nodes, generated=(MADE,), outputs={1: {"a": "1"}})
    await store.close()

    assert_same(await found_anew(database_url, run), run)


async def test_the_run_that_stands_for_an_attempt_is_found(scene: Scene) -> None:
    parent = await made(scene)
    address = AttemptAddress(parent.id, 1, 2)

    def work(transaction: Transaction) -> None:
        wanted = ChildRunWanted(1, 2, PipelineWork("other"))
        transaction.runs.save(decision(parent, wanted))

    await scene.store.write(work)
    child = await made(scene, parent=address)

    assert await scene.look(lambda transaction: transaction.runs.child(address)) == child.id
    other = replace(address, attempt=1)
    assert await scene.look(lambda transaction: transaction.runs.child(other)) is None


async def test_unended_runs_are_told_by_group(scene: Scene) -> None:
    pipeline = await scene.pipeline(LINE)

    def create(transaction: Transaction, group: str | None) -> Run:
        run = replace(scene.new_run(transaction, pipeline), concurrency_group=group)
        transaction.runs.create(run)
        return run

    def work(transaction: Transaction) -> list[Run]:
        return [create(transaction, group) for group in ("a", "b", "a", None)]

    first, _, third, _ = runs = await scene.store.write(work)

    found = await scene.look(lambda transaction: transaction.runs.unended_of_group(pipeline.id, "a"))
    oldest = await scene.look(
        lambda transaction: transaction.runs.unended_of_group(pipeline.id, "a", limit=1)
    )
    every = await scene.look(lambda transaction: transaction.runs.unended(pipeline.id))
    assert (list(found.runs), list(oldest.runs), list(every.runs)) == ([first, third], [first], runs)


async def test_held_runs_are_in_the_way_of_no_group(scene: Scene) -> None:
    pipeline = await scene.pipeline(LINE)
    held, other = await scene.waiting_run(pipeline), await scene.waiting_run(pipeline)
    await scene.apply(held.id, RunHeld(WAITS))

    found = await scene.look(lambda transaction: transaction.runs.unended_of_group(pipeline.id, ""))
    every = await scene.look(lambda transaction: transaction.runs.unended(pipeline.id))
    assert [run.id for run in found.runs] == [other.id]
    assert [run.id for run in every.runs] == [held.id, other.id]

    await scene.apply(held.id, RunApproved("ada"))
    found = await scene.look(lambda transaction: transaction.runs.unended_of_group(pipeline.id, ""))
    assert [run.id for run in found.runs] == [held.id, other.id]


async def test_what_is_held_and_what_is_approved_is_found_so_again(database_url: str) -> None:
    store = await opened(database_url)
    run = await made(Scene(store), origin=Origin(pull_request=7, head_commit="a" * 40, from_fork=True))
    held = await Scene(store).apply(run.id, RunHeld(WAITS))
    await store.close()
    assert_same(await found_anew(database_url, run), held)

    store = await opened(database_url)
    approved = await Scene(store).apply(run.id, RunApproved("ada"))
    await store.close()
    assert_same(await found_anew(database_url, run), approved)

    assert (held.held, approved.held, approved.approved_by) == (True, False, "ada")


async def test_held_runs_are_told_by_pull_request(scene: Scene) -> None:
    pipeline, another = await scene.pipeline(LINE), await scene.pipeline(LINE)

    def create(transaction: Transaction, pipeline: Pipeline, number: int | None) -> UUID:
        run = replace(scene.new_run(transaction, pipeline), origin=Origin(pull_request=number))
        transaction.runs.create(run)
        scene.decide(transaction, run.id, RunHeld(WAITS))
        return run.id

    def work(transaction: Transaction) -> list[UUID]:
        made = [create(transaction, pipeline, number) for number in (7, 8, 7, None, 7, 7)]
        create(transaction, another, 7)
        scene.decide(transaction, made[2], RunApproved("ada"))
        scene.decide(transaction, made[4], CancelRequested(STOP.reason))
        assert [run.id for run in transaction.runs.held(pipeline.id, pull_request=7).runs] == [
            made[0],
            made[5],
        ]
        return made

    ids = await scene.store.write(work)

    found = await scene.look(lambda transaction: transaction.runs.held(pipeline.id, pull_request=7))
    assert [run.id for run in found.runs] == [ids[0], ids[5]]


async def test_a_group_goes_on_while_one_of_its_runs_has_begun_and_not_ended(scene: Scene) -> None:
    pipeline = await scene.pipeline(LINE)
    run = await scene.waiting_run(pipeline)

    async def goes_on(group: str = "") -> bool:
        return await scene.look(lambda transaction: transaction.runs.group_goes_on(pipeline.id, group))

    assert not await goes_on()
    await scene.apply(run.id, RunStarted())
    assert (await goes_on(), await goes_on("another")) == (True, False)
    await scene.apply(run.id, CancelRequested(STOP.reason))
    assert not await goes_on()


async def test_a_definition_may_be_kept_that_is_no_pipelines(scene: Scene) -> None:
    other = definition(sequence(task("x"), name="other"))

    await scene.store.write(lambda transaction: transaction.keep_definition(other))

    assert await scene.look(lambda transaction: transaction.definition(other.hash)) == other


async def test_reports_tell_what_runs_and_nodes_have_come_to(scene: Scene) -> None:
    run = await scene.run(LINE)
    (held,) = await scene.claim()
    await scene.report(held, State.FAILED)

    (whole,) = await scene.look(
        lambda transaction: transaction.reports.runs(run.pipeline_id, number=None, limit=9)
    )
    nodes = await scene.look(
        lambda transaction: transaction.reports.nodes(run.pipeline_id, LINE.hash, (1, 1), [1, 2])
    )
    none = await scene.look(lambda transaction: transaction.reports.runs(run.pipeline_id, number=2, limit=9))

    assert (whole.number, whole.definition_hash, whole.trip.state) == (1, LINE.hash, State.FAILED)
    assert {index: trip.state for index, trip in nodes} == {1: State.FAILED, 2: State.SKIPPED}
    assert list(none) == []


SHOP = Resource(
    id=UUID(int=9),
    type="app",
    name="shop",
    version=4,
    spec={"image": "shop", "of": [1, None, {"é": 1.5}], "odd": "\x00\u2028"},
    metadata={"team": "a"},
    pipeline="line",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
)


@pytest.mark.parametrize(
    "subject",
    [
        ResourceChange(ResourceEvent.UPDATED, SHOP),
        ResourceChange(ResourceEvent.DELETED, replace(SHOP, pipeline=None, deleted=True)),
        Broadcast("flush", {"all": [True, None, "x"]}),
        Broadcast("flush", None),
    ],
)
async def test_what_a_run_carries_survives_a_restart(database_url: str, subject: Subject) -> None:
    store = await opened(database_url)
    run = await made(Scene(store), subject=subject)
    await store.close()

    assert_same(await found_anew(database_url, run), run)
