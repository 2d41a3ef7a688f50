"""Who may have another pipeline run, and which one a name means."""

from dataclasses import replace
from uuid import UUID

import pytest

from desk import SUCCEEDED, DeskWorker
from lineshaft.definition.compiling.read import read_native
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest

MAKE = "steps: [{name: a, run: make}]\n"
CALL = "steps: [{name: call, pipeline: release}]\n"
OPEN = f"name: release\ncallable_by: '*'\n{MAKE}"
FOR_SHOP = f"name: release\ncallable_by: [shop]\n{MAKE}"


@pytest.fixture
def worker(plane: ControlPlane) -> DeskWorker:
    return DeskWorker(plane)


def reason(run: Run, path: str = "call") -> tuple[ReasonCode | None, str]:
    place = run.tree.find(path)
    assert place is not None
    found = run.nodes[place.index].reason
    return (None, "") if found is None else (found.code, found.text)


def called(run: Run, path: str = "call") -> bool:
    return reason(run, path)[0] is ReasonCode.WAITING_FOR_CHILD_RUN


async def rename(plane: ControlPlane, pipeline_id: UUID, text: str) -> None:
    await plane.pipelines.replace(pipeline_id, read_native(text.encode()))


async def test_a_pipeline_that_is_listed_may_call(worker: DeskWorker) -> None:
    await worker.pipeline(FOR_SHOP)
    assert called(await worker.start(f"name: shop\n{CALL}"))


async def test_a_pipeline_that_says_nothing_of_callers_is_called_by_none(worker: DeskWorker) -> None:
    target = await worker.pipeline(f"name: release\n{MAKE}")

    run = await worker.start(f"name: shop\n{CALL}")

    assert reason(run) == (
        ReasonCode.CALL_REFUSED,
        "'release' does not let 'shop' call it: its definition would have to say `callable_by: [\"shop\"]`.",
    )
    assert await worker.plane.runs.page(target.id, before=None, limit=9) == []


async def test_a_pipeline_that_is_not_listed_is_told_what_to_add(worker: DeskWorker) -> None:
    await worker.pipeline(FOR_SHOP)

    assert reason(await worker.start(f"name: till\n{CALL}")) == (
        ReasonCode.CALL_REFUSED,
        "'release' does not let 'till' call it: `callable_by` in its definition would have to list \"till\".",
    )


async def test_a_pipeline_whose_name_cannot_be_listed_is_told_its_id(worker: DeskWorker) -> None:
    await worker.pipeline(FOR_SHOP)
    run = await worker.start(f"name: team-*\n{CALL}")
    assert reason(run)[1].endswith(f'would have to list "{run.pipeline_id}".')


async def test_a_pipeline_that_takes_a_listed_name_gets_no_further_by_it(worker: DeskWorker) -> None:
    await worker.pipeline(FOR_SHOP)
    shop = await worker.pipeline(f"name: shop\n{CALL}")
    other = await worker.pipeline(f"name: other\n{CALL}")

    await rename(worker.plane, other.id, f"name: shop\n{CALL}")

    code, text = reason(await worker.plane.runs.trigger(other.id))
    assert code is ReasonCode.CALL_REFUSED
    assert text == (
        "'release' does not let 'shop' call it: several pipelines have that name."
        f" Give each a name of its own, or list its id {other.id} in `callable_by` of 'release'."
    )
    assert reason(await worker.plane.runs.trigger(shop.id))[0] is ReasonCode.CALL_REFUSED


async def test_a_pipeline_that_is_listed_by_its_id_calls_whoever_takes_its_name(worker: DeskWorker) -> None:
    shop = await worker.pipeline(f"name: shop\n{CALL}")
    await worker.pipeline(f"name: release\ncallable_by: [{shop.id}]\n{MAKE}")

    other = await worker.start(f"name: shop\n{CALL}")

    assert reason(other)[0] is ReasonCode.CALL_REFUSED
    assert called(await worker.plane.runs.trigger(shop.id))
    await rename(worker.plane, shop.id, f"name: shop by another name\n{CALL}")
    assert called(await worker.plane.runs.trigger(shop.id))


async def test_a_run_that_is_given_a_listed_name_by_an_override_gets_no_further(worker: DeskWorker) -> None:
    await worker.pipeline(FOR_SHOP)
    other = await worker.pipeline(f"name: other\n{CALL}")

    run = await worker.plane.runs.trigger(other.id, RunRequest(overrides=(("name", "shop"),)))

    assert run.tree.root.name == "shop"
    assert reason(run)[0] is ReasonCode.CALL_REFUSED


async def test_generated_nodes_call_as_the_pipeline_that_they_belong_to(worker: DeskWorker) -> None:
    await worker.pipeline(FOR_SHOP)
    text = "steps: [{name: gen, run: make, generates: nodes.yml}]\n"
    nodes = replace(SUCCEEDED, generated="[{name: call, pipeline: release}]")

    await worker.start(f"name: other\n{text}")
    other = await worker.report((await worker.claim())["gen/run"], nodes)
    await worker.start(f"name: shop\n{text}")
    shop = await worker.report((await worker.claim())["gen/run"], nodes)

    assert reason(other, "gen/call")[0] is ReasonCode.CALL_REFUSED
    assert called(shop, "gen/call")


@pytest.mark.parametrize("from_failed", [False, True])
async def test_a_run_that_is_retried_calls_only_what_lets_it_now(
    worker: DeskWorker, *, from_failed: bool
) -> None:
    target = await worker.pipeline(FOR_SHOP)
    run = await worker.start(f"name: shop\n{CALL}")
    await worker.plane.runs.cancel(run.id)
    await rename(worker.plane, target.id, f"name: release\ncallable_by: [till]\n{MAKE}")

    again = await worker.plane.runs.retry(run.id, from_failed=from_failed)

    assert reason(again)[0] is ReasonCode.CALL_REFUSED


async def test_a_call_that_was_left_to_the_outbox_is_refused_just_the_same(worker: DeskWorker) -> None:
    target = await worker.pipeline(OPEN)
    calls = ", ".join(f"{{name: c{number}, pipeline: release}}" for number in range(66))
    run = await worker.start(f"name: shop\nparallel: true\nsteps: [{calls}]\n")
    await rename(worker.plane, target.id, f"name: release\n{MAKE}")

    await worker.plane.settle()

    run = await worker.plane.runs.get(run.id)
    refused = [each for each in run.nodes if each.reason and each.reason.code is ReasonCode.CALL_REFUSED]
    assert len(refused) == 2


async def test_a_run_whose_pipeline_was_deleted_calls_only_what_lets_any(worker: DeskWorker) -> None:
    await worker.pipeline(FOR_SHOP)
    teardown = "steps: [{name: a, run: make}]\nteardown: {pipeline: release}\n"
    run = await worker.start(f"name: shop\n{teardown}")
    leases = await worker.claim()
    await worker.plane.pipelines.delete(run.pipeline_id)

    run = await worker.report(leases["a"])

    assert reason(run, "teardown") == (
        ReasonCode.CALL_REFUSED,
        "'release' does not let every pipeline call it, and the one that calls was deleted.",
    )


async def test_a_name_of_several_pipelines_calls_none_of_them(worker: DeskWorker) -> None:
    made = [await worker.pipeline(OPEN) for _ in range(2)]

    run = await worker.start(f"name: shop\n{CALL}")

    assert run.state is State.FAILED
    assert reason(run) == (
        ReasonCode.PIPELINE_AMBIGUOUS,
        f"2 pipelines have the name 'release': {made[0].id}, {made[1].id}. Give each a name of its own.",
    )
    for each in made:
        assert await worker.plane.runs.page(each.id, before=None, limit=9) == []


async def test_of_very_many_pipelines_of_a_name_the_first_are_told(worker: DeskWorker) -> None:
    made = [await worker.pipeline(OPEN) for _ in range(5)]
    told = ", ".join(str(each.id) for each in made[:3])

    text = reason(await worker.start(f"name: shop\n{CALL}"))[1]

    assert text == f"More than 3 pipelines have the name 'release': {told}. Give each a name of its own."


async def test_a_name_means_the_one_that_is_left_when_the_others_are_deleted(worker: DeskWorker) -> None:
    other = await worker.pipeline(OPEN)
    await worker.pipeline(OPEN)
    await worker.plane.pipelines.delete(other.id)

    assert called(await worker.start(f"name: shop\n{CALL}"))
