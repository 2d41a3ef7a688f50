"""A run that is to be made, and how it becomes a run of its pipeline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from lineshaft.engine.scope import scope_of
from lineshaft.expression import parse_template
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.cause import Cause
from lineshaft.model.concurrency import Policy
from lineshaft.model.definition import Definition
from lineshaft.model.origin import NO_ORIGIN, Origin
from lineshaft.model.priority import ORDINARY_PRIORITY
from lineshaft.model.resource import ResourceChange, Subject
from lineshaft.model.run import Run, Source, waiting_nodes
from lineshaft.model.tree import ROOT
from lineshaft.model.value import Value
from lineshaft.ports.store import Transaction

Prepare = Callable[[Run], Run]
"""Changes a run before it is written: which of its nodes are not to run, or have run already."""


def as_it_is(run: Run) -> Run:
    """Change nothing."""
    return run


FROM_A_FORK: Final = "Its change comes from a fork."
"""Why the run of a pull request is held whose change is not trusted."""

HELD_ON_REQUEST: Final = "It was started so that somebody looks at it first."
"""Why a run is held that somebody has started so."""

NEVER_APPROVED: Final = "It repeats a run that nobody has approved."
"""Why a run is held that repeats one which was held until it ended."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is made of.

    Attributes:
        pipeline_id: whose run it is to be.
        definition: what it is to run.
        source: what it works on; None for a freestyle pipeline.
        inputs: checked, defaults included.
        cause: what starts it.
        priority: which of what waits goes first.
        retry_of: the run that it repeats, if it does.
        parent: the attempt of another run that it stands for, if it does.
        prepare: changes it before it is written.
        untrusted: whether the change that it works on is not trusted.
        origin: where it comes from, beyond its cause.
        held: why it may not begin before somebody has approved it, as a sentence; empty where it may.
        approved_by: who has approved the run that it repeats; empty where nobody had to, or has.
        subject: what it carries to drivers; None where it carries nothing.
    """

    pipeline_id: UUID
    definition: Definition
    source: Source | None
    inputs: Mapping[str, Value] = field(default_factory=dict)
    cause: Cause = Cause.MANUAL
    priority: int = ORDINARY_PRIORITY
    retry_of: UUID | None = None
    parent: AttemptAddress | None = None
    prepare: Prepare = as_it_is
    untrusted: bool = False
    origin: Origin = NO_ORIGIN
    held: str = ""
    approved_by: str = ""
    subject: Subject | None = None


def first_said(*priorities: int | None) -> int:
    """Tell the priority of a run: the first that is said, of those who may say it."""
    return next((each for each in priorities if each is not None), ORDINARY_PRIORITY)


_ALONE: Final = frozenset({Policy.SUPERSEDE, Policy.QUEUE})


def write_run(transaction: Transaction, run_id: UUID, new: NewRun, now: datetime) -> Run:
    """Number a run and write it, in which nothing has begun yet.

    Raises:
        ExpressionError: the template of its concurrency group cannot be evaluated.
        PipelineNotFoundError: its pipeline does not exist.
    """
    definition = new.definition
    run = Run(
        id=run_id,
        pipeline_id=new.pipeline_id,
        number=transaction.pipelines.next_run_number(new.pipeline_id),
        definition_hash=definition.hash,
        tree=definition.tree,
        source=new.source,
        created_at=now,
        nodes=waiting_nodes(definition.tree),
        retry_of=new.retry_of,
        inputs=new.inputs,
        cause=new.cause,
        priority=new.priority,
        parent=new.parent,
        untrusted=new.untrusted,
        origin=new.origin,
        approved_by=new.approved_by,
        subject=new.subject,
    )
    run = new.prepare(replace(run, concurrency_group=_group(run, definition)))
    transaction.runs.create(run)
    return run


def _group(run: Run, definition: Definition) -> str | None:
    concurrency = definition.concurrency
    if concurrency.policy not in _ALONE:
        return None
    if not concurrency.group:
        return _resource_group(run.subject)
    return parse_template(concurrency.group).render(scope_of(run, ROOT))


def _resource_group(subject: Subject | None) -> str:
    """Have the runs of each resource count by themselves, and those without one together."""
    if not isinstance(subject, ResourceChange):
        return ""
    return f"{subject.resource.type}/{subject.resource.name}"
