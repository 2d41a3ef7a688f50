"""Grants: given, listed, taken away."""

from collections.abc import Sequence
from uuid import UUID

from lineshaft.model.audit_entry import Action
from lineshaft.model.delegation import may_grant
from lineshaft.model.errors import ForbiddenError, InvalidInputError, NotFoundError, Problem
from lineshaft.model.grant import Grant
from lineshaft.model.principal import Actor, Principal
from lineshaft.model.role import Role
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.access.users import Forget, no_such_user
from lineshaft.services.auditing import record
from lineshaft.services.pipelines import find_pipeline


class GrantService:
    """The use cases of grants."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, forget: Forget) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._forget = forget

    async def page(self, pipeline_id: UUID, *, after: str | None, limit: int) -> Sequence[Grant]:
        """List who has which role on a pipeline by the users' names, from behind `after`.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """

        def look(transaction: Transaction) -> Sequence[Grant]:
            find_pipeline(transaction, pipeline_id)
            grants = transaction.grants.of_pipeline(pipeline_id)
            return [grant for grant in grants if after is None or grant.user > after][:limit]

        return await self._store.read(look)

    async def give(self, by: Principal, actor: Actor, pipeline_id: UUID, name: str, role: Role) -> Grant:
        """Give a user a role on a pipeline, in place of the one that they have there.

        Raises:
            PipelineNotFoundError: there is none of that id.
            NotFoundError: there is no user of that name.
            InvalidInputError: nobody has that role on a single pipeline.
            ForbiddenError: it is more than the caller has there.
        """
        if role is Role.ADMIN:
            raise InvalidInputError(
                "The request's body is not as it must be.",
                problems=[Problem("role", "must be viewer, runner, approver or maintainer on a pipeline")],
                advice="`admin` is given everywhere or not at all: `lineshaft user set-role NAME admin`.",
            )
        now = self._clock.now()

        def work(transaction: Transaction) -> Grant:
            pipeline = find_pipeline(transaction, pipeline_id)
            if not may_grant(by, role, pipeline_id):
                raise ForbiddenError(
                    f"You may not make others {role.value} of this pipeline.",
                    advice="A maintainer of the pipeline, or an admin, can do that.",
                )
            # Whoever deletes the user meanwhile waits, and then removes this grant with all others.
            if transaction.users.hold(name) is None:
                raise no_such_user(name)
            grant = Grant(name, pipeline_id, role)
            transaction.grants.put(grant)
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=actor,
                action=Action.GRANT_SET,
                target=name,
                pipeline_id=pipeline_id,
                pipeline=pipeline.name,
                role=role.value,
            )
            return grant

        grant = await self._store.write(work)
        self._forget()
        return grant

    async def take(self, actor: Actor, pipeline_id: UUID, name: str) -> None:
        """Take a user's role on a pipeline away; the one that they have everywhere stays.

        Raises:
            PipelineNotFoundError: there is none of that id.
            NotFoundError: the user has no role there, or there is no such user.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> None:
            pipeline = find_pipeline(transaction, pipeline_id)
            if not transaction.grants.remove(name, pipeline_id):
                raise NotFoundError(
                    f"'{name}' has no role of their own on the pipeline '{pipeline.name}'.",
                    advice=f"`lineshaft user list --pipeline {pipeline_id}` shows who has one.",
                )
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=actor,
                action=Action.GRANT_REMOVED,
                target=name,
                pipeline_id=pipeline_id,
                pipeline=pipeline.name,
            )

        await self._store.write(work)
        self._forget()
