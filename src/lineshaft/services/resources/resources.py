"""Resources: create, replace, patch, delete, read, and bring to their drivers once more."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import (
    ConflictError,
    InvalidInputError,
    ResourceNotFoundError,
)
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.resource import Observed, Resource, ResourceChange, ResourceDefinition, ResourceEvent
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import VERSIONS_KEPT, ResourceFilter, Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.progress import Started
from lineshaft.services.publishing.wanting import publish_version
from lineshaft.services.resources.carrying import Carrying, MayRun, NoWay, Way, anyone, tell
from lineshaft.services.resources.definitions import find_definition
from lineshaft.services.resources.documents import check_metadata, check_metadata_name, check_name
from lineshaft.services.resources.schemas import check_spec
from lineshaft.services.resources.standing import Standing, Wanted, expect, is_so, patched
from lineshaft.services.sources.basis import Basis

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Call:
    """What somebody wants.

    Attributes:
        type: of which type.
        name: of which name.
        build: makes what the resource is to be of what it is; None of it deletes.
        expected: the version on top of which; 0 for none, None for any.
        by: who wants it.
        may_run: tells whether they may run what it goes along.
    """

    type: str
    name: str
    build: Callable[[Resource | None], Wanted | None]
    expected: int | None
    by: Actor
    may_run: MayRun


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done, worked out before the transaction in which it is."""

    definition: ResourceDefinition
    current: Resource | None
    wanted: Wanted | None


_ACTIONS: Final = {
    ResourceEvent.CREATED: Action.RESOURCE_CREATED,
    ResourceEvent.UPDATED: Action.RESOURCE_UPDATED,
    ResourceEvent.DELETED: Action.RESOURCE_DELETED,
    ResourceEvent.RESYNCED: Action.RESOURCE_RESYNCED,
}


class ResourceService:
    """The use cases of resources.

    Each that changes one takes `expected`, the version on top of which it is to be changed (0 where there is
    to be none, None for any); `by`, who wants it; and `may_run`, which tells whether they may run what the
    change goes along. A change starts its run in the transaction that makes the version.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, carrying: Carrying, *, publishes: bool) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._carrying = carrying
        self._publishes = publishes

    async def create(
        self,
        type_name: str,
        name: str,
        wanted: Wanted,
        *,
        by: Actor = INSIDE_ACTOR,
        may_run: MayRun = anyone,
    ) -> Standing:
        """Make a resource.

        Raises:
            ConflictError: there is one of that name.
            ForbiddenError: the caller may not run what it goes along.
            InputTooLargeError: its spec is too long, or too deep.
            InvalidInputError: its name or metadata is none, or it names no pipeline that takes it.
            LineshaftError: what its pipeline does is in a file that cannot be read; see `Carrying.basis`.
            ResourceNotFoundError: there is no such type.
            SpecMisfitError: its spec does not fit the type.
        """

        def build(current: Resource | None) -> Wanted:
            if current is not None:
                raise ConflictError(
                    f"There is a resource '{type_name}/{name}'.", advice="Replace it, or choose another name."
                )
            return wanted

        return await self._change(_Call(type_name, name, build, None, by, may_run))

    async def put(
        self,
        type_name: str,
        name: str,
        wanted: Wanted,
        *,
        expected: int | None = None,
        by: Actor = INSIDE_ACTOR,
        may_run: MayRun = anyone,
    ) -> Standing:
        """Make a resource, or replace all that it says; where that is what it says, nothing happens.

        Raises:
            VersionMismatchError: it is at another version than is expected.
            LineshaftError: as of `create`.
        """
        return await self._change(_Call(type_name, name, lambda _: wanted, expected, by, may_run))

    async def patch(
        self,
        type_name: str,
        name: str,
        patch: Mapping[str, Any],
        *,
        expected: int | None = None,
        by: Actor = INSIDE_ACTOR,
        may_run: MayRun = anyone,
    ) -> Standing:
        """Change a resource by a JSON Merge Patch (RFC 7396) of its `spec`, `metadata` and `pipeline`.

        Raises:
            InvalidInputError: the patch changes anything else, or leaves what is no resource.
            VersionMismatchError: it is at another version than is expected.
            LineshaftError: as of `create`, but for there being one.
        """

        def build(current: Resource | None) -> Wanted:
            return patched(_there(current, type_name, name), patch)

        return await self._change(_Call(type_name, name, build, expected, by, may_run))

    async def delete(
        self,
        type_name: str,
        name: str,
        *,
        expected: int | None = None,
        by: Actor = INSIDE_ACTOR,
        may_run: MayRun = anyone,
    ) -> Standing:
        """Delete a resource, of which its drivers hear, unless its pipeline is not there any more.

        Raises:
            ForbiddenError: the caller may not run what it goes along.
            ResourceNotFoundError: there is none of that name.
            VersionMismatchError: it is at another version than is expected.
        """

        def build(current: Resource | None) -> None:
            _there(current, type_name, name)

        return await self._change(_Call(type_name, name, build, expected, by, may_run))

    async def get(self, type_name: str, name: str) -> Standing:
        """Find a resource.

        Raises:
            ResourceNotFoundError: there is none of that name.
        """

        def work(transaction: Transaction) -> Standing:
            found = transaction.resources.get(type_name, name)
            if found is None:
                raise _not_found(type_name, name)
            return Standing(*found)

        return await self._store.read(work)

    async def version(self, type_name: str, name: str, version: int) -> tuple[Resource, ResourceEvent]:
        """Find one version of a resource, and the event that made it.

        Raises:
            ResourceNotFoundError: there is no such resource, or it has no such version (any more).
        """

        def work(transaction: Transaction) -> tuple[Resource, ResourceEvent]:
            current = transaction.resources.get(type_name, name)
            if current is None:
                raise _not_found(type_name, name)
            found = transaction.resources.version(current[0].id, version)
            if found is None:
                raise ResourceNotFoundError(
                    f"'{type_name}/{name}' has no version {version}, or none that is still kept.",
                    advice=f"The newest is {current[0].version}; the newest 100 are kept.",
                )
            return found

        return await self._store.read(work)

    async def versions(
        self, type_name: str, name: str, *, before: int | None = None, limit: int
    ) -> Sequence[tuple[Resource, ResourceEvent]]:
        """List the versions of a resource that are kept, newest first, each with the event that made it.

        Args:
            type_name: of which type.
            name: of which name.
            before: only those before this one; None means all.
            limit: how many at most.

        Raises:
            ResourceNotFoundError: there is none of that name.
        """

        def work(transaction: Transaction) -> Sequence[tuple[Resource, ResourceEvent]]:
            current = transaction.resources.get(type_name, name)
            if current is None:
                raise _not_found(type_name, name)
            newest = current[0].version
            first = newest if before is None else min(newest, before - 1)
            wanted = range(first, max(0, newest - VERSIONS_KEPT), -1)[:limit]
            found = (transaction.resources.version(current[0].id, version) for version in wanted)
            return [each for each in found if each is not None]

        return await self._store.read(work)

    async def page(
        self, wanted: ResourceFilter, *, after: tuple[str, str] | None = None, limit: int
    ) -> Sequence[Standing]:
        """List resources by type and name, from behind that pair on.

        Raises:
            InvalidInputError: the filter asks for metadata of a name that none has.
        """
        for name in wanted.metadata or {}:
            check_metadata_name(name)
        found = await self._store.read(lambda transaction: transaction.resources.page(wanted, after, limit))
        return [Standing(resource, observed) for resource, observed in found]

    async def resync(
        self, type_name: str, name: str, *, by: Actor = INSIDE_ACTOR, may_run: MayRun = anyone
    ) -> Standing:
        """Bring a resource to its drivers once more, as it is.

        Raises:
            ForbiddenError: the caller may not run what it goes along.
            InvalidInputError: it names no pipeline that takes it.
            LineshaftError: what its pipeline does is in a file that cannot be read; see `Carrying.basis`.
            ResourceNotFoundError: there is none of that name.
        """

        def work(transaction: Transaction, basis: Basis | None) -> tuple[Standing, Started | None] | Pipeline:
            transaction.resources.hold(type_name, name)
            found = transaction.resources.get(type_name, name)
            if found is None:
                raise _not_found(type_name, name)
            change = ResourceChange(ResourceEvent.RESYNCED, found[0])
            way = self._carrying.way(transaction, change, basis, may_run)
            if isinstance(way, Pipeline):
                return way
            now = self._clock.now()
            started = None if isinstance(way, NoWay) else self._carrying.start(transaction, change, way, now)
            return self._stands(transaction, change, started, by, now), started

        return await self._settled(work)

    async def resync_all(self, type_name: str, *, by: Actor = INSIDE_ACTOR) -> int:
        """Have all resources of a type brought to their drivers once more, in the background.

        Returns:
            How many they are; those whose run goes on are not among them.

        Raises:
            ResourceNotFoundError: there is no such type.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> int:
            find_definition(transaction, type_name)
            count = transaction.resources.resync(type_name, now)
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=by,
                action=Action.RESOURCE_RESYNCED,
                target=type_name,
                count=count,
            )
            return count

        return await self._store.write(work)

    async def _change(self, call: _Call) -> Standing:
        check_name(call.name)
        while True:
            plan = await self._plan(call)
            done = await self._settled(partial(self._commit, call, plan))
            if done is not None:
                return done

    async def _plan(self, call: _Call) -> _Plan:
        """Work out what is to be done; not within a transaction, since a spec may take a while to check."""

        def work(transaction: Transaction) -> tuple[ResourceDefinition, Resource | None]:
            found = transaction.resources.get(call.type, call.name)
            return find_definition(transaction, call.type), None if found is None else found[0]

        definition, current = await self._store.read(work)
        version = 0 if current is None else current.version
        expect(f"'{call.type}/{call.name}'", call.expected, version)
        wanted = call.build(current)
        if wanted is not None:
            check_metadata(wanted.metadata)
            await asyncio.to_thread(check_spec, definition.schema, wanted.spec)
        return _Plan(definition, current, wanted)

    async def _settled(
        self, work: Callable[[Transaction, Basis | None], tuple[T, Started | None] | Pipeline]
    ) -> T:
        """Do something that starts a run, once the basis of its pipeline is found, where it needs one."""
        outcome = await self._store.write(lambda transaction: work(transaction, None))
        while isinstance(outcome, Pipeline):
            basis = await self._carrying.basis(outcome)
            outcome = await self._store.write(partial(_with_basis, work, basis))
        result, started = outcome
        if started is not None:
            tell(started)
        return result

    def _commit(
        self, call: _Call, plan: _Plan, transaction: Transaction, basis: Basis | None
    ) -> tuple[Standing | None, Started | None] | Pipeline:
        """Make the version and start its run; None where somebody was faster, so that it is planned anew."""
        transaction.resources.hold(call.type, call.name)
        found = transaction.resources.get(call.type, call.name)
        current, observed = (None, Observed()) if found is None else found
        if current != plan.current or transaction.resources.definition(call.type) != plan.definition:
            return None, None
        if current is not None and plan.wanted is not None and is_so(current, plan.wanted):
            return Standing(current, observed), None
        now = self._clock.now()
        change = self._next(call, plan, now)
        way = self._way(transaction, change, basis, call.may_run)
        if isinstance(way, Pipeline):
            return way
        # Whoever ends a run writes that before its resource; a change does so, too, lest both wait for ever.
        # Nobody else knows a new resource.
        if current is None:
            transaction.resources.write(change.resource, change.event)
        started = None if isinstance(way, NoWay) else self._carrying.start(transaction, change, way, now)
        if current is not None:
            transaction.resources.write(change.resource, change.event)
        if self._publishes:
            publish_version(transaction, self._ids, change.resource, now)
        if isinstance(way, NoWay):
            self._carrying.put_off(transaction, change.resource, now, later=way.later)
        return self._stands(transaction, change, started, call.by, now), started

    def _next(self, call: _Call, plan: _Plan, now: datetime) -> ResourceChange:
        current, wanted = plan.current, plan.wanted
        if current is None:
            made = _required(wanted)
            return ResourceChange(
                ResourceEvent.CREATED,
                Resource(
                    id=self._ids.new_id(),
                    type=call.type,
                    name=call.name,
                    version=1,
                    spec=made.spec,
                    metadata=made.metadata,
                    pipeline=made.pipeline,
                    created_at=now,
                    updated_at=now,
                ),
            )
        following = replace(current, version=current.version + 1, updated_at=now)
        if wanted is None:
            return ResourceChange(ResourceEvent.DELETED, replace(following, deleted=True))
        changed = replace(following, spec=wanted.spec, metadata=wanted.metadata, pipeline=wanted.pipeline)
        return ResourceChange(ResourceEvent.UPDATED, changed)

    def _way(
        self, transaction: Transaction, change: ResourceChange, basis: Basis | None, may_run: MayRun
    ) -> Way | NoWay | Pipeline:
        try:
            return self._carrying.way(transaction, change, basis, may_run)
        except InvalidInputError:
            if change.event is not ResourceEvent.DELETED:
                raise
            return NoWay(later=False)

    def _stands(
        self,
        transaction: Transaction,
        change: ResourceChange,
        started: Started | None,
        by: Actor,
        now: datetime,
    ) -> Standing:
        resource = change.resource
        run = None if started is None else started.run
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=by,
            action=_ACTIONS[change.event],
            target=f"{resource.type}/{resource.name}",
            pipeline_id=None if run is None else run.pipeline_id,
            version=resource.version,
            run=None if run is None else str(run.id),
        )
        found = transaction.resources.of_id(resource.id)
        return Standing(resource, Observed() if found is None else found[1], change.event, run)


def _with_basis(work: Callable[[Transaction, Basis | None], T], basis: Basis, transaction: Transaction) -> T:
    return work(transaction, basis)


def _required(wanted: Wanted | None) -> Wanted:
    if wanted is None:
        raise LookupError("a new resource of which nothing is wanted")
    return wanted


def _there(current: Resource | None, type_name: str, name: str) -> Resource:
    if current is None:
        raise _not_found(type_name, name)
    return current


def _not_found(type_name: str, name: str) -> ResourceNotFoundError:
    return ResourceNotFoundError(
        f"No resource of the type '{type_name}' has the name '{name}'.",
        advice=f"`lineshaft resource list {type_name}` shows those there are.",
    )
