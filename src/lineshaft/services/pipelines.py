"""Pipelines: create, read, list, replace, delete."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from lineshaft.engine.decision import Decision
from lineshaft.model.audit_entry import Action
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.definition import Definition
from lineshaft.model.errors import ConflictError, PipelineManagedError, PipelineNotFoundError
from lineshaft.model.event import CancelRequested
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.schedule import KeptSchedule
from lineshaft.model.upkeep import Upkeep
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.bad_runs import readable
from lineshaft.services.kept_schedules import keep_schedules, worked_out
from lineshaft.services.kept_triggers import drop_triggers, keep_triggers
from lineshaft.services.progress import Progress
from lineshaft.telemetry.run_log import log_decisions

_LOG: Final = logging.getLogger("lineshaft.pipelines")
_BATCH: Final = 100

Check = Callable[[Definition], None]
"""Raises InvalidDefinitionError for a definition that the settings of this server do not allow."""


class PipelineService:
    """The use cases of pipelines."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, progress: Progress, check: Check) -> None:
        self._store = store
        self._progress = progress
        self._clock = clock
        self._ids = ids
        self._check = check

    def check(self, definition: Definition) -> None:
        """See whether a pipeline may be made of a definition; nothing is changed.

        Raises:
            InvalidDefinitionError: the settings do not allow the definition.
        """
        self._check(definition)

    async def create(
        self,
        definition: Definition,
        *,
        by: Actor = INSIDE_ACTOR,
        config_file: ConfigFile | None = None,
    ) -> Pipeline:
        """Make a pipeline of a definition.

        Args:
            definition: what it is to do.
            by: who wants it.
            config_file: where the definition comes from; None where it is kept only here.

        Raises:
            InvalidDefinitionError: the settings do not allow the definition.
        """
        self._check(definition)
        now = self._clock.now()
        pipeline = Pipeline(self._ids.new_id(), definition, now, now, config_file)
        schedules = await _worked_out(pipeline.id, definition, now)

        def work(transaction: Transaction) -> None:
            self._add(transaction, pipeline, schedules, by)

        await self._store.write(work)
        return pipeline

    async def keep(self, definition: Definition, upkeep: Upkeep, *, by: Actor = INSIDE_ACTOR) -> Pipeline:
        """Make or change the pipeline of a definition's name, as the server's file of pipelines wants it.

        Where it is so already, nothing is changed. Several processes may do so at once: one makes it.

        Args:
            definition: what it is to do; it says nothing of what starts it.
            upkeep: what else the file says of it.
            by: who wants it.

        Raises:
            ConflictError: a pipeline of that name is there that the file does not keep.
            InvalidDefinitionError: the settings do not allow the definition.
        """
        self._check(definition)
        pipeline_id = self._ids.new_id()

        def work(transaction: Transaction) -> Pipeline:
            transaction.pipelines.hold_managed()
            now = self._clock.now()
            found = transaction.pipelines.page(name=definition.name, after=None, limit=_BATCH)
            pipeline = next((each for each in found if each.managed), None)
            if pipeline is None and found:
                raise ConflictError(
                    f"A pipeline '{definition.name}' is there already, which the file does not keep.",
                    advice="Delete it, or give the entry another name.",
                )
            if pipeline is None:
                new = Pipeline(pipeline_id, definition, now, now, managed=True, upkeep=upkeep)
                self._add(transaction, new, (), by)
                return new
            transaction.pipelines.hold(pipeline.id)
            if (pipeline.definition.hash, pipeline.upkeep) == (definition.hash, upkeep):
                return pipeline
            new = replace(pipeline, definition=definition, upkeep=upkeep, updated_at=now)
            self._put(transaction, new, (), by, before=pipeline)
            return new

        return await self._store.write(work)

    async def managed(self) -> Sequence[Pipeline]:
        """List those that the server's file of pipelines keeps, by name."""
        return await self._store.read(lambda transaction: transaction.pipelines.managed())

    async def let_go(self, *, by: Actor = INSIDE_ACTOR) -> None:
        """Have pipelines be like any other that a file has kept, since the server has none any more.

        That is done once, in the background. Several processes may do so at once: one of them does it.

        Args:
            by: who wants it.
        """

        def work(transaction: Transaction) -> Sequence[Pipeline]:
            transaction.pipelines.hold_managed()
            now = self._clock.now()
            found = transaction.pipelines.managed()
            for pipeline in found:
                transaction.pipelines.replace(replace(pipeline, managed=False, updated_at=now))
                self._record(transaction, by, Action.PIPELINE_LET_GO, pipeline, now)
            return found

        try:
            let_go = await self._store.write(work) if await self.managed() else ()
        except Exception as error:  # noqa: BLE001 - the next start goes on with it.
            _LOG.warning("Pipelines that a file has kept cannot be let go yet: %s", repr(error))
            return
        for pipeline in let_go:
            _LOG.info(
                "The pipeline %s is like any other from now on: no file of the server keeps it any more.",
                ascii(pipeline.name),
            )

    async def get(self, pipeline_id: UUID) -> Pipeline:
        """Find a pipeline.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        return await self._store.read(lambda transaction: find_pipeline(transaction, pipeline_id))

    async def page(
        self,
        *,
        name: str | None,
        after: tuple[str, UUID] | None,
        limit: int,
        visible: frozenset[UUID] | None = None,
    ) -> Sequence[Pipeline]:
        """List pipelines by name, then id.

        Args:
            name: of the only pipelines to list; None means all.
            after: where the page begins.
            limit: how many to list, at most.
            visible: the ids of those that may be listed; None means all.
        """
        return await self._store.read(
            lambda transaction: transaction.pipelines.page(
                name=name, after=after, limit=limit, visible=visible
            )
        )

    async def replace(
        self,
        pipeline_id: UUID,
        definition: Definition,
        *,
        by: Actor = INSIDE_ACTOR,
        config_file: ConfigFile | None = None,
    ) -> Pipeline:
        """Replace the whole definition; runs that have begun keep theirs.

        Args:
            pipeline_id: the pipeline's id.
            definition: what it is to do from now on.
            by: who wants it.
            config_file: where the definition comes from; None where it is kept only here from now on.

        Raises:
            InvalidDefinitionError: the settings do not allow the definition.
            PipelineManagedError: the server, or its file of pipelines, keeps the pipeline.
            PipelineNotFoundError: there is none of that id.
        """

        def change(pipeline: Pipeline) -> Pipeline:
            refuse_relay(pipeline)
            _refuse_managed(pipeline)
            return replace(pipeline, definition=definition, config_file=config_file)

        return await self._change(pipeline_id, definition, change, by)

    async def refresh(
        self,
        pipeline_id: UUID,
        definition: Definition,
        *,
        by: Actor = INSIDE_ACTOR,
        read_from: ConfigFile | None = None,
    ) -> Pipeline:
        """Take over what a pipeline's file says now; where that is what it said before, nothing is changed.

        Args:
            pipeline_id: the pipeline's id.
            definition: what the file says.
            by: who wants it.
            read_from: where it was read; where the pipeline is kept elsewhere by now, nothing is changed.
                None means that it is known to be kept there.

        Raises:
            InvalidDefinitionError: the settings do not allow the definition.
            PipelineNotFoundError: there is none of that id.
        """

        def change(pipeline: Pipeline) -> Pipeline:
            moved = read_from is not None and pipeline.config_file != read_from
            if moved or pipeline.definition.hash == definition.hash:
                return pipeline
            return replace(pipeline, definition=definition)

        return await self._change(pipeline_id, definition, change, by)

    async def _change(
        self, pipeline_id: UUID, definition: Definition, change: Callable[[Pipeline], Pipeline], by: Actor
    ) -> Pipeline:
        self._check(definition)
        schedules = await _worked_out(pipeline_id, definition, self._clock.now())

        def work(transaction: Transaction) -> Pipeline:
            transaction.pipelines.hold(pipeline_id)
            pipeline = find_pipeline(transaction, pipeline_id)
            new = change(pipeline)
            if new is pipeline:
                return pipeline
            new = replace(new, updated_at=self._clock.now())
            self._put(transaction, new, schedules, by, before=pipeline)
            return new

        return await self._store.write(work)

    async def delete(self, pipeline_id: UUID, *, by: Actor = INSIDE_ACTOR, managed: bool = False) -> None:
        """Delete a pipeline and cancel what runs of it; its runs can still be read.

        Args:
            pipeline_id: the pipeline's id.
            by: who wants it.
            managed: whether the server's file of pipelines wants it.

        Raises:
            PipelineManagedError: the server keeps the pipeline, or its file does and does not want it.
            PipelineNotFoundError: there is none of that id.
        """
        now = self._clock.now()
        reason = Reason(ReasonCode.PIPELINE_DELETED, "Its pipeline was deleted.")

        def work(transaction: Transaction) -> list[Decision]:
            pipeline = find_pipeline(transaction, pipeline_id)
            refuse_relay(pipeline)
            if not managed:
                _refuse_managed(pipeline)
            transaction.pipelines.remove(pipeline_id, now)
            keep_schedules(transaction, pipeline_id, ())
            drop_triggers(transaction, pipeline)
            transaction.secrets.remove_of_pipeline(pipeline_id)
            self._record(transaction, by, Action.PIPELINE_DELETED, pipeline, now)
            unended = readable(transaction, transaction.runs.unended(pipeline_id), now)
            # The newest first: when the one that goes ends, none that waits for it is left to begin.
            return [
                decision
                for run in reversed(unended)
                for decision in self._progress.apply(transaction, run.id, CancelRequested(reason), now)
            ]

        log_decisions(await self._store.write(work))

    async def fill_keys(self) -> None:
        """Note the repositories of pipelines from before that was done; once, in the background."""
        found = _BATCH
        try:
            while found == _BATCH:
                found = await self._store.write(lambda transaction: transaction.pipelines.fill_keys(_BATCH))
        except Exception as error:  # noqa: BLE001 - the next start goes on with it.
            _LOG.warning("Pipelines cannot be found by their repositories yet: %s", repr(error))

    def _add(
        self, transaction: Transaction, pipeline: Pipeline, schedules: Sequence[KeptSchedule], by: Actor
    ) -> None:
        transaction.pipelines.add(pipeline)
        keep_schedules(transaction, pipeline.id, schedules)
        keep_triggers(transaction, pipeline, pipeline.created_at)
        self._record(transaction, by, Action.PIPELINE_CREATED, pipeline, pipeline.created_at)

    def _put(
        self,
        transaction: Transaction,
        pipeline: Pipeline,
        schedules: Sequence[KeptSchedule],
        by: Actor,
        *,
        before: Pipeline,
    ) -> None:
        transaction.pipelines.replace(pipeline)
        keep_schedules(transaction, pipeline.id, schedules)
        keep_triggers(transaction, pipeline, pipeline.updated_at, before=before)
        self._record(transaction, by, Action.PIPELINE_CHANGED, pipeline, pipeline.updated_at)

    def _record(
        self, transaction: Transaction, by: Actor, action: Action, pipeline: Pipeline, now: datetime
    ) -> None:
        definition = pipeline.definition
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=by,
            action=action,
            target=definition.name,
            pipeline_id=pipeline.id,
            definition=definition.hash,
        )


def refuse_relay(pipeline: Pipeline) -> None:
    """Refuse a pipeline that is the server's own, which nobody else changes or starts.

    Raises:
        PipelineManagedError: it is.
    """
    if pipeline.relays is not None:
        raise PipelineManagedError(
            f"'{pipeline.name}' is the server's own, which takes changes and broadcasts to drivers.",
            advice="Change the resource, or send a broadcast.",
        )


def _refuse_managed(pipeline: Pipeline) -> None:
    if pipeline.managed:
        raise PipelineManagedError(
            f"'{pipeline.name}' is kept by the server's file of pipelines.",
            advice="Change it in that file, which the setting `pipelines` names.",
        )


async def _worked_out(pipeline_id: UUID, definition: Definition, now: datetime) -> Sequence[KeptSchedule]:
    """Work out when the schedules of a definition are due; in a thread, since that may take a while."""
    if not definition.schedules:
        return ()
    return await asyncio.to_thread(worked_out, pipeline_id, definition.schedules, now)


def find_pipeline(transaction: Transaction, pipeline_id: UUID) -> Pipeline:
    """Load a pipeline.

    Raises:
        PipelineNotFoundError: there is none of that id.
    """
    pipeline = transaction.pipelines.get(pipeline_id)
    if pipeline is None:
        raise PipelineNotFoundError(pipeline_id)
    return pipeline
