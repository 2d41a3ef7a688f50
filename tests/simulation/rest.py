"""What must hold when faults have stopped and everything has come to rest."""

import itertools
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.node import Node, Task
from lineshaft.model.run import Run
from lineshaft.model.state import END_STATES, State
from lineshaft.services.control_plane import ControlPlane
from simulation.blobs import SharedBlobs
from simulation.ledger import Ledger

_ENDED: Final = frozenset(state.value for state in END_STATES)


class Rest:
    """Holds the database against the ledger, once."""

    def __init__(self, connection: sqlite3.Connection, blobs: SharedBlobs, ledger: Ledger) -> None:
        """Look at what has come to rest."""
        self._connection = connection
        self._blobs = blobs
        self._ledger = ledger

    async def check(self, plane: ControlPlane, watched: Mapping[UUID, int]) -> None:
        """Compare everything.

        Args:
            plane: reads the runs, with an empty memory.
            watched: the last events that those have heard of who watched runs.
        """
        ids = [UUID(run_id) for (run_id,) in self._connection.execute("SELECT id FROM runs").fetchall()]
        runs = [await plane.runs.get(run_id) for run_id in ids]
        self._check_runs(runs)
        self._check_attempts()
        for run in runs:
            self._check_deploys(run)
            if watched.get(run.id, run.event_count) != run.event_count:
                self._ledger.find(f"run {run.id} was watched to event {watched[run.id]} of {run.event_count}")
        await self._check_reading(plane, runs)
        for table in ("log_chunks", "timers", "outbox"):
            (count,) = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
            if count:
                self._ledger.find(f"{count} rows are left in {table}")

    def _check_runs(self, runs: Sequence[Run]) -> None:
        by_id = {run.id: run for run in runs}
        for run_id in self._ledger.triggered:
            if run_id not in by_id:
                self._ledger.find(f"run {run_id} was acknowledged and is not there")
        for run_id in self._ledger.cancelled:
            run = by_id.get(run_id)
            if run is not None and run.cancel_reason is None:
                self._ledger.find(f"the cancellation of run {run_id} was acknowledged and is not there")
        self._check_approvals(by_id)
        for run in runs:
            if not run.state.ended:
                self._ledger.find(f"run {run.id} has come to rest {run.state.value}")
        numbers: dict[UUID, list[int]] = {}
        for run in runs:
            numbers.setdefault(run.pipeline_id, []).append(run.number)
        for each in numbers.values():
            if sorted(each) != list(range(1, len(each) + 1)):
                self._ledger.find(f"the runs of a pipeline are numbered {sorted(each)}")

    def _check_approvals(self, runs: Mapping[UUID, Run]) -> None:
        for run_id in self._ledger.approved:
            run = runs.get(run_id)
            if run is not None and (run.held or not run.approved_by):
                self._ledger.find(f"the approval of run {run_id} was acknowledged and is not there")
        for run_id, _ in self._ledger.began:
            run = runs.get(run_id)
            if run is not None and run.held:
                self._ledger.find(f"run {run_id} is held, and a driver has begun to work on it")

    def _check_attempts(self) -> None:
        stored = self._connection.execute(
            "SELECT run_id, node, attempt, state, token, log_size, log_blob FROM attempts"
        ).fetchall()
        seen = set()
        for run_id, node, attempt, state, token, log_size, log_blob in stored:
            address = AttemptAddress(UUID(run_id), node, attempt)
            seen.add(address)
            self._check_outcome(address, state)
            log = self._log(address, log_size, log_blob)
            written = bytes(self._ledger.written.get((address, token), b""))
            if len(log) != log_size:
                self._ledger.find(f"{address}: the log's size is {log_size}, and it has {len(log)} bytes")
            if log_size < self._ledger.appended.get(address, 0):
                self._ledger.find(f"{address}: bytes of the log were acknowledged and are not there")
            if not written.startswith(log):
                self._ledger.find(f"{address}: the log holds what its driver has not written")
            if address in self._ledger.reported and log != written:
                self._ledger.find(f"{address}: the log is shorter than what its driver has written")
        for address in self._ledger.reported.keys() - seen:
            self._ledger.find(f"{address} was reported and is not there")

    async def _check_reading(self, plane: ControlPlane, runs: Sequence[Run]) -> None:
        """See that a log is read as it was written, the way in which the API reads it."""
        for address in itertools.islice(self._ledger.reported, 1):
            run = next(run for run in runs if run.id == address.run_id)
            log = await plane.logs.find(run.id, run.tree[address.node].path, address.attempt)
            pieces = [piece async for piece in plane.logs.read(log, 0, log.state.size_bytes)]
            written = [data for (of, _), data in self._ledger.written.items() if of == address]
            if b"".join(pieces) not in written:
                self._ledger.find(f"{address}: the log is not read as it was written")

    def _log(self, address: AttemptAddress, size: int, blob: str | None) -> bytes:
        if blob is not None:
            return self._blobs.stored.get(blob, b"")
        if size:
            self._ledger.find(f"{address}: the log was not sealed")
        return b""

    def _check_outcome(self, address: AttemptAddress, state: str) -> None:
        outcome = self._ledger.reported.get(address)
        if state not in _ENDED:
            self._ledger.find(f"{address} has come to rest {state}")
        if outcome is None or state == outcome.state.value:
            return
        out_of_time = outcome.state is State.CANCELLED and state == State.TIMED_OUT.value
        refused = outcome.state is State.SUCCEEDED and outcome.generated is not None and state == "failed"
        # Whatever a driver answers after its time, it is timed out.
        too_late = outcome.result is not None and state == State.TIMED_OUT.value
        if not out_of_time and not refused and not too_late:
            self._ledger.find(f"{address} was reported {outcome.state.value} and ended {state}")

    def _check_deploys(self, run: Run) -> None:
        for place in run.tree.places:
            began = self._ledger.began.get((run.id, place.index), [])
            if len(began) > 1 and _begins_once(place.node):
                self._ledger.find(f"{place.path} of run {run.id} began {len(began)} times")


def _begins_once(node: Node) -> bool:
    return isinstance(node, Task) and not node.may_begin_again
