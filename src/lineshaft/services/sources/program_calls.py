"""Calls of programs: a run is started for what they say has changed."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from lineshaft.definition import resolve_inputs
from lineshaft.expression.pattern import regex
from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState, Outcome
from lineshaft.model.errors import ConflictError, InvalidInputError, Problem
from lineshaft.model.origin import Origin
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.run import Run
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.repositories import Repositories
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.new_run import NewRun, first_said
from lineshaft.services.pipelines import find_pipeline
from lineshaft.services.progress import Progress, Started
from lineshaft.services.run_request import RunRequest
from lineshaft.services.sources.basis import Basis, basis_of
from lineshaft.services.sources.reading import SourceReader
from lineshaft.telemetry.run_log import log_decisions, log_scheduling, log_superseding

MOST_REFS: Final = 2_048
MOST_ABBREVIATED: Final = 64
"""How many of them may be abbreviated: each of those is asked for by itself."""
MOST_TAGS: Final = 1_000

_COMMIT: Final = re.compile(r"[0-9a-f]{4,64}", re.IGNORECASE)
_FULL: Final = frozenset({40, 64})
_ASKED_AT_ONCE: Final = 4
_TRIES: Final = 5
_NOTHING_PUSHED: Final = "All of its commits are zeros: something was deleted, and nothing was pushed."
_NO_TAG_FITS: Final = "None of the tags fits the pipeline's tag pattern."


@dataclass(frozen=True, slots=True)
class ProgramCall:
    """What a program says.

    Attributes:
        changed_refs: full or abbreviated ids of commits, as they were pushed; zeros stand for none, as git's
            hooks say it.
        tags: the names of tags.
    """

    changed_refs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class ProgramCallService:
    """The use case of calls."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        progress: Progress,
        *,
        reader: SourceReader,
        repositories: Repositories,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._progress = progress
        self._reader = reader
        self._repositories = repositories

    async def take(self, pipeline_id: UUID, call: ProgramCall, *, by: Actor = INSIDE_ACTOR) -> Run | str:
        """Start a run for a call, unless the pipeline wants none for it; either is kept as a delivery.

        Args:
            pipeline_id: the pipeline's id.
            call: what has changed.
            by: who calls.

        Returns:
            The run, or why there is none.

        Raises:
            ConflictError: the pipeline changes again and again meanwhile.
            InvalidDefinitionError: the pipeline's file cannot be read.
            InvalidInputError: what is said to have changed are no commits, or the pipeline has inputs that
                must be given.
            PipelineNotFoundError: there is no such pipeline.
            SourceRefusedError: the repository has not one of the commits, or the settings do not allow it.
            SourceUnreachableError: the repository does not answer.
        """
        _check(call)
        pipeline = await self._store.read(lambda transaction: find_pipeline(transaction, pipeline_id))
        for _ in range(_TRIES):
            basis = _why_not(pipeline, call) or await self._basis(pipeline, call)
            noted = await self._store.write(partial(self._note, pipeline=pipeline, basis=basis, by=by))
            if isinstance(noted, Started):
                log_scheduling()
                for earlier in noted.superseded:
                    log_superseding(earlier)
                log_decisions(noted.decisions)
                return noted.run
            if isinstance(noted, str):
                return noted
            pipeline = noted
        raise ConflictError("The pipeline is being changed again and again.", advice="Call again later.")

    async def _basis(self, pipeline: Pipeline, call: ProgramCall) -> Basis:
        request = RunRequest(changed=await self._changed(pipeline, call))
        return await basis_of(self._reader, pipeline, request)

    async def _changed(self, pipeline: Pipeline, call: ProgramCall) -> tuple[str, ...] | None:
        asked = _commits(call)
        if not asked:
            return None
        kept = pipeline.config_file
        address = pipeline.definition.repository if kept is None else kept.repository
        if address is None:
            raise InvalidInputError(
                f"'{pipeline.name}' has no repository whose commits could have changed anything.",
                advice="Leave out `changed-refs`.",
            )
        turns = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def full(commit: str) -> str:
            if len(commit) in _FULL:
                return commit
            async with turns:
                return (await self._reader.revision(pipeline, commit)).commit

        commits = list(dict.fromkeys(await asyncio.gather(*map(full, asked))))
        return await self._repositories.changed_by(await self._reader.remote(address), commits)

    def _note(
        self, transaction: Transaction, *, pipeline: Pipeline, basis: Basis | str, by: Actor
    ) -> Started | str | Pipeline:
        """Start the run and keep the delivery; or return the pipeline, which has changed meanwhile."""
        transaction.pipelines.hold(pipeline.id)
        found = find_pipeline(transaction, pipeline.id)
        if _as_prepared(found) != _as_prepared(pipeline):
            return found
        now = self._clock.now()
        delivery_id = self._ids.new_id()
        if isinstance(basis, str):
            ended: Started | str = basis
            outcome = Outcome(pipeline.id, pipeline.name, text=basis)
        else:
            transaction.keep_definition(basis.definition)
            ended = self._progress.start(transaction, _new_run(pipeline, basis, delivery_id), now)
            run = ended.run
            reason = run.root.reason if run.state.ended else None
            outcome = Outcome(pipeline.id, pipeline.name, run.id, "" if reason is None else reason.text)
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=by,
                action=Action.RUN_STARTED,
                target=run.id,
                pipeline_id=pipeline.id,
                pipeline=pipeline.name,
                number=run.number,
                delivery=str(delivery_id),
            )
        transaction.deliveries.add(
            Delivery(
                id=delivery_id,
                source=DeliverySource.WEBHOOK,
                connection="",
                remote_id=str(delivery_id),
                event="webhook",
                received_at=now,
                state=DeliveryState.HANDLED,
                outcomes=(outcome,),
                handled_at=now,
            )
        )
        return ended


def _check(call: ProgramCall) -> None:
    problems = [
        Problem("changed-refs", f"{each[:80]!r} is no commit id, in full or of at least 4 digits")
        for each in call.changed_refs
        if not _COMMIT.fullmatch(each)
    ][:10]
    if len(call.changed_refs) > MOST_REFS:
        problems.append(Problem("changed-refs", f"has more than {MOST_REFS:,} commits"))
    if sum(len(each) not in _FULL for each in call.changed_refs) > MOST_ABBREVIATED:
        problems.append(Problem("changed-refs", f"has more than {MOST_ABBREVIATED} abbreviated commits"))
    if len(call.tags) > MOST_TAGS:
        problems.append(Problem("tags", f"has more than {MOST_TAGS:,} tags"))
    if problems:
        raise InvalidInputError("The request is not as it must be.", problems=problems)


def _commits(call: ProgramCall) -> Sequence[str]:
    """Return what was pushed, each once; git says zeros of what was deleted."""
    return list(dict.fromkeys(each.lower() for each in call.changed_refs if each.strip("0")))


def _why_not(pipeline: Pipeline, call: ProgramCall) -> str:
    """Tell why a call starts no run; empty where it does."""
    pattern = pipeline.upkeep.tag_pattern
    if pattern is not None and not any(regex(pattern).search(tag) for tag in call.tags):
        return _NO_TAG_FITS
    return _NOTHING_PUSHED if call.changed_refs and not _commits(call) else ""


def _new_run(pipeline: Pipeline, basis: Basis, delivery_id: UUID) -> NewRun:
    definition = basis.definition
    return NewRun(
        pipeline_id=pipeline.id,
        definition=definition,
        source=basis.source,
        inputs=resolve_inputs(definition, {}),
        cause=Cause.WEBHOOK,
        priority=first_said(definition.priority),
        origin=Origin(delivery=delivery_id),
    )


def _as_prepared(pipeline: Pipeline) -> tuple[object, ...]:
    """Tell what of a pipeline a call was prepared for."""
    return pipeline.name, pipeline.definition.hash, pipeline.config_file, pipeline.upkeep
