"""A definition: what a pipeline does, as it was written and as the engine walks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lineshaft.model.callers import NO_CALLERS, Callers
from lineshaft.model.concurrency import SUPERSEDE, Concurrency
from lineshaft.model.input import Input
from lineshaft.model.notification import Notification
from lineshaft.model.schedule import Schedule
from lineshaft.model.tree import Tree
from lineshaft.model.trigger import NO_TRIGGERS, Triggers


class Format(StrEnum):
    """The formats in which a definition can be written.

    Other systems' files are turned into the native one before they become a definition.
    """

    REST = "rest"
    NATIVE = "native"


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of what a pipeline does, immutable and stored once per content.

    Attributes:
        hash: the SHA-256 of format and text, in hex.
        format: how the text is written.
        text: the canonical JSON text, from which all else here can be read again.
        name: the pipeline's name.
        repository: where its source is; None for a freestyle pipeline.
        tree: its nodes.
        inputs: what it asks of whoever starts it, in the order in which they were written.
        concurrency: what a new run means for those before it.
        priority: of its runs; None where it does not say.
        callable_by: the other pipelines that may call it.
        schedules: the times at which it starts by itself.
        triggers: what else starts it by itself.
        notifications: who is told how its runs have ended.
        resource: the type of the resources that it takes; None where it takes none.
        metadata: texts by name that its drivers share.
    """

    hash: str
    format: Format
    text: str
    name: str
    repository: str | None
    tree: Tree
    inputs: tuple[Input, ...] = ()
    concurrency: Concurrency = SUPERSEDE
    priority: int | None = None
    callable_by: Callers = NO_CALLERS
    schedules: tuple[Schedule, ...] = ()
    triggers: Triggers = NO_TRIGGERS
    notifications: tuple[Notification, ...] = ()
    resource: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
