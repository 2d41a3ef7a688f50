"""Runs that carry changes of resources: which of them count together, and what repeats them carries."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from lineshaft.definition import read_native
from lineshaft.model.cause import Cause
from lineshaft.model.errors import PipelineManagedError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.resource import Broadcast, Resource, ResourceChange, ResourceEvent, Subject
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.new_run import NewRun
from lineshaft.services.progress import Progress
from lineshaft.wire.run import run_document
from planes import temporary_plane

AT = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = Resource(UUID(int=7), "app", "shop", 1, {}, {}, "p", AT, AT)
CHANGE = ResourceChange(ResourceEvent.CREATED, SHOP)
OTHER = ResourceChange(ResourceEvent.CREATED, replace(SHOP, id=UUID(int=8), name="store"))
TEXT = "{name: p, resource: app, concurrency: {policy: queue}, steps: [{name: a, driver: compile}]}"


async def carry(plane: ControlPlane, pipeline: Pipeline, subject: Subject | None) -> Run:
    new = NewRun(pipeline.id, pipeline.definition, None, cause=Cause.RESOURCE, subject=subject)

    def work(transaction: Transaction) -> Run:
        return Progress(RandomIds(), None).start(transaction, new, ManualClock().now()).run

    return await plane.store.write(work)


async def test_the_runs_of_each_resource_queue_by_themselves(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path, ManualClock()) as plane:
        pipeline = await plane.pipelines.create(read_native(TEXT.encode()))
        runs = [await carry(plane, pipeline, each) for each in (CHANGE, CHANGE, OTHER, Broadcast("x", None))]
        assert [run.concurrency_group for run in runs] == ["app/shop", "app/shop", "app/store", ""]
        assert [run.state is State.WAITING for run in runs] == [False, True, False, False]


async def test_a_group_that_is_named_counts_over_all_resources(tmp_path: Path) -> None:
    text = TEXT.replace("queue}", 'queue, group: "of ${{ resource.type }}"}')
    async with temporary_plane(tmp_path, ManualClock()) as plane:
        pipeline = await plane.pipelines.create(read_native(text.encode()))
        assert (await carry(plane, pipeline, CHANGE)).concurrency_group == "of app"


async def test_a_run_that_repeats_another_carries_the_same(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path, ManualClock()) as plane:
        pipeline = await plane.pipelines.create(read_native(TEXT.encode()))
        run = await carry(plane, pipeline, CHANGE)
        await plane.runs.cancel(run.id)
        again = await plane.runs.retry(run.id)
        assert again.subject == CHANGE
        assert run_document(again)["resource"] == {
            "type": "app",
            "name": "shop",
            "version": 1,
            "event": "created",
        }


async def test_the_server_s_own_pipelines_are_started_and_changed_by_nobody(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path, ManualClock()) as plane:
        definition = read_native(TEXT.encode())
        relay = Pipeline(UUID(int=3), definition, AT, AT, relays="app")
        await plane.store.write(lambda transaction: transaction.pipelines.add(relay))
        assert await plane.pipelines.page(name=None, after=None, limit=5) == []
        assert await plane.pipelines.get(relay.id) == relay
        with pytest.raises(PipelineManagedError):
            await plane.runs.trigger(relay.id)
        with pytest.raises(PipelineManagedError):
            await plane.pipelines.replace(relay.id, definition)
        with pytest.raises(PipelineManagedError):
            await plane.pipelines.delete(relay.id)
