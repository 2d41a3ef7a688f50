"""Carrying: a change of a resource becomes a run, of its pipeline or of its type's relay."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from lineshaft.definition import resolve_inputs
from lineshaft.model.cause import Cause
from lineshaft.model.definition import Definition
from lineshaft.model.errors import ForbiddenError, InvalidInputError, Problem
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.resource import Resource, ResourceChange
from lineshaft.model.run import Source
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Transaction
from lineshaft.services.new_run import NewRun, first_said
from lineshaft.services.pipelines import Check
from lineshaft.services.progress import Progress, Started
from lineshaft.services.resources.observing import resync_at
from lineshaft.services.resources.relaying import hearing, relay, relay_definition, serves
from lineshaft.services.run_request import RunRequest
from lineshaft.services.sources.basis import Basis, basis_of
from lineshaft.services.sources.reading import SourceReader
from lineshaft.telemetry.run_log import log_decisions, log_scheduling, log_superseding

MayRun = Callable[[UUID | None], bool]
"""Tells whether the caller may run a pipeline; None stands for those of the server itself, its relays."""

_REQUEST: Final = RunRequest(cause=Cause.RESOURCE)


def anyone(_: UUID | None) -> bool:
    """Let everybody run everything, as the server itself may."""
    return True


@dataclass(frozen=True, slots=True)
class Way:
    """How a change gets to drivers.

    Attributes:
        pipeline_id: along which; None for the relay of its type, which need not be there yet.
        definition: what the run does.
        source: what it works on.
    """

    pipeline_id: UUID | None
    definition: Definition
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class NoWay:
    """A change gets to nobody.

    Attributes:
        later: whether it is to go to the first driver that comes and serves its type.
    """

    later: bool


class Carrying:
    """Starts the runs that carry changes of resources."""

    def __init__(self, ids: Ids, progress: Progress, reader: SourceReader, check: Check) -> None:
        """Carry.

        Args:
            ids: makes ids.
            progress: starts runs.
            reader: reads the definitions of pipelines that are kept in repositories.
            check: refuses a definition that the settings do not allow.
        """
        self._ids = ids
        self._progress = progress
        self._reader = reader
        self._check = check

    async def basis(self, pipeline: Pipeline) -> Basis:
        """Read what a pipeline that is kept in a repository does; not within a transaction.

        Raises:
            InvalidDefinitionError: its file cannot be read.
            SecretsUnavailableError: what signs in at its repository cannot be had.
            SourceRefusedError: its repository has no such ref, or the settings do not allow it.
            SourceUnreachableError: its repository does not answer.
        """
        basis = await basis_of(self._reader, pipeline, _REQUEST)
        self._check(basis.definition)
        return basis

    def way(
        self,
        transaction: Transaction,
        change: ResourceChange,
        basis: Basis | None,
        may_run: MayRun = anyone,
    ) -> Way | NoWay | Pipeline:
        """Find out where a change goes; nothing is written.

        Returns:
            A pipeline where a basis of it is to be found first.

        Raises:
            ForbiddenError: the caller may not run that pipeline.
            InvalidInputError: the resource names a pipeline that is not there, or does not take it.
        """
        resource = change.resource
        if resource.pipeline is not None:
            return self._along(transaction, resource, resource.pipeline, basis, may_run)
        serving = serves(transaction, resource.type)
        drivers = hearing(serving, change.event.value)
        if not drivers:
            return NoWay(later=not serving and not resource.deleted)
        _refuse(may_run, None, f"changes of the type '{resource.type}' to its drivers")
        return Way(None, relay_definition(resource.type, drivers))

    def start(self, transaction: Transaction, change: ResourceChange, way: Way, now: datetime) -> Started:
        """Start the run that carries a change.

        Raises:
            ExpressionError: the template of the pipeline's concurrency group cannot be evaluated.
            InvalidInputError: the pipeline asks for inputs.
        """
        definition = way.definition
        if way.pipeline_id is None:
            made = relay(transaction, self._ids, change.resource.type, definition, now)
            way = replace(way, pipeline_id=made.id)
        transaction.keep_definition(definition)
        new = NewRun(
            pipeline_id=_known(way.pipeline_id),
            definition=definition,
            source=way.source,
            inputs=resolve_inputs(definition, {}),
            cause=Cause.RESOURCE,
            priority=first_said(definition.priority),
            subject=change,
        )
        return self._progress.start(transaction, new, now)

    def put_off(self, transaction: Transaction, resource: Resource, now: datetime, *, later: bool) -> None:
        """Note that no run carries the newest version, and when the resource is looked at again.

        Args:
            transaction: in which it changed.
            resource: as it is.
            now: when.
            later: whether the first driver that comes is to have it.
        """
        found = transaction.resources.of_id(resource.id, hold=True)
        if found is None:
            return
        definition = transaction.resources.definition(resource.type)
        observed = replace(found[1], resync_at=resync_at(resource, definition, now))
        if not later:
            observed = replace(observed, run_version=resource.version)
        transaction.resources.observe(resource.id, observed)

    def _along(
        self,
        transaction: Transaction,
        resource: Resource,
        name: str,
        basis: Basis | None,
        may_run: MayRun,
    ) -> Way | Pipeline:
        found = transaction.pipelines.page(name=name, after=None, limit=2)
        if len(found) != 1:
            count = "No pipeline" if not found else "More than one pipeline"
            raise _unfit(f"{count} has the name '{name}'.", "must be the name of one pipeline")
        (pipeline,) = found
        _refuse(may_run, pipeline.id, f"the pipeline '{name}'")
        if pipeline.config_file is None:
            basis = Basis.here(pipeline, _REQUEST)
        elif basis is None or not basis.fits(pipeline):
            return pipeline
        if basis.definition.resource != resource.type:
            takes = basis.definition.resource
            said = "none" if takes is None else f"those of the type '{takes}'"
            raise _unfit(
                f"The pipeline '{name}' takes no resources of the type '{resource.type}', but {said}.",
                "must be a pipeline that takes this type",
                advice=f"Say `resource: {resource.type}` in its definition.",
            )
        return Way(pipeline.id, basis.definition, basis.source)


def tell(started: Started) -> None:
    """Tell the log of a run that has begun, once that is committed."""
    log_scheduling()
    for earlier in started.superseded:
        log_superseding(earlier)
    log_decisions(started.decisions)


def _known(pipeline_id: UUID | None) -> UUID:
    if pipeline_id is None:
        raise LookupError("a run of no pipeline")
    return pipeline_id


def _refuse(may_run: MayRun, pipeline_id: UUID | None, what: str) -> None:
    if not may_run(pipeline_id):
        raise ForbiddenError(
            f"This would run {what}, which you may not.",
            advice="Ask somebody who may, or for the role `runner` there.",
        )


def _unfit(message: str, why: str, *, advice: str = "") -> InvalidInputError:
    return InvalidInputError(message, problems=[Problem("/pipeline", why)], advice=advice)
