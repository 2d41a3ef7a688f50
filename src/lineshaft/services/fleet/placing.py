"""What a queued task waits for: the facts that `engine.placing` decides on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lineshaft.engine.placing import Candidate, LimitInForce, Placement, placement
from lineshaft.engine.rendering import rendered_task
from lineshaft.model.attempt import AttemptAddress, HeldAttempt, QueuedAttempt
from lineshaft.model.errors import ExpressionError
from lineshaft.model.limits import ANY_OTHER, NO_LIMITS, Limits
from lineshaft.model.node import Task
from lineshaft.model.placement import Capacity, Demand
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.worker import Worker
from lineshaft.ports.store import Transaction

_MOST_COUNTED: Final = 1000
"""How many of those that wait are looked at to tell how many go before one."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Tells what queued tasks wait for.

    Attributes:
        lease_time: how long a worker may be silent before it counts as offline.
        limits: how many tasks may run at once over all workers.
    """

    lease_time: timedelta
    limits: Limits = NO_LIMITS

    def of(self, transaction: Transaction, run: Run, index: int, now: datetime) -> Placement | None:
        """Tell what a task waits for; None for one that waits for no worker."""
        node, task = run.nodes[index], run.tree[index].node
        if not isinstance(task, Task) or node.state is not State.QUEUED or node.stopping:
            return None
        try:
            demand = rendered_task(run, index).demand
        except ExpressionError:
            return None  # The claim will find out as well, and end the attempt.
        held = transaction.attempts.held()
        workers = self._candidates(transaction.workers.all(), held, now)
        queued = transaction.attempts.queued(limit=_MOST_COUNTED)
        return placement(
            demand,
            workers,
            self._limits(transaction, run, demand, held),
            _ahead(queued, AttemptAddress(run.id, index, node.attempt), demand, workers),
        )

    def _candidates(
        self, workers: Sequence[Worker], held: Sequence[HeldAttempt], now: datetime
    ) -> list[Candidate]:
        taken: defaultdict[UUID, list[Demand]] = defaultdict(list)
        for each in held:
            taken[each.worker_id].append(each.demand)
        return [
            Candidate(
                name=worker.name,
                offer=worker.offer,
                free=_left(worker.offer.capacity, taken[worker.id]),
                connected=now < worker.seen_at + self.lease_time,
                draining=worker.draining,
                load=worker.load,
            )
            for worker in workers
        ]

    def _limits(
        self, transaction: Transaction, run: Run, demand: Demand, held: Sequence[HeldAttempt]
    ) -> list[LimitInForce]:
        in_force = []
        pipeline = transaction.pipelines.get(run.pipeline_id)
        name = run.tree.root.name if pipeline is None else pipeline.name
        most = self.limits.pipelines.get(name, self.limits.pipelines.get(ANY_OTHER))
        if most is not None:
            running = sum(each.pipeline_id == run.pipeline_id for each in held)
            in_force.append(LimitInForce(f"the pipeline '{name}'", most, running))
        for label in demand.labels:
            most = self.limits.labels.get(label)
            if most is not None:
                running = sum(label in each.demand.labels for each in held)
                in_force.append(LimitInForce(f"the label '{label}'", most, running))
        return in_force


def _left(capacity: Capacity, taken: Sequence[Demand]) -> Capacity:
    cpus, memory = capacity.cpus, capacity.memory_bytes
    if cpus is not None:
        cpus = max(0, cpus - sum(each.cpus for each in taken))
    if memory is not None:
        memory = max(0, memory - sum(each.memory_bytes for each in taken))
    return Capacity(max(0, capacity.slots - len(taken)), cpus, memory)


def _ahead(
    queued: Sequence[QueuedAttempt], address: AttemptAddress, demand: Demand, workers: Sequence[Candidate]
) -> int | None:
    """Count what goes before an attempt to workers that could take it; None where that is very much."""
    able = [worker.offer for worker in workers if worker.connected and worker.offer.serves(demand)]
    rivals: dict[Demand, bool] = {}
    count = 0
    for each in queued:
        if each.address == address:
            return count
        if each.demand not in rivals:
            rivals[each.demand] = not able or any(offer.serves(each.demand) for offer in able)
        count += rivals[each.demand]
    # One that is not listed at all has just been taken, or was set aside for a while.
    return None if len(queued) >= _MOST_COUNTED else count
