"""Somebody who uses a simulated fleet."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any, Final
from uuid import UUID

from lineshaft.model.definition import Definition
from lineshaft.model.errors import LineshaftError, UnavailableError
from lineshaft.model.principal import Actor, Means
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from simulation.ledger import Ledger
from simulation.network import Network
from simulation.pipelines import NAMES, VARIANTS, pipeline

_NAME: Final = "user"
_ACTOR: Final = Actor(_NAME, Means.PASSWORD)
_COMMIT: Final = "a" * 40


class User:
    """Makes pipelines, starts runs of them, and changes their mind."""

    def __init__(self, network: Network, ledger: Ledger, random: Random, workers: list[str]) -> None:
        """Begin with nothing made."""
        self._network = network
        self._ledger = ledger
        self._random = random
        self._workers = workers
        self._pipelines: list[UUID] = []
        self._runs: list[UUID] = []
        self._held: list[UUID] = []

    async def prepare(self) -> None:
        """Make some pipelines, however long it takes."""
        for name in NAMES[: self._random.randint(1, len(NAMES))]:
            self._pipelines.append(await self._made(pipeline(name, self._random.randrange(VARIANTS))))

    async def _made(self, definition: Definition) -> UUID:
        while True:
            try:
                made = await self._network.call(_NAME, lambda plane: plane.pipelines.create(definition))
            except UnavailableError:
                await asyncio.sleep(0.5)
            else:
                return made.id

    async def act(self) -> None:
        """Do one thing; if the answer is lost, that is that."""
        acts: list[Callable[[], Awaitable[None]]] = [self._trigger] * 5
        if self._runs:
            acts += [self._cancel, self._retry, self._retry]
        acts += [self._approve, self._approve] if self._held else [self._hold]
        if self._random.random() < 0.1:
            acts += [self._delete, self._replace, self._drain, self._forget]
        try:
            await self._random.choice(acts)()
        except LineshaftError as error:
            self._ledger.tell(f"the user is refused: {error}")

    async def _trigger(self) -> None:
        pipeline_id = self._random.choice(self._pipelines)
        run = await self._network.call(_NAME, lambda plane: plane.runs.trigger(pipeline_id))
        self._ledger.tell(f"the user has triggered run {run.number} of {run.tree.root.name}")
        self._note(run.id)

    async def _hold(self) -> None:
        pipeline_id = self._random.choice(self._pipelines)
        request = RunRequest(ref=_COMMIT, hold=True)
        run = await self._network.call(_NAME, lambda plane: plane.runs.trigger(pipeline_id, request))
        self._ledger.tell(f"the user has triggered run {run.number} of {run.tree.root.name}, which is held")
        self._note(run.id)
        self._held.append(run.id)

    async def decide(self, held: list[UUID]) -> None:
        """Approve whatever is still held; if the answer is lost, it is asked for again."""
        for run_id in held:
            with suppress(LineshaftError):
                await self._approve_run(run_id)

    async def _approve(self) -> None:
        await self._approve_run(self._random.choice(self._held))

    async def _approve_run(self, run_id: UUID) -> None:
        run = await self._network.call(_NAME, lambda plane: plane.approvals.approve(run_id, _COMMIT, _ACTOR))
        self._ledger.tell(f"the user has approved run {run.number} of {run.tree.root.name}")
        self._ledger.approved[run_id] = None

    async def _retry(self) -> None:
        run_id = self._random.choice(self._runs)
        from_failed = self._random.random() < 0.5
        run = await self._network.call(_NAME, lambda plane: plane.runs.retry(run_id, from_failed=from_failed))
        self._ledger.tell(f"the user has retried a run as run {run.number} of {run.tree.root.name}")
        self._note(run.id)

    async def _cancel(self) -> None:
        run_id = self._random.choice(self._runs)
        run = await self._network.call(_NAME, lambda plane: plane.runs.cancel(run_id))
        self._ledger.tell(f"the user has cancelled run {run.number} of {run.tree.root.name}")
        self._ledger.cancelled[run_id] = None

    async def _delete(self) -> None:
        pipeline_id = self._random.choice(self._pipelines)
        await self._network.call(_NAME, lambda plane: plane.pipelines.delete(pipeline_id))
        self._ledger.tell("the user has deleted a pipeline")

    async def _replace(self) -> None:
        pipeline_id = self._random.choice(self._pipelines)
        name = self._random.choice(NAMES)
        definition = pipeline(name, self._random.randrange(VARIANTS))

        async def replace(plane: ControlPlane) -> Any:
            return await plane.pipelines.replace(pipeline_id, definition)

        await self._network.call(_NAME, replace)
        self._ledger.tell(f"the user has replaced a pipeline by {name}")

    async def _drain(self) -> None:
        name = self._random.choice(self._workers)
        await self._network.call(_NAME, lambda plane: plane.fleet.workers.drain(name))
        self._ledger.tell(f"the user has {name} drained")

    async def _forget(self) -> None:
        name = self._random.choice(self._workers)
        await self._network.call(_NAME, lambda plane: plane.fleet.workers.forget(name))
        self._ledger.tell(f"the user has {name} forgotten")

    def _note(self, run_id: UUID) -> None:
        self._ledger.triggered[run_id] = None
        self._runs.append(run_id)
