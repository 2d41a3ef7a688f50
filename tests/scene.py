"""A store on a stage: the moves that services make, for tests that are about the store."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from lineshaft.engine.advance import advance
from lineshaft.engine.decision import Decision
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.definition import Definition
from lineshaft.model.event import AttemptLeased, AttemptReported, Event, RunStarted
from lineshaft.model.outcome import Outcome
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.run import Lease, Run, Source, waiting_nodes
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.model.worker import Worker
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import Ids, RandomIds
from lineshaft.ports.store import Claim, Store, Transaction

T = TypeVar("T")

ALL_KINDS = frozenset(WorkKind)
LEASE_TIME = timedelta(minutes=1)


@dataclass(frozen=True)
class Held:
    """An attempt that was claimed."""

    address: AttemptAddress
    token: str


@dataclass
class Scene:
    """A store, a clock that stands still, and one worker."""

    store: Store
    clock: ManualClock = field(default_factory=ManualClock)
    ids: Ids = field(default_factory=RandomIds)
    worker_id: UUID = field(default_factory=RandomIds().new_id)

    async def pipeline(self, definition: Definition) -> Pipeline:
        """Add a pipeline."""
        now = self.clock.now()
        pipeline = Pipeline(self.ids.new_id(), definition, now, now)
        await self.store.write(lambda transaction: transaction.pipelines.add(pipeline))
        return pipeline

    async def waiting_run(self, pipeline: Pipeline, *, retry_of: UUID | None = None) -> Run:
        """Create a run in which nothing has begun."""
        return await self.store.write(lambda transaction: self.create(transaction, pipeline, retry_of))

    def create(self, transaction: Transaction, pipeline: Pipeline, retry_of: UUID | None = None) -> Run:
        """Create a run within a transaction."""
        run = self.new_run(transaction, pipeline, retry_of)
        transaction.runs.create(run)
        return run

    def new_run(self, transaction: Transaction, pipeline: Pipeline, retry_of: UUID | None = None) -> Run:
        """Make a run that is yet to be created."""
        definition = pipeline.definition
        return Run(
            id=self.ids.new_id(),
            pipeline_id=pipeline.id,
            number=transaction.pipelines.next_run_number(pipeline.id),
            definition_hash=definition.hash,
            tree=definition.tree,
            source=None if definition.repository is None else Source(definition.repository),
            created_at=self.clock.now(),
            nodes=waiting_nodes(definition.tree),
            retry_of=retry_of,
        )

    async def run(self, definition: Definition) -> Run:
        """Add a pipeline, and begin a run of it."""
        run = await self.waiting_run(await self.pipeline(definition))
        return await self.apply(run.id, RunStarted())

    async def apply(self, run_id: UUID, event: Event) -> Run:
        """Advance a run by an event, and return it as it is then."""
        return await self.store.write(self.applying(run_id, event))

    def applying(self, run_id: UUID, event: Event) -> Callable[[Transaction], Run]:
        """Make the function that advances a run by an event."""

        def work(transaction: Transaction) -> Run:
            return self.decide(transaction, run_id, event).run

        return work

    def decide(self, transaction: Transaction, run_id: UUID, event: Event) -> Decision:
        """Advance a run by an event, within a transaction."""
        run = transaction.runs.get(run_id)
        if run is None:
            raise LookupError(run_id)
        decision = advance(run, event, self.clock.now())
        if decision.run is not run:
            transaction.runs.save(decision)
        return decision

    async def claim(self, limit: int = 1, kinds: frozenset[WorkKind] = ALL_KINDS) -> list[Held]:
        """Let the worker claim attempts."""
        return await self.store.write(self.claiming(limit, kinds))

    def claiming(
        self, limit: int = 1, kinds: frozenset[WorkKind] = ALL_KINDS
    ) -> Callable[[Transaction], list[Held]]:
        """Make the function that lets the worker claim attempts."""
        token = self.ids.new_token()

        def work(transaction: Transaction) -> list[Held]:
            now = self.clock.now()
            worker = Worker(self.worker_id, "w", Offer(kinds, Capacity(9_999)), now, now)
            claimed = transaction.attempts.claim(Claim(worker, limit, token, now, now + LEASE_TIME))
            lease = Lease(token, self.worker_id)
            for address in claimed:
                self.decide(transaction, address.run_id, AttemptLeased(address.node, address.attempt, lease))
            return [Held(address, token) for address in claimed]

        return work

    async def report(self, held: Held, state: State = State.SUCCEEDED) -> Run:
        """Let the worker report an attempt."""
        return await self.store.write(self.reporting(held, state))

    def reporting(self, held: Held, state: State = State.SUCCEEDED) -> Callable[[Transaction], Run]:
        """Make the function that lets the worker report an attempt."""
        address = held.address
        event = AttemptReported(address.node, address.attempt, held.token, Outcome(state))
        return self.applying(address.run_id, event)

    async def look(self, ask: Callable[[Transaction], T]) -> T:
        """Read from the store."""
        return await self.store.read(ask)


OpenStore = Callable[..., Awaitable[Store]]
