"""What a queued task waits for: told from what it asks for, and from the workers as they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lineshaft.model.memory_size import memory_size
from lineshaft.model.placement import Capacity, Demand, Offer
from lineshaft.model.work import WorkKind

BUSY_LOAD: Final = 0.95
"""Above which load a worker takes nothing, unless it was started with another `--max-load`."""

_MOST_NAMED: Final = 3
_BUILT_IN: Final = frozenset(WorkKind)


class PlacementCode(StrEnum):
    """The closed list of what a queued task waits for; docs/state-machine.md explains each."""

    NO_WORKER = "no_worker"
    KIND_NOT_SERVED = "kind_not_served"
    LABELS_NOT_OFFERED = "labels_not_offered"
    TOO_LARGE = "too_large"
    WORKERS_DRAINING = "workers_draining"
    LIMIT_REACHED = "limit_reached"
    WORKERS_FULL = "workers_full"
    WORKERS_BUSY = "workers_busy"
    ITS_TURN = "its_turn"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker that might take a task.

    Attributes:
        name: the worker's.
        offer: what it offers.
        free: what of that no task has.
        connected: whether it was heard of within the life of a lease.
        draining: whether it is to take no more.
        load: how busy its host's processors are, from 0 to 1; None where it does not say.
    """

    name: str
    offer: Offer
    free: Capacity
    connected: bool = True
    draining: bool = False
    load: float | None = None

    def has_room(self, demand: Demand) -> bool:
        """Tell whether what is free suffices."""
        free = self.free
        return (
            free.slots > 0
            and (free.cpus is None or demand.cpus <= free.cpus)
            and (free.memory_bytes is None or demand.memory_bytes <= free.memory_bytes)
        )


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """A limit that a task falls under.

    Attributes:
        of: what is limited, in words: `the pipeline 'shop'`, `the label 'gpu'`.
        most: how many tasks of it may run at once.
        running: how many do.
    """

    of: str
    most: int
    running: int


@dataclass(frozen=True, slots=True)
class Placement:
    """What a queued task waits for.

    Attributes:
        code: stable, for programs.
        text: one plain sentence for people.
        ahead: about how many tasks go before it; None where they are too many to count.
    """

    code: PlacementCode
    text: str
    ahead: int | None = 0


def placement(
    demand: Demand,
    workers: Sequence[Candidate],
    limits: Sequence[LimitInForce] = (),
    ahead: int | None = 0,
) -> Placement:
    """Tell what a queued task waits for.

    Args:
        demand: what it asks for.
        workers: all that have registered.
        limits: those that it falls under.
        ahead: about how many tasks go before it; None where they are too many to count.
    """
    connected = [worker for worker in workers if worker.connected]
    if demand.kind not in _BUILT_IN and not any(demand.kind in each.offer.kinds for each in connected):
        return Placement(PlacementCode.KIND_NOT_SERVED, _no_driver(demand, workers), ahead)
    if not connected:
        return Placement(PlacementCode.NO_WORKER, _no_worker(workers), ahead)
    able = connected
    for code, fits, says in _FITS:
        fitting = [worker for worker in able if fits(worker.offer, demand)]
        if not fitting:
            return Placement(code, says(demand, able), ahead)
        able = fitting
    return _of_able(demand, able, limits, ahead)


def _of_able(
    demand: Demand, able: Sequence[Candidate], limits: Sequence[LimitInForce], ahead: int | None
) -> Placement:
    """Tell what a task waits for that some connected workers could take if they had nothing else to do."""
    staying = [worker for worker in able if not worker.draining]
    if not staying:
        text = f"{_names(able)} could take it, and {_verb(able)} draining."
        return Placement(PlacementCode.WORKERS_DRAINING, text, ahead)
    for limit in limits:
        if limit.running >= limit.most:
            return Placement(PlacementCode.LIMIT_REACHED, _limited(limit), ahead)
    roomy = [worker for worker in staying if worker.has_room(demand)]
    if not roomy:
        return Placement(PlacementCode.WORKERS_FULL, _full(demand, staying), ahead)
    calm = [worker for worker in roomy if worker.load is None or worker.load < BUSY_LOAD]
    if not calm:
        loads = f"the processors of {_verb(roomy, 'its host', 'their hosts')} are busy"
        text = f"{_names(roomy)} {_verb(roomy, 'has', 'have')} room for it, but {loads}."
        return Placement(PlacementCode.WORKERS_BUSY, text, ahead)
    text = f"{_names(calm)} {_verb(calm, 'has', 'have')} room for it; its turn comes{_behind(ahead)}."
    return Placement(PlacementCode.ITS_TURN, text, ahead)


def _no_worker(workers: Sequence[Candidate]) -> str:
    if not workers:
        return "No worker has been heard of; `lineshaft worker` starts one."
    return f"No worker is connected: {_names(workers)} {_verb(workers)} offline."


def _no_driver(demand: Demand, workers: Sequence[Candidate]) -> str:
    offline = [worker for worker in workers if demand.kind in worker.offer.kinds]
    rest = f": {_names(offline)} {_verb(offline)} offline." if offline else "."
    return f"No program is connected that is the driver '{demand.kind}'{rest}"


def _not_served(demand: Demand, workers: Sequence[Candidate]) -> str:
    return f"None of the connected workers serves '{demand.kind}': there {_verb(workers)} {_names(workers)}."


def _labels_missing(demand: Demand, workers: Sequence[Candidate]) -> str:
    def missing(worker: Candidate) -> list[str]:
        return sorted(set(demand.labels) - set(worker.offer.labels))

    closest = min(workers, key=lambda worker: (len(missing(worker)), worker.name))
    return (
        f"None of the connected workers that serve '{demand.kind}' has {_listed(demand.labels)};"
        f" '{closest.name}' comes closest, and lacks {_listed(missing(closest))}."
    )


def _too_large(demand: Demand, workers: Sequence[Candidate]) -> str:
    def size(worker: Candidate) -> tuple[float, float, str]:
        capacity = worker.offer.capacity
        return (capacity.cpus or 0, capacity.memory_bytes or 0, worker.name)

    largest = max(workers, key=size)
    return (
        f"It asks for {_amounts(demand.cpus, demand.memory_bytes)}, and none of the workers that could take"
        f" it is so large: '{largest.name}' gives {_of(largest.offer.capacity)}."
    )


def _limited(limit: LimitInForce) -> str:
    tasks = "task" if limit.most == 1 else "tasks"
    do = "does" if limit.running == 1 else "do"
    return (
        f"A limit holds it back: no more than {limit.most} {tasks} of {limit.of} may run at once,"
        f" and {limit.running} {do}."
    )


def _full(demand: Demand, workers: Sequence[Candidate]) -> str:
    if len(workers) > 1:
        return f"{_names(workers)} could take it, and none of them has the room that it needs now."
    (worker,) = workers
    if not worker.free.slots:
        return f"'{worker.name}' could take it, and all of its slots are taken."
    asked = _amounts(demand.cpus, demand.memory_bytes)
    return f"'{worker.name}' could take it, but it asks for {asked}, and free there is {_of(worker.free)}."


_Fits = Callable[[Offer, Demand], bool]
_Says = Callable[[Demand, Sequence[Candidate]], str]

_FITS: Final[tuple[tuple[PlacementCode, _Fits, _Says], ...]] = (
    (PlacementCode.KIND_NOT_SERVED, lambda offer, demand: demand.kind in offer.kinds, _not_served),
    (
        PlacementCode.LABELS_NOT_OFFERED,
        lambda offer, demand: set(demand.labels) <= set(offer.labels),
        _labels_missing,
    ),
    (PlacementCode.TOO_LARGE, Offer.serves, _too_large),
)
"""What a worker's offer has to keep, one after the other, and what is said when none does."""


def _amounts(cpus: float, memory_bytes: int) -> str:
    asked = [_processors(cpus)] if cpus else []
    asked += [f"{memory_size(memory_bytes)} of memory"] if memory_bytes else []
    return " and ".join(asked) or "a slot"


def _of(capacity: Capacity) -> str:
    given = [] if capacity.cpus is None else [_processors(capacity.cpus)]
    given += [] if capacity.memory_bytes is None else [f"{memory_size(capacity.memory_bytes)} of memory"]
    return " and ".join(given) or "any amount"


def _processors(count: float) -> str:
    return f"{count:g} {'processor' if count == 1 else 'processors'}"


def _behind(ahead: int | None) -> str:
    if ahead is None:
        return " behind very many others"
    return f" behind about {ahead} {'other' if ahead == 1 else 'others'}" if ahead else ""


def _names(workers: Sequence[Candidate]) -> str:
    names = sorted(f"'{worker.name}'" for worker in workers)
    if len(names) > _MOST_NAMED:
        names = [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED} more"]
    return _joined(names)


def _listed(labels: Sequence[str]) -> str:
    shown = [f"'{label}'" for label in labels[:_MOST_NAMED]]
    if len(labels) > _MOST_NAMED:
        shown.append(f"{len(labels) - _MOST_NAMED} more")
    return f"the {'label' if len(labels) == 1 else 'labels'} {_joined(shown)}"


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _verb(workers: Sequence[Candidate], one: str = "is", several: str = "are") -> str:
    return one if len(workers) == 1 else several
