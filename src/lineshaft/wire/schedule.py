"""Schedules as the API shows them."""

from typing import Any

from lineshaft.model.schedule import KeptSchedule
from lineshaft.wire.run import time_text


def schedule_document(schedule: KeptSchedule) -> dict[str, Any]:
    """Say a schedule as JSON."""
    return {
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "next_at": time_text(schedule.next_at),
        "last_at": time_text(schedule.last_at),
        "last_run": None if schedule.last_run is None else str(schedule.last_run),
        "last_refusal": schedule.last_refusal,
    }
