"""Changes of resources: versions, what refuses them, and the runs that they start."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from desk import DeskWorker
from driver_program import DeskDriver
from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    PipelineManagedError,
    ResourceNotFoundError,
    SpecMisfitError,
    VersionMismatchError,
)
from lineshaft.model.resource import ResourceChange, ResourceEvent
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.memory_repositories import MemoryRepository
from lineshaft.ports.store import AuditFilter, ResourceFilter
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.resources.definitions import NewDefinition
from lineshaft.services.resources.resources import ResourceService
from lineshaft.services.resources.standing import Standing, Wanted
from lineshaft.wire.driver import DriverMessage

HOUR = timedelta(hours=1)
SCHEMA = {"type": "object", "required": ["image"], "properties": {"image": {"type": "string"}}}
SHOP = Wanted({"image": "shop"}, {"team": "blue"})
COMPILE = DriverMessage(name="compile", resources=("app",))
CONVEYOR = """
name: conveyor
resource: app
steps:
  - {name: compile, driver: compile, with: {image: "${{ resource.spec.image }}"}}
"""


@pytest.fixture
async def resources(plane: ControlPlane) -> ResourceService:
    await plane.resources.definitions.define("app", NewDefinition(SCHEMA))
    return plane.resources.resources


def subject_of(standing: Standing) -> ResourceChange:
    assert standing.run is not None
    assert isinstance(standing.run.subject, ResourceChange)
    return standing.run.subject


async def test_a_resource_is_made_changed_and_deleted_in_versions(resources: ResourceService) -> None:
    made = await resources.create("app", "shop", SHOP)
    assert (made.resource.version, made.event) == (1, ResourceEvent.CREATED)

    patched = await resources.patch(
        "app", "shop", {"spec": {"replicas": 2}, "metadata": {"team": None, "tier": "1"}}
    )

    assert (patched.resource.version, patched.event) == (2, ResourceEvent.UPDATED)
    assert patched.resource.spec == {"image": "shop", "replicas": 2}
    assert patched.resource.metadata == {"tier": "1"}
    assert (await resources.get("app", "shop")).resource == patched.resource
    assert await resources.version("app", "shop", 1) == (made.resource, ResourceEvent.CREATED)
    deleted = await resources.delete("app", "shop")
    assert (deleted.resource.version, deleted.resource.deleted) == (3, True)
    with pytest.raises(ResourceNotFoundError):
        await resources.get("app", "shop")
    again = await resources.put("app", "shop", SHOP)
    assert again.resource.version == 1
    assert again.resource.id != made.resource.id


async def test_a_change_that_changes_nothing_makes_no_version(resources: ResourceService) -> None:
    made = await resources.create("app", "shop", SHOP)

    for same in (
        await resources.put("app", "shop", SHOP),
        await resources.patch("app", "shop", {"spec": {"image": "shop"}, "pipeline": None}),
    ):
        assert (same.resource, same.event, same.run) == (made.resource, None, None)
    other = await resources.put("app", "shop", Wanted({"image": "shop", "n": 1}))
    assert (await resources.put("app", "shop", Wanted({"image": "shop", "n": True}))).resource.version == 3
    assert other.resource.version == 2


async def test_what_does_not_fit_is_refused_and_changes_nothing(resources: ResourceService) -> None:
    for bad in (Wanted({}), Wanted({"image": 1})):
        with pytest.raises(SpecMisfitError):
            await resources.create("app", "shop", bad)
    with pytest.raises(ResourceNotFoundError, match="No type"):
        await resources.create("dataset", "shop", SHOP)
    with pytest.raises(InvalidInputError):
        await resources.create("app", "a b", SHOP)
    assert await resources.page(ResourceFilter(), limit=10) == []
    await resources.create("app", "shop", SHOP)
    with pytest.raises(ConflictError):
        await resources.create("app", "shop", SHOP)
    patches: list[dict[str, object]] = [
        {"name": "other"},
        {"metadata": {"a": 1}},
        {"metadata": []},
        {"pipeline": 7},
    ]
    for patch in patches:
        with pytest.raises(InvalidInputError):
            await resources.patch("app", "shop", patch)
    with pytest.raises(SpecMisfitError):
        await resources.patch("app", "shop", {"spec": {"image": None}})

    assert (await resources.get("app", "shop")).resource.version == 1


async def test_a_change_on_top_of_another_version_is_refused(resources: ResourceService) -> None:
    with pytest.raises(VersionMismatchError) as missing:
        await resources.put("app", "shop", SHOP, expected=1)
    assert missing.value.version == 0
    await resources.put("app", "shop", SHOP, expected=0)

    for change in (
        resources.put("app", "shop", Wanted({"image": "b"}), expected=2),
        resources.patch("app", "shop", {"spec": {}}, expected=0),
        resources.delete("app", "shop", expected=7),
    ):
        with pytest.raises(VersionMismatchError) as changed:
            await change
        assert changed.value.version == 1

    assert (await resources.patch("app", "shop", {"metadata": {}}, expected=1)).resource.version == 1


async def test_of_patches_at_once_none_is_lost(resources: ResourceService) -> None:
    await resources.create("app", "shop", SHOP)

    await asyncio.gather(
        *(resources.patch("app", "shop", {"spec": {f"key{number}": number}}) for number in range(5))
    )

    found = (await resources.get("app", "shop")).resource
    assert found.spec == {"image": "shop", **{f"key{number}": number for number in range(5)}}
    assert found.version == 6


async def test_a_change_goes_to_each_driver_that_serves_the_type_and_hears_the_event(
    plane: ControlPlane, resources: ResourceService
) -> None:
    quiet = DriverMessage(name="test.it", resources=("app",), events=("updated", "deleted"))
    other = DriverMessage(name="other", resources=("dataset",))
    driver = DeskDriver(plane, COMPILE, quiet, other)
    await driver.register()

    made = await resources.create("app", "shop", SHOP)

    assert made.run is not None
    assert (made.run.cause, subject_of(made)) == (
        Cause.RESOURCE,
        ResourceChange(ResourceEvent.CREATED, made.resource),
    )
    assert (made.observed.run_id, made.observed.run_version) == (made.run.id, 1)
    assert made.run.tree.root.name == "relay:app"
    assert await driver.do_all() == ["compile"]
    await resources.patch("app", "shop", {"spec": {"replicas": 2}})
    assert sorted(await driver.do_all()) == ["compile", "test.it"]
    observed = (await resources.get("app", "shop")).observed
    assert (observed.version, observed.state) == (2, State.SUCCEEDED)
    assert {name: result.data for name, result in observed.results.items()} == {
        "compile": {"path": "compile"},
        "test.it": {"path": "test.it"},
    }
    deleted = await resources.delete("app", "shop")
    assert subject_of(deleted).resource.spec == {"image": "shop", "replicas": 2}
    assert subject_of(deleted).event is ResourceEvent.DELETED


async def test_versions_of_one_resource_queue_in_a_relay_and_those_of_others_do_not(
    plane: ControlPlane, resources: ResourceService
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    first = await resources.create("app", "shop", SHOP)
    second = await resources.patch("app", "shop", {"spec": {"image": "b"}})
    other = await resources.create("app", "other", SHOP)
    assert first.run is not None
    assert second.run is not None
    assert other.run is not None

    leases = [await driver.claim() for _ in range(3)]

    claimed = [lease["compile"].address.run_id for lease in leases if lease]
    assert claimed == [first.run.id, other.run.id]
    await driver.answer(leases[0]["compile"], {"n": 1})
    assert (await driver.claim())["compile"].address.run_id == second.run.id


async def test_where_no_driver_hears_there_is_no_run(plane: ControlPlane, resources: ResourceService) -> None:
    deaf = DriverMessage(name="deaf", resources=("app",), events=("deleted",))
    await DeskDriver(plane, deaf).register()

    made = await resources.create("app", "shop", SHOP)

    assert (made.event, made.run) == (ResourceEvent.CREATED, None)


async def test_a_resource_goes_along_its_pipeline(plane: ControlPlane, resources: ResourceService) -> None:
    driver = DeskDriver(plane, COMPILE)
    pipeline = await driver.pipeline(CONVEYOR)

    made = await resources.create("app", "shop", Wanted({"image": "shop"}, pipeline="conveyor"))

    assert made.run is not None
    assert (made.run.pipeline_id, subject_of(made).resource) == (pipeline.id, made.resource)
    await driver.register()
    lease = (await driver.claim())["compile"]
    assert lease.driver is not None
    assert (lease.driver.event, lease.driver.resource.name if lease.driver.resource else "") == (
        "created",
        "shop",
    )
    await driver.answer(lease, {"artifact": "a"}, success=False, message="It is Monday.")
    observed = (await resources.get("app", "shop")).observed
    assert (observed.version, observed.run_version, observed.state) == (0, 1, State.FAILED)
    assert not observed.results["compile"].success
    assert observed.results["compile"].message == "It is Monday."


async def test_a_pipeline_that_is_not_there_or_takes_something_else_is_refused(
    plane: ControlPlane, resources: ResourceService
) -> None:
    worker = DeskWorker(plane)
    await worker.pipeline("{name: plain, steps: [{name: a, run: 'true'}]}")
    await worker.pipeline(CONVEYOR.replace("resource: app", "resource: dataset"))
    for _ in range(2):
        await worker.pipeline(CONVEYOR.replace("name: conveyor", "name: twice"))

    for name in ("missing", "plain", "conveyor", "twice"):
        with pytest.raises(InvalidInputError) as refused:
            await resources.create("app", "shop", Wanted({"image": "shop"}, pipeline=name))
        assert [problem.field for problem in refused.value.problems] == ["/pipeline"]


async def test_a_resource_whose_pipeline_is_gone_can_be_deleted(
    plane: ControlPlane, resources: ResourceService
) -> None:
    pipeline = await DeskWorker(plane).pipeline(CONVEYOR)
    await resources.create("app", "shop", Wanted({"image": "shop"}, pipeline="conveyor"))
    await plane.pipelines.delete(pipeline.id)
    assert (await resources.get("app", "shop")).observed.state is State.CANCELLED

    deleted = await resources.delete("app", "shop")

    assert (deleted.event, deleted.run) == (ResourceEvent.DELETED, None)


async def test_a_pipeline_that_is_kept_in_a_repository_is_read_at_each_change(
    plane: ControlPlane, resources: ResourceService, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": CONVEYOR})
    pipeline = await plane.sources.kept.create("conveyor", ConfigFile("https://git.example/team/shop"))
    commit = repository.commit({"lineshaft.yml": CONVEYOR.replace("name: compile", "name: build-it")})

    made = await resources.create("app", "shop", Wanted({"image": "shop"}, pipeline="conveyor"))

    assert made.run is not None
    assert made.run.pipeline_id == pipeline.id
    assert made.run.source is not None
    assert made.run.source.commit == commit
    assert made.run.tree.find("build-it") is not None


async def test_who_may_not_run_what_it_goes_along_changes_nothing(
    plane: ControlPlane, resources: ResourceService
) -> None:
    await DeskDriver(plane, COMPILE).register()
    pipeline = await DeskWorker(plane).pipeline(CONVEYOR)
    asked: list[UUID | None] = []

    def nobody(pipeline_id: UUID | None) -> bool:
        asked.append(pipeline_id)
        return False

    for wanted in (SHOP, Wanted({"image": "shop"}, pipeline="conveyor")):
        with pytest.raises(ForbiddenError):
            await resources.create("app", "shop", wanted, may_run=nobody)

    assert asked == [None, pipeline.id]
    assert await resources.page(ResourceFilter(), limit=10) == []


async def test_people_neither_start_nor_change_a_relay(
    plane: ControlPlane, resources: ResourceService
) -> None:
    await DeskDriver(plane, COMPILE).register()
    made = await resources.create("app", "shop", SHOP)
    assert made.run is not None

    with pytest.raises(PipelineManagedError):
        await plane.runs.trigger(made.run.pipeline_id)
    with pytest.raises(PipelineManagedError):
        await plane.pipelines.delete(made.run.pipeline_id)


async def test_somebody_can_have_a_resource_go_to_its_drivers_again(
    plane: ControlPlane, resources: ResourceService
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    await resources.create("app", "shop", SHOP)
    await driver.do_all()

    again = await resources.resync("app", "shop")

    assert subject_of(again).event is ResourceEvent.RESYNCED
    assert again.resource.version == 1
    assert await driver.do_all() == ["compile"]
    with pytest.raises(ResourceNotFoundError):
        await resources.resync("app", "missing")


async def test_a_repeated_run_brings_what_the_first_one_did(
    plane: ControlPlane, resources: ResourceService
) -> None:
    driver = DeskDriver(plane, COMPILE)
    await driver.register()
    made = await resources.create("app", "shop", SHOP)
    await driver.answer((await driver.claim())["compile"], success=False)
    assert made.run is not None

    again = await plane.runs.retry(made.run.id)

    standing = await resources.get("app", "shop")
    assert (standing.observed.run_id, standing.observed.state) == (again.id, State.QUEUED)
    await driver.do_all()
    standing = await resources.get("app", "shop")
    assert (standing.observed.version, standing.observed.state) == (1, State.SUCCEEDED)


async def test_each_change_is_in_the_audit_log(plane: ControlPlane, resources: ResourceService) -> None:
    await DeskDriver(plane, COMPILE).register()
    made = await resources.create("app", "shop", SHOP)
    await resources.patch("app", "shop", {"metadata": {"team": "red"}})
    await resources.resync("app", "shop")
    await resources.delete("app", "shop")
    assert made.run is not None

    entries = await plane.audit.page(AuditFilter(), before=None, limit=10)

    said = [(each.action, each.target, each.detail.get("version")) for each in reversed(entries)]
    assert said == [
        (Action.DEFINITION_SET, "app", 1),
        (Action.RESOURCE_CREATED, "app/shop", 1),
        (Action.RESOURCE_UPDATED, "app/shop", 2),
        (Action.RESOURCE_RESYNCED, "app/shop", 2),
        (Action.RESOURCE_DELETED, "app/shop", 3),
    ]
    assert entries[-2].detail["run"] == str(made.run.id)
    assert entries[-2].pipeline_id == made.run.pipeline_id


async def test_versions_wait_for_nothing_but_are_told_when_they_were_made(
    resources: ResourceService, clock: ManualClock
) -> None:
    made = await resources.create("app", "shop", SHOP)
    clock.advance(HOUR)

    changed = await resources.patch("app", "shop", {"spec": {"image": "b"}})

    assert changed.resource.created_at == made.resource.created_at
    assert changed.resource.updated_at == made.resource.updated_at + HOUR


async def test_a_run_that_is_refused_at_once_is_the_last_one_all_the_same(
    plane: ControlPlane, resources: ResourceService
) -> None:
    await DeskWorker(plane).pipeline(CONVEYOR + "secrets: [MISSING]")

    made = await resources.create("app", "shop", Wanted({"image": "shop"}, pipeline="conveyor"))

    assert made.run is not None
    assert made.run.state.ended
    assert (made.observed.run_id, made.observed.run_version, made.observed.state) == (
        made.run.id,
        1,
        made.run.state,
    )
