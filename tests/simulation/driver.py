"""A driver that does as chance tells it, and of which everything is known."""

import asyncio
from random import Random
from typing import Final

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.agent.driver import Assignment
from simulation.ledger import Ledger
from simulation.pipelines import GENERATED

_STOPPED: Final = Outcome(State.CANCELLED, Reason(ReasonCode.WORKER_STOPPED, "It was told to stop."))
_OUT_OF_TIME: Final = Outcome(State.TIMED_OUT, Reason(ReasonCode.TIME_LIMIT, "It took too long."))
_LONG_LOG_BYTES: Final = 70_000
_LONG: Final = 900.0
"""How long a driver hangs, which may keep the only slot that others wait for."""


class SimulatedDriver:
    """Writes a log over some time, and ends in some way; see `worker.driver.Driver`."""

    def __init__(self, ledger: Ledger, random: Random, name: str) -> None:
        """Work within one start of a worker."""
        self._ledger = ledger
        self._random = random
        self._name = name

    async def perform(self, assignment: Assignment) -> Outcome:
        """Do the work to its end, and tell how it went."""
        lease, random = assignment.lease, self._random
        self._begin(assignment)
        if lease.repository is not None:
            await self._resolve(assignment)
        if lease.driver is not None:
            return await self._answer(assignment)
        limit = lease.timeout_seconds if lease.timeout_seconds is not None else 1e9
        obedience = random.choice((0.0, 0.0, 0.2, 5.0, 1e9))
        for _ in range(random.randint(0, 3)):
            await self._write(assignment)
            pause = min(random.choice((0.0, 0.01, 0.5, 3.0, 8.0)), limit)
            limit -= pause
            if await _stopped(assignment, pause, obedience):
                return _STOPPED
            if limit <= 0:
                return _OUT_OF_TIME
        if random.random() < 0.2:
            await self._write(assignment)
        return self._outcome(assignment)

    async def _answer(self, assignment: Assignment) -> Outcome:
        """Do what a driver does that others have written: in time, too late, or when nobody waits."""
        random = self._random
        await self._write(assignment)
        # Whoever hangs neither keeps the time nor hears that it is to stop; the server goes on without it.
        pause = random.choice((0.0, 0.5, 3.0, 8.0, 20.0, _LONG))
        obedience = _LONG if pause == _LONG else random.choice((0.0, 5.0, _LONG))
        if await _stopped(assignment, pause, obedience):
            return _STOPPED
        if random.random() < 0.2:
            result = DriverResult(success=False, message="It cannot be compiled.")
            return Outcome(State.FAILED, Reason(ReasonCode.DRIVER_FAILED, result.message), result=result)
        return Outcome(
            State.SUCCEEDED, result=DriverResult(success=True, data={"size": random.randint(0, 9)})
        )

    def _begin(self, assignment: Assignment) -> None:
        lease = assignment.lease
        address = lease.address
        tokens = self._ledger.began.setdefault((address.run_id, address.node), [])
        self._ledger.tell(
            f"{self._name} begins {lease.pipeline_name} {lease.run_number} {lease.path}"
            f" attempt {address.attempt} ({lease.work.kind})"
        )
        if (address, lease.token) in self._ledger.written:
            self._ledger.find(f"{lease.path} begins twice under one lease")
        tokens.append(lease.token)
        self._ledger.written.setdefault((address, lease.token), bytearray())

    async def _resolve(self, assignment: Assignment) -> None:
        lease, commits = assignment.lease, self._ledger.commits
        commit = lease.commit
        if commit is None:
            commit = await assignment.resolve_source(f"{self._random.getrandbits(160):040x}")
        if commits.setdefault(lease.address.run_id, commit) != commit:
            self._ledger.find(f"{lease.path} works on another commit than the run's first task")

    async def _write(self, assignment: Assignment) -> None:
        random = self._random
        size = random.choice((0, 1, 5, 20, 300)) if random.random() < 0.97 else _LONG_LOG_BYTES
        data = random.randbytes(size)
        self._ledger.written[assignment.lease.address, assignment.lease.token] += data
        await assignment.log.write(data)

    def _outcome(self, assignment: Assignment) -> Outcome:
        random, lease = self._random, assignment.lease
        if random.random() < 0.2:
            code = random.choice((1, 2))
            reason = Reason(ReasonCode.EXIT_CODE, f"It ended with exit code {code}.")
            return Outcome(State.FAILED, reason, exit_code=code)
        outputs = {name: str(random.randint(0, 9)) for name in lease.outputs if random.random() < 0.8}
        generated = None if lease.generates is None else random.choice(GENERATED)
        return Outcome(State.SUCCEEDED, exit_code=0, outputs=outputs, generated=generated)


async def _stopped(assignment: Assignment, seconds: float, obedience: float) -> bool:
    """Let time pass; tells whether the work ended before, since it was told to stop."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    try:
        async with asyncio.timeout(seconds):
            await assignment.stop.wait()
    except TimeoutError:
        return False
    if loop.time() + obedience > until:
        await asyncio.sleep(until - loop.time())
        return False
    await asyncio.sleep(obedience)
    return True
