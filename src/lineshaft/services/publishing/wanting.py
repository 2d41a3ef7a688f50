"""What is to be published, as entries of the outbox: written with what they tell of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from lineshaft.engine.decision import AttemptQueued, Decision
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.resource import Resource
from lineshaft.model.work import WorkKind
from lineshaft.ports.events import QueuedWork
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import PUBLISH, OutboxEntry, Transaction

_BUILT_IN: Final = frozenset(WorkKind)


@dataclass(slots=True)
class _Range:
    """Which events of a run are new, and what of it is queued for drivers."""

    first: int
    last: int
    work: list[tuple[str, int, int]] = field(default_factory=list)


class ToPublish:
    """Gathers what a transaction records of runs, so that each run has one entry of the outbox."""

    def __init__(self) -> None:
        self._ranges: dict[UUID, _Range] = {}

    def add(self, decision: Decision) -> None:
        """Note what a decision records."""
        run = decision.run
        work = [
            (effect.demand.kind, effect.node, effect.attempt)
            for effect in decision.effects
            if isinstance(effect, AttemptQueued) and effect.demand.kind not in _BUILT_IN
        ]
        if not decision.events and not work:
            return
        last = run.event_count
        new = self._ranges.setdefault(run.id, _Range(last - len(decision.events) + 1, last))
        new.last = last
        new.work += work

    def write(self, transaction: Transaction, ids: Ids, now: datetime) -> None:
        """Write the entries, and forget what they are about."""
        for run_id, new in self._ranges.items():
            payload = {
                "run_id": str(run_id),
                "first": new.first,
                "last": new.last,
                "work": [list(each) for each in new.work],
            }
            transaction.outbox.add(OutboxEntry(ids.new_id(), PUBLISH, payload), now)
        self._ranges.clear()


def publish_version(transaction: Transaction, ids: Ids, resource: Resource, now: datetime) -> None:
    """Have a version of a resource published."""
    payload = {"resource_id": str(resource.id), "version": resource.version}
    transaction.outbox.add(OutboxEntry(ids.new_id(), PUBLISH, payload), now)


@dataclass(frozen=True, slots=True)
class RunEvents:
    """Events of a run that are to be published.

    Attributes:
        run_id: of which run.
        first: the number of the first.
        last: the number of the last.
        work: what drivers are to be told, too.
    """

    run_id: UUID
    first: int
    last: int
    work: Sequence[QueuedWork]

    @property
    def source_id(self) -> UUID:
        """What keeps its order."""
        return self.run_id

    @property
    def place(self) -> int:
        """Where it stands in that order."""
        return self.first


@dataclass(frozen=True, slots=True)
class ResourceVersion:
    """A version of a resource that is to be published.

    Attributes:
        resource_id: of which resource.
        version: which version.
    """

    resource_id: UUID
    version: int

    @property
    def source_id(self) -> UUID:
        """What keeps its order."""
        return self.resource_id

    @property
    def place(self) -> int:
        """Where it stands in that order."""
        return self.version


def read_entry(entry: OutboxEntry) -> RunEvents | ResourceVersion:
    """Read what an entry of the kind `publish` is about."""
    payload = entry.payload
    if "run_id" not in payload:
        return ResourceVersion(UUID(payload["resource_id"]), payload["version"])
    run_id = UUID(payload["run_id"])
    return RunEvents(run_id, payload["first"], payload["last"], tuple(_work(run_id, payload)))


def _work(run_id: UUID, payload: Mapping[str, Any]) -> Iterator[QueuedWork]:
    for driver, node, attempt in payload["work"]:
        yield QueuedWork(driver, AttemptAddress(run_id, node, attempt))
