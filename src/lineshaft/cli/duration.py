"""Times and durations for people."""

from datetime import datetime, timedelta


def duration_text(duration: timedelta) -> str:
    """Say a duration in the two units that matter: `0.3s`, `42s`, `3m 05s`, `2h 04m`."""
    seconds = max(duration.total_seconds(), 0)
    if seconds < 10:  # noqa: PLR2004 - below it, tenths matter.
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    if not minutes:
        return f"{rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"


def elapsed_text(started_at: datetime | None, ended_at: datetime | None, now: datetime) -> str:
    """Say how long something took, or has taken so far; empty when it has not begun."""
    return "" if started_at is None else duration_text((ended_at or now) - started_at)


def instant_text(at: datetime) -> str:
    """Say a time to the second, as RFC 3339 in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
