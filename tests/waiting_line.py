"""Attempts queued and claimed with nothing around them, for tests that are about the queue."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from definitions import definition
from lineshaft.engine.decision import AttemptEnded, AttemptQueued, Decision
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.event import RunEvent
from lineshaft.model.limits import NO_LIMITS, Limits
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.placement import Capacity, Demand, Offer
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.model.worker import Worker
from lineshaft.ports.store import Claim, Store, Transaction
from scene import ALL_KINDS, LEASE_TIME, Scene
from trees import parallel

RUN = Demand(WorkKind.RUN)
SOME_NODES = 40
ROOMY = Capacity(9_999)


def asking(*labels: str, cpus: float = 0, memory_bytes: int = 0) -> Demand:
    """Say what a task asks for."""
    return Demand(WorkKind.RUN, tuple(sorted(labels)), cpus, memory_bytes)


@dataclass
class WaitingLine:
    """A queue to which tests add attempts one by one, and which they see taken by their names."""

    store: Store
    scene: Scene = field(init=False)
    names: dict[AttemptAddress, str] = field(default_factory=dict)
    pipelines: dict[str, Pipeline] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scene = Scene(self.store)

    def worker(
        self,
        *labels: str,
        capacity: Capacity = ROOMY,
        kinds: Collection[WorkKind] = ALL_KINDS,
        name: str = "w",
    ) -> Worker:
        """Make a worker that is not registered."""
        now = self.scene.clock.now()
        offer = Offer(frozenset(kinds), capacity, tuple(sorted(labels)))
        return Worker(self.scene.ids.new_id(), name, offer, now, now)

    async def register(self, worker: Worker) -> None:
        """Begin a worker's session."""
        await self.store.write(lambda transaction: transaction.workers.register(worker))

    async def pipeline(self, name: str) -> Pipeline:
        """Find a pipeline, or add it."""
        if name not in self.pipelines:
            nodes = (f"t{number}" for number in range(1, SOME_NODES))
            self.pipelines[name] = await self.scene.pipeline(definition(parallel(*nodes, name=name)))
        return self.pipelines[name]

    async def queue(
        self, name: str, count: int = 1, demand: Demand = RUN, *, priority: int = 0
    ) -> list[AttemptAddress]:
        """Queue attempts of one new run of a pipeline; they are called `shop 1`, `shop 2` and so on."""
        pipeline = await self.pipeline(name)
        return await self.store.write(self.queueing(pipeline, count, demand, priority=priority))

    def queueing(
        self, pipeline: Pipeline, count: int = 1, demand: Demand = RUN, *, priority: int = 0
    ) -> Callable[[Transaction], list[AttemptAddress]]:
        """Make the function that queues attempts."""

        def work(transaction: Transaction) -> list[AttemptAddress]:
            run = self.scene.new_run(transaction, pipeline)
            run = replace(run, priority=priority)
            transaction.runs.create(run)
            effects = tuple(AttemptQueued(node, 1, demand, priority) for node in range(1, count + 1))
            transaction.runs.save(self._decision(transaction, run.id, *effects))
            addresses = [AttemptAddress(run.id, node, 1) for node in range(1, count + 1)]
            before = sum(each.startswith(f"{pipeline.name} ") for each in self.names.values())
            self.names.update(
                (address, f"{pipeline.name} {number}") for number, address in enumerate(addresses, before + 1)
            )
            return addresses

        return work

    async def claim(
        self, worker: Worker | None = None, slots: int = 1, *, limits: Limits = NO_LIMITS, token: str = ""
    ) -> list[str]:
        """Let a worker claim, and tell what it took by name."""
        taken = await self.store.write(self.claiming(worker, slots, limits=limits, token=token))
        return [self.names[address] for address in taken]

    def claiming(
        self, worker: Worker | None = None, slots: int = 1, *, limits: Limits = NO_LIMITS, token: str = ""
    ) -> Callable[[Transaction], Sequence[AttemptAddress]]:
        """Make the function that lets a worker claim."""
        now = self.scene.clock.now()
        claim = Claim(
            worker or self.worker(), slots, token or self.scene.ids.new_token(), now, now + LEASE_TIME, limits
        )
        return lambda transaction: transaction.attempts.claim(claim)

    async def end(self, *names: str) -> None:
        """End attempts."""
        for address in (address for address, name in self.names.items() if name in names):
            await self.store.write(self.ending(address))

    def ending(self, address: AttemptAddress) -> Callable[[Transaction], None]:
        """Make the function that ends an attempt."""

        def work(transaction: Transaction) -> None:
            effect = AttemptEnded(address.node, address.attempt, State.SUCCEEDED)
            transaction.runs.save(self._decision(transaction, address.run_id, effect))

        return work

    def wait(self, time: timedelta) -> None:
        """Let time go by."""
        self.scene.clock.advance(time)

    def _decision(
        self, transaction: Transaction, run_id: UUID, *effects: AttemptQueued | AttemptEnded
    ) -> Decision:
        run = transaction.runs.get(run_id)
        if run is None:
            raise LookupError(run_id)
        count = run.event_count + 1
        event = RunEvent(count, self.scene.clock.now(), 0, State.RUNNING, None, 0, None)
        return Decision(
            replace(run, version=run.version + 1, event_count=count), events=(event,), effects=effects
        )
