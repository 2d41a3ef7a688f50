"""Definitions of resources: set, read, deleted, and what becomes of what was deleted long ago."""

from datetime import timedelta

import pytest

from lineshaft.model.errors import (
    ConflictError,
    InvalidInputError,
    ResourceNotFoundError,
    SchemaRefusedError,
    VersionMismatchError,
)
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.resources.definitions import NewDefinition, ResourceDefinitionService
from lineshaft.services.resources.standing import Wanted
from lineshaft.services.retention import RESOURCES_KEPT_FOR

HOUR = timedelta(hours=1)
APP = NewDefinition({"type": "object"}, "An application.", HOUR)


@pytest.fixture
def definitions(plane: ControlPlane) -> ResourceDefinitionService:
    return plane.resources.definitions


async def test_a_definition_counts_its_changes(
    definitions: ResourceDefinitionService, clock: ManualClock
) -> None:
    made = await definitions.define("app", APP)
    assert (made.version, made.schema, made.description, made.resync) == (
        1,
        {"type": "object"},
        "An application.",
        HOUR,
    )
    clock.advance(HOUR)
    assert await definitions.define("app", APP) == made

    changed = await definitions.define("app", NewDefinition({"type": "object", "minProperties": 1}))

    assert (changed.version, changed.resync) == (2, None)
    assert (changed.created_at, changed.updated_at) == (made.created_at, made.created_at + HOUR)
    assert await definitions.get("app") == changed
    assert await definitions.all() == [changed]


async def test_a_definition_is_set_on_top_of_the_version_that_is_expected(
    definitions: ResourceDefinitionService,
) -> None:
    await definitions.define("app", APP, expected=0)
    with pytest.raises(VersionMismatchError):
        await definitions.define("app", NewDefinition({}), expected=0)
    with pytest.raises(VersionMismatchError):
        await definitions.undefine("app", expected=2)

    assert (await definitions.define("app", NewDefinition({}), expected=1)).version == 2


async def test_a_definition_that_makes_no_sense_is_refused(definitions: ResourceDefinitionService) -> None:
    with pytest.raises(SchemaRefusedError):
        await definitions.define("app", NewDefinition({"type": "thing"}))
    for name, wanted in (
        ("a b", APP),
        ("app", NewDefinition({}, "x" * 1_001)),
        ("app", NewDefinition({}, resync=timedelta(seconds=59))),
        ("app", NewDefinition({}, resync=timedelta(days=366))),
    ):
        with pytest.raises(InvalidInputError):
            await definitions.define(name, wanted)

    assert await definitions.all() == []


async def test_a_definition_with_resources_cannot_be_deleted(
    plane: ControlPlane, definitions: ResourceDefinitionService
) -> None:
    await definitions.define("app", APP)
    await plane.resources.resources.create("app", "shop", Wanted())
    with pytest.raises(ConflictError):
        await definitions.undefine("app")
    await plane.resources.resources.delete("app", "shop")

    await definitions.undefine("app")

    for call in (definitions.get("app"), definitions.undefine("app")):
        with pytest.raises(ResourceNotFoundError):
            await call


async def test_resources_that_do_not_fit_a_new_schema_stay_until_they_are_changed(
    plane: ControlPlane, definitions: ResourceDefinitionService
) -> None:
    resources = plane.resources.resources
    await definitions.define("app", APP)
    await resources.create("app", "shop", Wanted({"a": 1}))

    await definitions.define("app", NewDefinition({"required": ["b"]}))

    assert (await resources.get("app", "shop")).resource.spec == {"a": 1}
    with pytest.raises(InvalidInputError):
        await resources.patch("app", "shop", {"spec": {"a": 2}})
    with pytest.raises(InvalidInputError):
        await resources.patch("app", "shop", {"metadata": {"team": "blue"}})


async def test_what_was_deleted_is_kept_for_a_while(
    plane: ControlPlane, definitions: ResourceDefinitionService, clock: ManualClock
) -> None:
    await definitions.define("app", APP)
    await plane.resources.resources.create("app", "shop", Wanted())
    deleted = await plane.resources.resources.delete("app", "shop")

    async def is_there() -> bool:
        found = await plane.store.read(lambda transaction: transaction.resources.of_id(deleted.resource.id))
        return found is not None

    clock.advance(RESOURCES_KEPT_FOR)
    await plane.retention.go_round()
    assert await is_there()
    clock.advance(timedelta(seconds=1))
    await plane.retention.go_round()

    assert not await is_there()
