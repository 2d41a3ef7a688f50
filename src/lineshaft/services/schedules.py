"""Schedules: pipelines start at their times."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from lineshaft.definition import resolve_inputs
from lineshaft.definition.timetable import newest_time
from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.errors import (
    ExpressionError,
    InvalidInputError,
    LineshaftError,
    SourceUnreachableError,
    StoreUnavailableError,
)
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.schedule import KeptSchedule, Schedule
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.ports.wakeups import SCHEDULES
from lineshaft.services.auditing import record
from lineshaft.services.kept_schedules import keep_schedules, moved, worked_out
from lineshaft.services.new_run import NewRun, first_said
from lineshaft.services.pipelines import find_pipeline
from lineshaft.services.progress import Progress, Started
from lineshaft.services.run_request import NOTHING_SPECIAL
from lineshaft.services.sources.basis import Basis, basis_of
from lineshaft.services.sources.reading import SourceReader
from lineshaft.telemetry.run_log import log_decisions, log_scheduling, log_superseding

CAUGHT_UP: Final = timedelta(days=1)
"""How old a time may be that nobody has seen to, for a run of it to begin late."""

LOOK_AGAIN: Final = timedelta(minutes=1)
"""How long it is waited for the next time, at most: the clock may be set meanwhile, a wake-up be lost."""

READ_AGAIN: Final = timedelta(minutes=1)
"""When a repository is asked again that did not answer, or that a server asked which has not told since."""

_CLOCK_WAS_WRONG: Final = timedelta(hours=1)
"""Whoever worked a time out so much later than now had a clock that was wrong."""

_LOG: Final = logging.getLogger("lineshaft.schedules")
_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is to be done about a schedule.

    Attributes:
        schedule: as it stood when it was looked at.
        time: the time for which a run is to begin; None where it is only to be worked out anew.
        moved: as it stands when that is done.
    """

    schedule: KeptSchedule
    time: datetime | None
    moved: KeptSchedule


@dataclass(frozen=True, slots=True)
class _Refused:
    """No run could begin.

    Attributes:
        why: a sentence.
    """

    why: str


@dataclass(frozen=True, slots=True)
class _Owed:
    """A run is to begin once the pipeline's file was read.

    Attributes:
        schedule: as it stands now, with the time for which that is.
        pipeline: whose file it is.
    """

    schedule: KeptSchedule
    pipeline: Pipeline


class ScheduleService:
    """Starts pipelines at their times. Several processes may do so at once: one of them begins the run.

    For a pipeline that is kept in a repository it is first noted that a run is owed. Then the repository is
    read, beside all else, and asked again where it does not answer.
    """

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, progress: Progress, reader: SourceReader
    ) -> None:
        self._reader = reader
        self._reading: dict[tuple[UUID, int], asyncio.Task[None]] = {}
        self._store = store
        self._clock = clock
        self._ids = ids
        self._progress = progress

    async def of_pipeline(self, pipeline_id: UUID) -> Sequence[KeptSchedule]:
        """List the schedules of a pipeline.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """

        def work(transaction: Transaction) -> Sequence[KeptSchedule]:
            find_pipeline(transaction, pipeline_id)
            return transaction.schedules.of_pipeline(pipeline_id)

        return await self._store.read(work)

    async def run(self) -> None:
        """Start pipelines for ever; ends by cancellation only."""
        try:
            with self._store.wakeups.listen(SCHEDULES) as listener:
                while True:
                    wait = LOOK_AGAIN
                    try:
                        await self.fire_due()
                        wait = await self._until_next()
                    except Exception as error:  # noqa: BLE001 - it goes on as long as the process does.
                        _LOG.warning("Schedules cannot be looked at now: %s", repr(error))
                    if wait > timedelta():
                        await listener.wait(wait)
        finally:
            for reading in self._reading.values():
                reading.cancel()
            await self.read_all()

    async def read_all(self) -> None:
        """Wait until every repository that is being read for a schedule has been."""
        await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def fire_due(self) -> int:
        """Begin a run for each schedule of one batch that is due, and return how many those were.

        Raises:
            StoreUnavailableError: the database does not answer.
            Exception: why one of them could not even be moved on; the others have been seen to nevertheless.
        """
        now = self._clock.now()
        wrong = now + _CLOCK_WAS_WRONG
        due = await self._store.read(lambda transaction: transaction.schedules.due(now, wrong, _BATCH))
        if not due:
            return 0
        turns = await asyncio.to_thread(lambda: [_turn(each, now) for each in due])
        ended = await asyncio.gather(*(self._take(turn, now) for turn in turns), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        return len(due)

    async def _take(self, turn: _Turn, now: datetime) -> None:
        try:
            outcome = await self._store.write(partial(self._taking, turn=turn, now=now))
        except StoreUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - it must not be due for ever, whatever is wrong with it.
            outcome = _Refused(f"The server could not begin a run: {error!r}.")
            await self._store.write(_giving_up(turn, outcome))
        self._tell(turn, outcome)

    def _tell(self, turn: _Turn, outcome: "Started | _Refused | _Owed | None") -> None:
        if isinstance(outcome, _Owed):
            self._read(outcome)
        elif isinstance(outcome, Started):
            log_scheduling()
            for earlier in outcome.superseded:
                log_superseding(earlier)
            log_decisions(outcome.decisions)
        elif outcome is not None:
            _LOG.warning(
                "Pipeline %s could not start by its schedule '%s': %s",
                turn.schedule.pipeline_id,
                turn.schedule.cron,
                outcome.why,
            )

    def _taking(
        self, transaction: Transaction, turn: _Turn, now: datetime
    ) -> Started | _Refused | _Owed | None:
        """Take a turn, unless another server has, or the pipeline has changed meanwhile."""
        pipeline_id = turn.schedule.pipeline_id
        if not _still_stands(transaction, turn):
            return None
        pipeline = transaction.pipelines.get(pipeline_id)
        schedule = None if pipeline is None else _said(pipeline, turn.schedule)
        if pipeline is None or schedule is None:
            # A server of the version before, which knows no schedules, has changed the pipeline.
            asked = () if pipeline is None else pipeline.definition.schedules
            keep_schedules(transaction, pipeline_id, worked_out(pipeline_id, asked, now))
            return None
        if turn.time is None:
            transaction.schedules.move(turn.moved)
            return None
        if pipeline.config_file is not None:
            owed = replace(_again(turn, now), worked_out_at=now)
            transaction.schedules.move(owed)
            return _Owed(owed, pipeline)
        basis = Basis.here(pipeline, NOTHING_SPECIAL)
        outcome = self._begin(transaction, (pipeline, schedule), basis, turn.time, now)
        transaction.schedules.move(_told(turn, outcome))
        return outcome

    def _read(self, owed: _Owed) -> None:
        key = (owed.schedule.pipeline_id, owed.schedule.position)
        if key in self._reading:
            return
        reading = self._reading[key] = asyncio.create_task(self._pay(owed))
        reading.add_done_callback(lambda _: self._reading.pop(key))

    async def _pay(self, owed: _Owed) -> None:
        """Read the file of a pipeline to which a run is owed, and begin the run."""
        basis: Basis | _Refused
        later = False
        try:
            basis = await basis_of(self._reader, owed.pipeline, NOTHING_SPECIAL)
        except SourceUnreachableError as error:
            basis, later = _Refused(error.message), True
        except LineshaftError as error:
            basis = _Refused(error.message)
        now = self._clock.now()
        following = await asyncio.to_thread(moved, owed.schedule, now)
        turn = _Turn(owed.schedule, owed.schedule.owed_at, following)
        try:
            outcome = await self._store.write(
                partial(self._paying, turn=turn, basis=basis, now=now, later=later)
            )
        except Exception as error:  # noqa: BLE001 - it is tried again, since the run is still owed.
            outcome = _Refused(f"The server could not begin a run: {error!r}.")
        self._tell(turn, outcome)

    def _paying(
        self, transaction: Transaction, turn: _Turn, basis: Basis | _Refused, now: datetime, *, later: bool
    ) -> Started | _Refused | None:
        """Begin the run that is owed, unless another server has, or the pipeline has changed meanwhile."""
        pipeline_id = turn.schedule.pipeline_id
        transaction.pipelines.hold(pipeline_id)
        kept = transaction.schedules.of_pipeline(pipeline_id)
        current = next((each for each in kept if each.position == turn.schedule.position), None)
        pipeline = transaction.pipelines.get(pipeline_id)
        if pipeline is None or current is None or current.owed_at is None:
            return None
        schedule = _said(pipeline, current)
        # Meanwhile a later time may have come, which is then the one for which the run begins.
        turn = replace(turn, schedule=current, time=current.owed_at)
        if schedule is None or (isinstance(basis, Basis) and not basis.fits(pipeline)):
            return None  # It is looked at again as it stands by then.
        outcome: Started | _Refused
        if isinstance(basis, _Refused):
            outcome = basis
            if later:
                transaction.schedules.move(replace(_again(turn, now), last_refusal=basis.why))
                return outcome
        else:
            transaction.keep_definition(basis.definition)
            outcome = self._begin(transaction, (pipeline, schedule), basis, current.owed_at, now)
        transaction.schedules.move(_told(turn, outcome))
        return outcome

    def _begin(
        self,
        transaction: Transaction,
        which: tuple[Pipeline, Schedule],
        basis: Basis,
        at: datetime,
        now: datetime,
    ) -> Started | _Refused:
        pipeline, schedule = which
        definition = basis.definition
        try:
            new = NewRun(
                pipeline_id=pipeline.id,
                definition=definition,
                source=basis.source,
                inputs=resolve_inputs(definition, schedule.inputs),
                cause=Cause.SCHEDULE,
                priority=first_said(definition.priority),
            )
            started = self._progress.start(transaction, new, now)
        except (InvalidInputError, ExpressionError) as error:
            return _Refused(error.message)
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=INSIDE_ACTOR,
            action=Action.RUN_STARTED,
            target=started.run.id,
            pipeline_id=pipeline.id,
            pipeline=pipeline.name,
            number=started.run.number,
            schedule=schedule.cron,
            scheduled_at=at.isoformat(),
        )
        return started

    async def _until_next(self) -> timedelta:
        """Tell how long nothing is due; no longer than may go by without a look at the clock."""
        due_at = await self._store.read(lambda transaction: transaction.schedules.next_due())
        return LOOK_AGAIN if due_at is None else min(due_at - self._clock.now(), LOOK_AGAIN)


def _turn(schedule: KeptSchedule, now: datetime) -> _Turn:
    """Work out what is to be done about a schedule that is due, or was worked out by a wrong clock."""
    following = moved(schedule, now)
    if schedule.next_at is None or schedule.worked_out_at > now + _CLOCK_WAS_WRONG:
        return _Turn(schedule, None, following)
    try:
        since = max(schedule.owed_at or schedule.next_at, now - CAUGHT_UP)
        time = newest_time(schedule.cron, schedule.timezone, since, now)
    except InvalidInputError:
        time = None
    return _Turn(schedule, time, following)


def _still_stands(transaction: Transaction, turn: _Turn) -> bool:
    """Hold a turn's pipeline, and tell whether its schedule is still as it was when it was looked at."""
    transaction.pipelines.hold(turn.schedule.pipeline_id)
    return turn.schedule in transaction.schedules.of_pipeline(turn.schedule.pipeline_id)


def _said(pipeline: Pipeline, kept: KeptSchedule) -> Schedule | None:
    """Find what a definition says of a schedule; None where it says something else."""
    said = pipeline.definition.schedules[kept.position : kept.position + 1]
    matching = (each for each in said if (each.cron, each.timezone) == (kept.cron, kept.timezone))
    return next(matching, None)


def _told(turn: _Turn, outcome: Started | _Refused) -> KeptSchedule:
    """Note on a schedule what came of its turn."""
    if isinstance(outcome, _Refused):
        return replace(turn.moved, last_at=turn.time, last_run=None, last_refusal=outcome.why)
    run = outcome.run
    reason = run.root.reason if run.state.ended else None
    refusal = None if reason is None else reason.text
    return replace(turn.moved, last_at=turn.time, last_run=run.id, last_refusal=refusal)


def _again(turn: _Turn, now: datetime) -> KeptSchedule:
    """Note on a schedule that a run is owed, and when that is looked at again."""
    regular = turn.moved.next_at
    next_at = now + READ_AGAIN if regular is None else min(now + READ_AGAIN, regular)
    return replace(turn.schedule, next_at=next_at, owed_at=turn.time)


def _giving_up(turn: _Turn, refused: _Refused) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        if _still_stands(transaction, turn):
            transaction.schedules.move(_told(turn, refused))

    return work
