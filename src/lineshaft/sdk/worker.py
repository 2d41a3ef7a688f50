"""Workers as the API shows them; `wire.fleet` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

_AT_WORK: Final = frozenset({"idle", "busy"})


@dataclass(frozen=True, slots=True)
class RoomView:
    """How much of something a worker has.

    Attributes:
        total: in all.
        free: what no task has.
    """

    total: float
    free: float

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(document["total"], document["free"])


@dataclass(frozen=True, slots=True)
class RunningTaskView:
    """A task that a worker works on.

    Attributes:
        run_id: of the run.
        pipeline: the pipeline's name; empty where the server cannot read the run.
        run_number: the run's number; None where the server cannot read the run.
        node: the node's path; empty where the server cannot read the run.
        attempt: which attempt, from 1.
        cpus: how many processors are set aside for it.
        memory_bytes: how much memory is set aside for it.
    """

    run_id: UUID
    pipeline: str
    run_number: int | None
    node: str
    attempt: int
    cpus: float
    memory_bytes: int

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            run_id=UUID(document["run_id"]),
            pipeline=document["pipeline"],
            run_number=document["run_number"],
            node=document["node"],
            attempt=document["attempt"],
            cpus=document["cpus"],
            memory_bytes=document["memory_bytes"],
        )


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker and what it does.

    Attributes:
        name: unique among the server's workers.
        state: `idle`, `busy`, `draining` or `offline`; a server newer than this code may use others.
        kinds: the kinds of work that it serves.
        labels: what it says of itself.
        slots: how many tasks it takes at once.
        cpus: the processors that it gives to tasks; None where it does not say.
        memory_bytes: the memory that it gives to tasks; None where it does not say.
        load: how busy its host's processors were, from 0 to 1; None where it does not say.
        version: of Lineshaft; empty where it does not say.
        registered_at: when its session began.
        seen_at: when it was last heard of.
        running: what it works on.
        document: the JSON that this was read from.
    """

    name: str
    state: str
    kinds: tuple[str, ...]
    labels: tuple[str, ...]
    slots: RoomView
    cpus: RoomView | None
    memory_bytes: RoomView | None
    load: float | None
    version: str
    registered_at: datetime
    seen_at: datetime
    running: tuple[RunningTaskView, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def takes_more(self) -> bool:
        """Whether it is there and does not drain."""
        return self.state in _AT_WORK

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        cpus, memory = document["cpus"], document["memory_bytes"]
        return cls(
            name=document["name"],
            state=document["state"],
            kinds=tuple(document["kinds"]),
            labels=tuple(document["labels"]),
            slots=RoomView.from_document(document["slots"]),
            cpus=None if cpus is None else RoomView.from_document(cpus),
            memory_bytes=None if memory is None else RoomView.from_document(memory),
            load=document["load"],
            version=document["version"],
            registered_at=datetime.fromisoformat(document["registered_at"]),
            seen_at=datetime.fromisoformat(document["seen_at"]),
            running=tuple(map(RunningTaskView.from_document, document["running"])),
            document=document,
        )
