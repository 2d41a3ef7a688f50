"""What the store keeps of a pipeline's schedules follows from its definition."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from lineshaft.definition.timetable import next_time
from lineshaft.model.errors import InvalidInputError
from lineshaft.model.schedule import KeptSchedule, Schedule
from lineshaft.ports.store import Transaction


def worked_out(pipeline_id: UUID, schedules: Sequence[Schedule], now: datetime) -> list[KeptSchedule]:
    """Work out when each schedule of a pipeline is due next, as if all of them were new.

    This may take milliseconds for each, which a transaction should not be kept waiting for.
    """
    return [
        moved(KeptSchedule(pipeline_id, position, each.cron, each.timezone, None, now), now)
        for position, each in enumerate(schedules)
    ]


def moved(schedule: KeptSchedule, now: datetime) -> KeptSchedule:
    """Work out anew when a schedule is due."""
    try:
        next_at = next_time(schedule.cron, schedule.timezone, now)
    except InvalidInputError as error:
        # It was written by another version, or where other time zones are known.
        refusal = f"'{schedule.cron}' in the time zone '{schedule.timezone}' {error.message}."
        return replace(schedule, next_at=None, worked_out_at=now, last_refusal=refusal, owed_at=None)
    return replace(schedule, next_at=next_at, worked_out_at=now, owed_at=None)


def keep_schedules(transaction: Transaction, pipeline_id: UUID, new: Sequence[KeptSchedule]) -> None:
    """Give a pipeline schedules in the place of those that it has; what it has already goes on as it stands.

    Args:
        transaction: in which the pipeline is held, or has been written.
        pipeline_id: whose.
        new: as `worked_out` makes them.
    """
    before = list(transaction.schedules.of_pipeline(pipeline_id))
    if not before and not new:
        return
    unmatched = before.copy()
    kept = []
    for each in new:
        same = next(
            (old for old in unmatched if (old.cron, old.timezone) == (each.cron, each.timezone)), None
        )
        if same is None:
            kept.append(each)
        else:
            unmatched.remove(same)
            kept.append(replace(same, position=each.position))
    if kept != before:
        transaction.schedules.put(pipeline_id, kept)
